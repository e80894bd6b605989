#ifndef EXEC_PLAN_H
#define EXEC_PLAN_H

/*
 * When the command is told that the configuration has changed. Pure: moments
 * of clock.h go in and come out.
 *
 *	       differs          quiet, and its share of --splay
 *	CALM ----------> WAITING ------------------------------> due
 *	  ^                 |                                     |
 *	  +-- as it was ----+-------- exec_plan_forget -----------+
 *
 * A burst of changes that does not end is acted on all the same, and so is
 * work that does not end, where --max-wait says so (overdue).
 */

#include <stdbool.h>

struct exec_plan {
	int splay_ms; /* a share of --splay, drawn by the caller; 0: none */
	int max_ms;   /* --max-wait; 0: for ever */

	long long since;    /* the first change that waits; 0: CALM */
	long long quiet_at; /* no change until then: the burst has ended */
};

/* What there is now @differs from what the command knows, or not. */
void exec_plan_change(struct exec_plan *plan, bool differs, long long now);

/* The command knows, or will. */
void exec_plan_forget(struct exec_plan *plan);

bool exec_plan_is_waiting(const struct exec_plan *plan);
bool exec_plan_is_due(const struct exec_plan *plan, long long now);
bool exec_plan_is_overdue(const struct exec_plan *plan, long long now);

/* The next moment at which one of these becomes true; 0: never. */
long long exec_plan_moment(const struct exec_plan *plan, long long now);

#endif
