#ifndef EXEC_HOLD_H
#define EXEC_HOLD_H

/*
 * A process held still by SIGSTOP, to be looked at before it is decided about.
 *
 * Should we be killed meanwhile, a guard beside us lets it go on; and it does
 * when we do not come back in time. The guard is a helper of exec_child.h.
 */

#include <stdbool.h>
#include <sys/types.h>

struct exec_helper;

struct exec_hold {
	pid_t pid; /* 0: nothing is held */
	int alive; /* our end of the guard's pipe; -1: none */
};

#define EXEC_HOLD_INIT ((struct exec_hold){.alive = -1})

/* False, and nothing is held, when there can be no guard. */
bool exec_hold_take(struct exec_hold *hold, pid_t pid,
		    struct exec_helper *guard);

/* Does it stand still by now? */
bool exec_hold_stands(const struct exec_hold *hold);

/* It goes on; does nothing when nothing is held. */
void exec_hold_release(struct exec_hold *hold);

#endif
