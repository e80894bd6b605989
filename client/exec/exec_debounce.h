#ifndef EXEC_DEBOUNCE_H
#define EXEC_DEBOUNCE_H

/*
 * When the command is told that the configuration has changed. Pure: moments
 * of clock.h go in and come out.
 *
 *	       differs          quiet, and its share of --splay
 *	CALM ----------> WAITING ------------------------------> due
 *	  ^                 |                                     |
 *	  +-- as it was ----+------- exec_debounce_forget ---------+
 *
 * A burst of changes that does not end is acted on all the same, and so is
 * work that does not end, where --max-wait says so (overdue).
 */

#include <stdbool.h>

struct exec_debounce {
	int splay_ms; /* a share of --splay, drawn by the caller; 0: none */
	int max_ms;   /* --max-wait; 0: for ever */

	long long since;    /* the first change that waits; 0: CALM */
	long long quiet_at; /* no change until then: the burst has ended */
};

/* What there is now @differs from what the command knows, or not. */
void exec_debounce_change(struct exec_debounce *debounce, bool differs,
			  long long now);

/* Forget the change: the command knows of it, or will. */
void exec_debounce_forget(struct exec_debounce *debounce);

bool exec_debounce_is_due(const struct exec_debounce *debounce, long long now);
bool exec_debounce_is_overdue(const struct exec_debounce *debounce,
			      long long now);

/* The next moment at which one of these becomes true; 0: never. */
long long exec_debounce_moment(const struct exec_debounce *debounce,
			       long long now);

#endif
