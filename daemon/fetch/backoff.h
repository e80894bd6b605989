#ifndef FETCH_BACKOFF_H
#define FETCH_BACKOFF_H

/*
 * When to ask again: a jittered interval while things go well, exponentially
 * longer ones while they do not. Pure arithmetic; randomness is an argument.
 */

#include <stdint.h>

struct backoff {
	uint64_t interval_ms; /* between successes */
	unsigned int jitter_percent;
	uint64_t first_ms, max_ms; /* after failures: first, 2 x first, ... */
	unsigned int failures;     /* in a row */
};

void backoff_succeeded(struct backoff *backoff);
void backoff_failed(struct backoff *backoff);

/* Milliseconds to wait. @random: any 32 bits. @asked_ms: what the server asked
 * for by Retry-After (0: nothing), honoured up to max_ms. */
uint64_t backoff_delay(const struct backoff *backoff, uint32_t random,
		       uint64_t asked_ms);

#endif
