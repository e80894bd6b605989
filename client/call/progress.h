#ifndef PROGRESS_H
#define PROGRESS_H

/*
 * Progress: who waits at a terminal for longer than a second is told so, by a
 * line on standard error that moves, and goes when the waiting is over.
 */

#include <stdbool.h>

struct progress {
	bool there; /* somebody looks on */
};

/* There may be one at a time: SIGALRM is theirs. */
void progress_begin(struct progress *progress);
void progress_end(struct progress *progress);

#endif
