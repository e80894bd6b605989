#include "exec/exec_restart.h"

#include <time.h>

#include "base/mem.h"
#include "call/clock.h"
#include "exec/exec_check.h"
#include "exec/exec_child.h"
#include "exec/exec_policy.h"
#include "exec/exec_reporter.h"
#include "exec/exec_signal.h"
#include "text/complain.h"
#include "text/exit_status.h"

/* Who leaves so soon after it got a configuration may have left for that. */
#define LEFT_MS 60000

void exec_restart_deinit(struct exec_restart *restarter)
{
	exec_drain_stop(&restarter->drain);
	buf_deinit(&restarter->now);
	buf_deinit(&restarter->known);
}

/* --- what is known -------------------------------------------------------- */

static void forget(struct exec_restart *restarter)
{
	exec_debounce_forget(&restarter->debounce);
	exec_drain_stop(&restarter->drain);
	restarter->pending_since = 0;
	restarter->told = false;
}

static void note_known(struct exec_restart *restarter)
{
	buf_deinit(&restarter->known);
	buf_add_str(&restarter->known, buf_str(&restarter->now));
	forget(restarter);
}

static void set_child_generation(struct exec_restart *restarter)
{
	if (restarter->child_generation == restarter->generation)
		return;
	restarter->child_generation = restarter->generation;
	restarter->known_at = clock_now();
}

void exec_restart_started(struct exec_restart *restarter)
{
	note_known(restarter);
	set_child_generation(restarter);
}

void exec_restart_cancel(struct exec_restart *restarter)
{
	restarter->over = true;
	forget(restarter);
}

void exec_restart_see(struct exec_restart *restarter, struct str facts)
{
	bool differs = !str_equal(facts, buf_str(&restarter->known));

	if (str_equal(facts, buf_str(&restarter->now)))
		return;
	buf_deinit(&restarter->now);
	buf_add_str(&restarter->now, facts);
	if (restarter->over)
		return;
	exec_debounce_change(&restarter->debounce, differs, clock_now());
	if (!differs)
		forget(restarter);
	else if (!restarter->pending_since)
		restarter->pending_since = time(NULL);
}

/* --- what is done --------------------------------------------------------- */

static void restart(struct exec_restart *restarter)
{
	exec_child_stop(restarter->child);
	exec_drain_stop(&restarter->drain);
}

static void say_pending(struct exec_restart *restarter)
{
	if (restarter->told || !restarter->drain.reason[0])
		return;
	restarter->told = true;
	(void)complain(
		EXIT_DONE,
		"the configuration has changed: the command is restarted "
		"when it has nothing at work; waiting for %s",
		restarter->drain.reason);
}

static void restart_when_idle(struct exec_restart *restarter, long long now)
{
	if (exec_debounce_is_overdue(&restarter->debounce, now)) {
		complain_warning("--max-wait is over: the command is restarted "
				 "with whatever it has at work");
		restart(restarter);
	} else if (exec_drain_step(&restarter->drain)) {
		restart(restarter);
	} else {
		say_pending(restarter);
	}
}

static void act(struct exec_restart *restarter, long long now)
{
	int action = restarter->policy->on_change;

	if (action == EXEC_IDLE) {
		restart_when_idle(restarter, now);
	} else if (action == EXEC_RESTART) {
		restart(restarter);
	} else {
		if (action != EXEC_NOTHING)
			exec_child_signal(restarter->child, action);
		note_known(restarter);
	}
}

/* What ended in failure is not started again, even while some of it lives. */
static bool may_act(const struct exec_restart *restarter, long long now)
{
	const struct exec_child *child = restarter->child;

	return child->state == CHILD_RUNNING && child->pid && !child->status &&
	       (exec_debounce_is_due(&restarter->debounce, now) ||
		exec_debounce_is_overdue(&restarter->debounce, now));
}

static const char *what_for(const struct exec_restart *restarter)
{
	if (restarter->child->state != CHILD_RUNNING)
		return "the end of the command";
	if (!exec_debounce_is_due(&restarter->debounce, clock_now()))
		return "its turn";
	return restarter->drain.reason[0] ? restarter->drain.reason
					  : "a look at it";
}

/* Who is told of no change knows what there was when it started. */
static void note_generation(struct exec_restart *restarter)
{
	if (restarter->policy->on_change != EXEC_NOTHING &&
	    !restarter->pending_since && !restarter->over)
		set_child_generation(restarter);
}

static void report(struct exec_restart *restarter)
{
	int action = restarter->policy->on_change;
	struct exec_report report = {
		.how = "exec",
		.command = restarter->policy->name,
		.generation = restarter->generation,
		.pid = restarter->child->pid,
		.child_generation = restarter->child_generation,
	};

	if (restarter->pending_since &&
	    (action == EXEC_IDLE || action == EXEC_RESTART)) {
		report.pending_since = restarter->pending_since;
		report.waiting_for = what_for(restarter);
	}
	if (restarter->check->refused_since) {
		report.pending_since = restarter->check->refused_since;
		report.waiting_for = restarter->check->reason;
		report.bad = "check";
		report.bad_reason = restarter->check->reason;
	}
	exec_reporter_tell(restarter->reporter, &report);
}

void exec_restart_left(struct exec_restart *restarter, int status)
{
	long long ms = clock_now() - restarter->known_at;
	_cleanup_(mem_freep) char *reason =
		mem_printf("it ended with status %d, %lld s after it had the "
			   "configuration",
			   status, ms / 1000);
	const struct exec_report report = {
		.how = "exec",
		.command = restarter->policy->name,
		.generation = restarter->generation,
		.child_generation = restarter->child_generation,
		.bad = "left",
		.bad_reason = reason,
	};

	if (status && ms < LEFT_MS)
		exec_reporter_tell_last(restarter->reporter, &report);
}

void exec_restart_step(struct exec_restart *restarter)
{
	long long now = clock_now();

	if (!restarter->child->pid) /* our helpers are not to outlive it */
		exec_drain_stop(&restarter->drain);
	if (may_act(restarter, now))
		act(restarter, now);
	note_generation(restarter);
	report(restarter);
}

long long exec_restart_moment(const struct exec_restart *restarter)
{
	long long now = clock_now();
	long long moment = exec_debounce_moment(&restarter->debounce, now);

	if (!may_act(restarter, now))
		return moment;
	/* It is due: what is not done yet waits for the command to be idle. */
	return clock_first(moment, restarter->drain.look_at
					   ? restarter->drain.look_at
					   : now);
}
