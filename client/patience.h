#ifndef PATIENCE_H
#define PATIENCE_H

/*
 * Waiting for a daemon that was there and is gone: longer and longer between
 * tries, and told once. A zeroed struct has not waited yet.
 */

struct patience {
	int pause_ms;
};

/* The daemon is there: begin anew next time. */
void patience_reset(struct patience *patience);

/* Sleep until the next try; the first time say that the daemon is gone and
 * @meanwhile. */
void patience_wait(struct patience *patience, const char *meanwhile);

void patience_sleep(int milliseconds);

#endif
