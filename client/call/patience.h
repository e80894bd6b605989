#ifndef PATIENCE_H
#define PATIENCE_H

/*
 * Patience: who waits at a terminal for longer than a second is told so, by a
 * line on standard error that moves, and goes when the waiting is over.
 */

#include <stdbool.h>

struct patience {
	bool there; /* somebody looks on */
};

/* One at a time: SIGALRM is theirs. */
void patience_begin(struct patience *patience);
void patience_end(struct patience *patience);

#endif
