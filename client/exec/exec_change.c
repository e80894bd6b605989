#include "exec/exec_change.h"

#include <time.h>

#include "call/clock.h"
#include "exec/exec_check.h"
#include "exec/exec_child.h"
#include "exec/exec_policy.h"
#include "exec/exec_reporter.h"
#include "exec/exec_signal.h"
#include "text/complain.h"
#include "text/exit_status.h"

void exec_change_deinit(struct exec_change *change)
{
	exec_drain_stop(&change->drain);
	buf_deinit(&change->now);
	buf_deinit(&change->known);
}

/* --- what is known -------------------------------------------------------- */

static void forget(struct exec_change *change)
{
	exec_debounce_forget(&change->debounce);
	exec_drain_stop(&change->drain);
	change->pending_since = 0;
	change->told = false;
}

void exec_change_started(struct exec_change *change)
{
	buf_deinit(&change->known);
	buf_add_str(&change->known, buf_str(&change->now));
	forget(change);
}

void exec_change_cancel(struct exec_change *change)
{
	change->over = true;
	forget(change);
}

void exec_change_see(struct exec_change *change, struct str facts)
{
	bool differs = !str_equal(facts, buf_str(&change->known));

	if (str_equal(facts, buf_str(&change->now)))
		return;
	buf_deinit(&change->now);
	buf_add_str(&change->now, facts);
	if (change->over)
		return;
	exec_debounce_change(&change->debounce, differs, clock_now());
	if (!differs)
		forget(change);
	else if (!change->pending_since)
		change->pending_since = time(NULL);
}

/* --- what is done --------------------------------------------------------- */

static void restart(struct exec_change *change)
{
	exec_child_stop(change->child);
	exec_drain_stop(&change->drain);
}

static void say_pending(struct exec_change *change)
{
	if (change->told || !change->drain.reason[0])
		return;
	change->told = true;
	(void)complain(
		EXIT_DONE,
		"the configuration has changed: the command is restarted "
		"when it has nothing at work; waiting for %s",
		change->drain.reason);
}

static void restart_when_idle(struct exec_change *change, long long now)
{
	if (exec_debounce_is_overdue(&change->debounce, now)) {
		complain_warning("--max-wait is over: the command is restarted "
				 "with whatever it has at work");
		restart(change);
	} else if (exec_drain_step(&change->drain)) {
		restart(change);
	} else {
		say_pending(change);
	}
}

static void act(struct exec_change *change, long long now)
{
	int action = change->policy->on_change;

	if (action == EXEC_IDLE) {
		restart_when_idle(change, now);
	} else if (action == EXEC_RESTART) {
		restart(change);
	} else {
		if (action != EXEC_NOTHING)
			exec_child_signal(change->child, action);
		exec_change_started(change);
	}
}

/* What ended in failure is not started again, even while some of it lives. */
static bool may_act(const struct exec_change *change, long long now)
{
	const struct exec_child *child = change->child;

	return child->state == CHILD_RUNNING && child->pid && !child->status &&
	       (exec_debounce_is_due(&change->debounce, now) ||
		exec_debounce_is_overdue(&change->debounce, now));
}

static const char *what_for(const struct exec_change *change)
{
	if (change->child->state != CHILD_RUNNING)
		return "the end of the command";
	if (!exec_debounce_is_due(&change->debounce, clock_now()))
		return "its turn";
	return change->drain.reason[0] ? change->drain.reason : "a look at it";
}

static void report(struct exec_change *change)
{
	int action = change->policy->on_change;
	struct exec_report report = {
		.how = "exec",
		.command = change->policy->name,
		.pid = change->child->pid,
	};

	if (change->pending_since &&
	    (action == EXEC_IDLE || action == EXEC_RESTART)) {
		report.pending_since = change->pending_since;
		report.waiting_for = what_for(change);
	}
	if (change->check->refused_since) {
		report.pending_since = change->check->refused_since;
		report.waiting_for = change->check->reason;
	}
	exec_reporter_tell(change->reporter, &report);
}

void exec_change_step(struct exec_change *change)
{
	long long now = clock_now();

	if (!change->child->pid) /* our helpers are not to outlive it */
		exec_drain_stop(&change->drain);
	if (may_act(change, now))
		act(change, now);
	report(change);
}

long long exec_change_moment(const struct exec_change *change)
{
	long long now = clock_now();
	long long moment = exec_debounce_moment(&change->debounce, now);

	if (!may_act(change, now))
		return moment;
	/* Due: what is not done yet waits for the command to be idle. */
	return clock_first(moment,
			   change->drain.look_at ? change->drain.look_at : now);
}
