#ifndef DAEMON_GENERATION_H
#define DAEMON_GENERATION_H

/*
 * Generation: the one counter of a daemon, which only grows, also over
 * restarts and kill -9.
 *
 * A ceiling 1,000 ahead is on disk before any number below it is used, so a
 * restart begins at the ceiling. Without a writable state folder, or with a
 * file that makes no sense, it begins at the wall clock in milliseconds.
 */

#include <stdbool.h>
#include <stdint.h>

struct generation {
	char *state_dir; /* NULL: not kept */
	uint64_t last, ceiling;
	bool failing; /* the last ceiling could not be written */
};

void generation_init(struct generation *generation, const char *state_dir);
void generation_deinit(struct generation *generation);

/* The next number. Every thousandth writes a file of twenty bytes; failing
 * that, the counter jumps to the wall clock. */
uint64_t generation_next(struct generation *generation);

#endif
