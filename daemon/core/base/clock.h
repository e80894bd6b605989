#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/*
 * The boot clock: goes on while the machine sleeps, and nobody can set it. For
 * ages and limits; the wall clock is for people and for what outlives us.
 */

#include <stdint.h>
#include <time.h>

static inline int64_t clock_boot_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

#endif
