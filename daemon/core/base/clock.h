#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/*
 * The boot clock: goes on while the machine sleeps, and nobody can set it. For
 * ages and limits; the wall clock is for people and for what outlives us. It
 * may be set, long after a moment too, so that a moment is kept by the boot
 * clock and told by the wall clock as that is now.
 */

#include <stdint.h>
#include <time.h>

static inline int64_t clock_boot_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* That moment in seconds since 1970. */
static inline int64_t clock_wall_of(int64_t boot_ms)
{
	const int64_t second = 1000000000;
	struct timespec boot, wall;

	(void)clock_gettime(CLOCK_BOOTTIME, &boot);
	(void)clock_gettime(CLOCK_REALTIME, &wall);
	return ((wall.tv_sec - boot.tv_sec) * second + wall.tv_nsec -
		boot.tv_nsec + boot_ms * 1000000) /
	       second;
}

static inline int64_t clock_wall_s(void)
{
	return clock_wall_of(clock_boot_ms());
}

/* The moment @wall_s of an earlier process, which may be before the boot. A
 * wall clock that was set back makes nothing younger than now. */
static inline int64_t clock_boot_of(int64_t wall_s)
{
	int64_t now_ms = clock_boot_ms();
	int64_t age_s = clock_wall_of(now_ms) - wall_s;

	return now_ms - (age_s > 0 ? age_s * 1000 : 0);
}

#endif
