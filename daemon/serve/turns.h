#ifndef SERVE_TURNS_H
#define SERVE_TURNS_H

/*
 * Turns: calls that take the daemon's own work, those with an environment and
 * long studies. One is at work at a time, off the loop; the next is one of the
 * user who has waited longest for a turn, so that a user who asks much waits
 * for himself.
 *
 * What fails at once is finished while it begins, so the next one begins from
 * the loop: else thousands that fail would call each other.
 *
 *   IDLE --turns_add--> AT WORK --turns_go_on, others wait--> DUE
 *     ^                  |   ^                               |  |
 *     +-- nobody waits --+   +------ turns_begin_next -------+  |
 *     +------------------------ the others have gone -----------+
 *
 * An errand that is no longer wanted while it is at work keeps its turn until
 * it is finished: to hang up is no way to have two.
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/list.h"

struct errand;

struct turns {
	uv_loop_t *loop;        /* for the studies among them */
	struct list waiting;    /* struct errand, in the order they came */
	struct errand *at_work; /* NULL: none */
	bool due;               /* the next one may begin */
	uint64_t serial;

	/* Work begins, with none before; it ends, with none after: the last
	 * thing that is done with the turns. */
	void (*on_begin)(struct turns *turns);
	void (*on_end)(struct turns *turns);

	/* turns_begin_next is to be called from the loop. */
	void (*on_due)(struct turns *turns);
};

void turns_init(struct turns *turns, uv_loop_t *loop);

/* Begin @errand when it is its turn, which may be at once. */
void turns_add(struct turns *turns, struct errand *errand);

/* What is at work is finished. */
void turns_go_on(struct turns *turns);

/* The next one, if it is due. */
void turns_begin_next(struct turns *turns);

#endif
