#include "exec/exec_debounce.h"

#include "call/clock.h"

#define QUIET_MS 500
#define BURST_MS 5000

void exec_debounce_change(struct exec_debounce *debounce, bool differs,
			  long long now)
{
	if (!differs) {
		exec_debounce_forget(debounce);
		return;
	}
	if (!debounce->since)
		debounce->since = now;
	debounce->quiet_at =
		clock_first(now + QUIET_MS, debounce->since + BURST_MS);
}

void exec_debounce_forget(struct exec_debounce *debounce)
{
	debounce->since = debounce->quiet_at = 0;
}

static long long due_at(const struct exec_debounce *debounce)
{
	long long turn = debounce->since + debounce->splay_ms;

	return debounce->quiet_at > turn ? debounce->quiet_at : turn;
}

bool exec_debounce_is_due(const struct exec_debounce *debounce, long long now)
{
	return debounce->since && now >= due_at(debounce);
}

static long long overdue_at(const struct exec_debounce *debounce)
{
	return debounce->max_ms ? debounce->since + debounce->max_ms : 0;
}

bool exec_debounce_is_overdue(const struct exec_debounce *debounce,
			      long long now)
{
	return debounce->since && debounce->max_ms &&
	       now >= overdue_at(debounce);
}

long long exec_debounce_moment(const struct exec_debounce *debounce,
			       long long now)
{
	long long due, overdue;

	if (!debounce->since)
		return 0;
	due = due_at(debounce);
	overdue = overdue_at(debounce);
	return clock_first(due > now ? due : 0, overdue > now ? overdue : 0);
}
