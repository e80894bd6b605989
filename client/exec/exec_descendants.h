#ifndef EXEC_DESCENDANTS_H
#define EXEC_DESCENDANTS_H

/*
 * The processes below this one: the command that `exec` runs, and all that it
 * started. As a subreaper we are handed those whose parent has ended, so that
 * nobody gets out of sight.
 */

#include <stddef.h>
#include <sys/types.h>

#include "base/proc.h"

/* Our own helpers, a process each at most. */
enum exec_place { PLACE_GUARD, PLACE_IDLE_TEST, PLACE_CHECK, EXEC_HELPERS };

struct exec_descendants {
	struct proc *list; /* the eldest first */
	size_t count;
};

/* List all that live; a zombie does when its parent is not us: who waits for it
 * has not heard of its end yet. Left out are the processes @apart, our own
 * helpers (0: none), and what is below them. */
void exec_descendants_list(struct exec_descendants *descendants,
			   const pid_t apart[EXEC_HELPERS]);
void exec_descendants_deinit(struct exec_descendants *descendants);

#endif
