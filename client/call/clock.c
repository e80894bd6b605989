#include "call/clock.h"

#include <limits.h>
#include <time.h>

long long clock_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

int clock_until(long long moment)
{
	long long left;

	if (!moment)
		return -1;
	left = moment - clock_now();
	if (left < 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

void clock_sleep(int milliseconds)
{
	struct timespec pause = {milliseconds / 1000,
				 milliseconds % 1000 * 1000000L};

	(void)nanosleep(&pause, NULL);
}
