#include "fetch/backoff.h"

#include <limits.h>
#include <sys/random.h>

#include "fetch/poll_phase.h"

#define BEFORE_FIRST_MAX 60000

void backoff_succeeded(struct backoff *backoff)
{
	backoff->failures = 0;
	backoff->settled = true;
}

void backoff_failed(struct backoff *backoff)
{
	if (backoff->failures < UINT_MAX)
		backoff->failures++;
}

/* A @random part of @range, both ends included. */
static uint64_t part(uint64_t range, uint32_t random)
{
	return (uint64_t)(((unsigned __int128)range + 1) * random >> 32);
}

static uint64_t percent(const struct backoff *backoff, uint64_t ms)
{
	return ms / 100 * backoff->jitter_percent;
}

static uint64_t first_step(const struct backoff *backoff)
{
	uint64_t quarter = backoff->settled ? backoff->interval_ms / 4 : 0;

	return quarter > backoff->first_ms ? quarter : backoff->first_ms;
}

/* First, twice the first, four times, ... but never more than the longest. */
static uint64_t step(const struct backoff *backoff)
{
	uint64_t ms = first_step(backoff);

	for (unsigned int i = 1; i < backoff->failures; i++) {
		if (ms >= backoff->max_ms / 2)
			return backoff->max_ms;
		ms *= 2;
	}
	return ms < backoff->max_ms ? ms : backoff->max_ms;
}

static uint64_t after_failure(const struct backoff *backoff, uint32_t random)
{
	uint64_t ms = step(backoff);

	return ms - part(ms / 2, random);
}

/* To the moment of our phase that is nearest to an interval from now, a jitter
 * before or after it. The jitter is not carried on to the next one. */
static uint64_t after_success(const struct backoff *backoff, uint64_t now_ms,
			      uint32_t random)
{
	uint64_t interval = backoff->interval_ms, half = interval / 2;
	uint64_t jitter = percent(backoff, interval);
	uint64_t wait =
		half + part(2 * jitter, random) +
		poll_phase_until(backoff->phase, interval, now_ms + half);

	return wait > jitter + interval / 4 ? wait - jitter : interval / 4;
}

/* As the server asks: not a moment earlier. It may ask all of a fleet at the
 * same moment: they come back over as long again, or over an interval. */
static uint64_t as_asked(const struct backoff *backoff, uint32_t random,
			 uint64_t ms)
{
	uint64_t spread;

	if (ms > backoff->max_ms)
		ms = backoff->max_ms;
	spread = ms < backoff->interval_ms ? ms : backoff->interval_ms;
	return ms + poll_phase_part(backoff->phase, spread) +
	       part(percent(backoff, ms), random);
}

uint64_t backoff_delay(const struct backoff *backoff, uint64_t now_ms,
		       uint32_t random, uint64_t asked_ms)
{
	uint64_t own = backoff->failures
			       ? after_failure(backoff, random)
			       : after_success(backoff, now_ms, random);
	uint64_t asked = as_asked(backoff, random, asked_ms);

	return own > asked ? own : asked;
}

uint64_t backoff_before_first(const struct backoff *backoff, uint64_t now_ms)
{
	uint64_t interval = backoff->interval_ms < BEFORE_FIRST_MAX
				    ? backoff->interval_ms
				    : BEFORE_FIRST_MAX;

	return poll_phase_until(backoff->phase, interval, now_ms);
}

uint64_t backoff_longest(const struct backoff *backoff, uint32_t random)
{
	uint64_t ms = backoff->max_ms > backoff->interval_ms
			      ? backoff->max_ms
			      : backoff->interval_ms;

	return ms + part(percent(backoff, ms), random);
}

/* Where the kernel has none to give the waits merely lose their jitter. */
uint32_t backoff_random(void)
{
	uint32_t random;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return UINT32_MAX / 2;
	return random;
}
