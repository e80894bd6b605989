#include "exec/exec_plan.h"

#include "call/clock.h"

#define QUIET_MS 500
#define BURST_MS 5000

void exec_plan_change(struct exec_plan *plan, bool differs, long long now)
{
	if (!differs) {
		exec_plan_forget(plan);
		return;
	}
	if (!plan->since)
		plan->since = now;
	plan->quiet_at = clock_first(now + QUIET_MS, plan->since + BURST_MS);
}

void exec_plan_forget(struct exec_plan *plan)
{
	plan->since = plan->quiet_at = 0;
}

bool exec_plan_is_waiting(const struct exec_plan *plan)
{
	return plan->since != 0;
}

static long long due_at(const struct exec_plan *plan)
{
	long long turn = plan->since + plan->splay_ms;

	return plan->quiet_at > turn ? plan->quiet_at : turn;
}

bool exec_plan_is_due(const struct exec_plan *plan, long long now)
{
	return plan->since && now >= due_at(plan);
}

static long long overdue_at(const struct exec_plan *plan)
{
	return plan->max_ms ? plan->since + plan->max_ms : 0;
}

bool exec_plan_is_overdue(const struct exec_plan *plan, long long now)
{
	return plan->since && plan->max_ms && now >= overdue_at(plan);
}

long long exec_plan_moment(const struct exec_plan *plan, long long now)
{
	long long due, overdue;

	if (!plan->since)
		return 0;
	due = due_at(plan);
	overdue = overdue_at(plan);
	return clock_first(due > now ? due : 0, overdue > now ? overdue : 0);
}
