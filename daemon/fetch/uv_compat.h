#ifndef FETCH_UV_COMPAT_H
#define FETCH_UV_COMPAT_H

/*
 * What libuv has not had for long enough. Each is named as there, and dated by
 * the release that brought it: whoever raises the minimum (1.34, README)
 * deletes what is older.
 */

#include <uv.h>

/* 1.40, September 2020: Ubuntu 20.04 has 1.34. */
#if UV_VERSION_HEX < ((1 << 16) | (40 << 8))
static inline uint64_t uv_timer_get_due_in(const uv_timer_t *timer)
{
	uint64_t now = uv_now(timer->loop);

	return timer->timeout > now ? timer->timeout - now : 0;
}
#endif

#endif
