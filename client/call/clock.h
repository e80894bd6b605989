#ifndef CLOCK_H
#define CLOCK_H

/*
 * Moments of a clock that only goes forward, in milliseconds, for loops that
 * wait for the first of several. 0 stands for never.
 */

long long clock_now(void);

/* The time limit for poll(2): milliseconds until @moment, -1 when that is
 * never. */
int clock_until(long long moment);

void clock_sleep(int milliseconds);

static inline int clock_is_past(long long moment)
{
	return moment && clock_now() >= moment;
}

/* The earlier of two moments. */
static inline long long clock_first(long long a, long long b)
{
	if (!a || !b)
		return a ? a : b;
	return a < b ? a : b;
}

#endif
