#ifndef STATE_GENERATION_H
#define STATE_GENERATION_H

/*
 * Generation: the one counter of a daemon, which only grows, also over
 * restarts and kill -9.
 *
 * A ceiling 1,000 ahead is on disk before any number below it is used, so a
 * restart begins at the ceiling. The next one is written on the thread pool
 * when half of them are used up. Without a writable state folder, or with a
 * file that makes no sense, it begins at the wall clock in milliseconds.
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct generation_ahead;

struct generation {
	uv_loop_t *loop;
	char *state_dir; /* NULL: not kept */
	uint64_t last, ceiling;
	struct generation_ahead *ahead; /* the next ones; NULL: not asked for */
	bool failing; /* the last ceiling could not be written */
};

void generation_init(struct generation *generation, uv_loop_t *loop,
		     const char *state_dir);

/* To be called when the loop has ended, which a write may keep going. */
void generation_deinit(struct generation *generation);

/* The next number. It blocks on the disk for the first one, and for one that
 * comes before the write ahead has ended or after it has failed; failing once
 * more, the counter jumps to the wall clock. */
uint64_t generation_next(struct generation *generation);

#endif
