#ifndef DAEMON_TURN_CLOCK_H
#define DAEMON_TURN_CLOCK_H

/*
 * Turn clock: how long the longest turn of the loop took, which is how long
 * everybody has had to wait at worst.
 *
 * A turn lasts from the moment poll(2) says what there is to do until the loop
 * polls again; sleep does not count. By the clock on the wall a turn also holds
 * what others took from the processor; by that of the thread only its own work,
 * but not what it waited for. The first is exact to a millisecond or two, which
 * is what the loop's own clock is; the second may count up to a millisecond of
 * turns before it, and so costs next to nothing.
 *
 * The recent figure is of the last five to ten minutes.
 */

#include <stdint.h>
#include <uv.h>

struct turn_times {
	uint64_t wall_ns, cpu_ns;
};

struct turn_clock {
	uv_check_t check;
	uv_prepare_t prepare;
	uint64_t polled_ns;            /* when the turn began; 0: none has */
	uint64_t looked_ns;            /* at the thread's clock last */
	uint64_t cpu_ns;               /* what it said */
	uint64_t period;               /* that `now` is of */
	struct turn_times all;         /* since the start */
	struct turn_times now, before; /* in this period, in the one before */
};

void turn_clock_init(struct turn_clock *clock, uv_loop_t *loop);

/* Closes its handles, and is gone when the loop has seen to that. */
void turn_clock_deinit(struct turn_clock *clock);

struct turn_times turn_clock_longest(const struct turn_clock *clock);
struct turn_times turn_clock_recent(const struct turn_clock *clock);

#endif
