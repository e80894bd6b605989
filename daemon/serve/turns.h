#ifndef SERVE_TURNS_H
#define SERVE_TURNS_H

/*
 * Turns: calls that take the daemon's own work, those with an environment and
 * long studies. One is at work at a time, off the loop; the next is one of the
 * user who has waited longest for a turn, so that a user who asks much waits
 * for himself.
 *
 * An errand that is no longer wanted while it is at work keeps its turn until
 * it is finished: to hang up is no way to have two.
 */

#include <stdint.h>
#include <uv.h>

#include "base/list.h"

struct errand;

struct turns {
	uv_loop_t *loop;        /* for the studies among them */
	struct list waiting;    /* struct errand, in the order they came */
	struct errand *at_work; /* NULL: none */
	uint64_t serial;

	/* Work begins, with none before; it ends, with none after. The last
	 * thing that is done with the turns each time. */
	void (*on_begin)(struct turns *turns);
	void (*on_end)(struct turns *turns);
};

void turns_init(struct turns *turns, uv_loop_t *loop);

/* Begin @errand when it is its turn, which may be at once. */
void turns_add(struct turns *turns, struct errand *errand);

/* What is at work is finished: the next one. */
void turns_go_on(struct turns *turns);

#endif
