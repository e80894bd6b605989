#ifndef EXEC_RESTART_H
#define EXEC_RESTART_H

/*
 * What a change of the configuration does to the command: nothing, a signal, a
 * restart at once, or a restart when it has nothing at work. The daemon is told
 * what runs, and of a restart that is pending.
 *
 * A change that is taken back before the command heard of it was none.
 */

#include <stdbool.h>

#include "base/buf.h"
#include "exec/exec_debounce.h"
#include "exec/exec_drain.h"

struct exec_check;
struct exec_child;
struct exec_reporter;
struct exec_policy;

struct exec_restart {
	const struct exec_policy *policy;
	struct exec_child *child;
	struct exec_reporter *reporter;
	struct buf now, known; /* what there is, and what the command knows */
	struct exec_debounce debounce;
	struct exec_drain drain;
	long long generation;       /* of what there is */
	long long child_generation; /* of what the command knows */
	long long pending_since;    /* seconds since 1970; 0: nothing waits */
	const struct exec_check *check; /* of what is to come */
	long long known_at; /* since when the command knows that; see clock.h */
	bool told;          /* people, of what is waited for */
	bool over;          /* no restart any more */
};

void exec_restart_deinit(struct exec_restart *restarter);

/* @facts are what there is to know of the configuration now. */
void exec_restart_see(struct exec_restart *restarter, struct str facts);

/* The command has been started with what there is. */
void exec_restart_started(struct exec_restart *restarter);

/* The command has left with @status, and nobody had asked for that: if it was
 * not long after it got what it knew, the daemon is told. */
void exec_restart_left(struct exec_restart *restarter, int status);

/* The end of the command was asked for: restart it no more. */
void exec_restart_cancel(struct exec_restart *restarter);

/* Go on, after a poll. */
void exec_restart_step(struct exec_restart *restarter);
long long exec_restart_moment(const struct exec_restart *restarter);

#endif
