#ifndef EXEC_FREEZE_H
#define EXEC_FREEZE_H

/*
 * A process held still by SIGSTOP, to be looked at before it is decided about.
 *
 * Should we be killed meanwhile, a guard beside us lets it go on; and it does
 * when we do not come back in time. The guard is a helper of exec_child.h.
 */

#include <stdbool.h>
#include <sys/types.h>

struct exec_helper;

struct exec_freeze {
	pid_t pid; /* 0: nothing is held */
	int alive; /* our end of the guard's pipe; -1: none */
};

#define EXEC_FREEZE_INIT ((struct exec_freeze){.alive = -1})

/* False, and nothing is held, when there can be no guard. */
bool exec_freeze_begin(struct exec_freeze *freeze, pid_t pid,
		       struct exec_helper *guard);

/* Does it stand still by now? */
bool exec_freeze_is_stopped(const struct exec_freeze *freeze);

/* Let it go on; does nothing when nothing is held. */
void exec_freeze_end(struct exec_freeze *freeze);

#endif
