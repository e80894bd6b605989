#ifndef FETCH_BACKOFF_H
#define FETCH_BACKOFF_H

/*
 * When to ask again: once an interval while things go well, at this host's
 * phase of it and jittered; exponentially longer waits while they do not. Pure
 * arithmetic; time and randomness are arguments.
 *
 * Before the first success the first wait after a failure is short: somebody is
 * waiting. After it, it is a quarter of an interval: a server in trouble must
 * not hear from a fleet many times more than on a good day.
 *
 * A fleet that failed together does not come back together: a wait after a
 * failure lies anywhere in the upper half of its step, one that the server asks
 * for is lengthened by the host's phase, and the first success leads back to
 * the phase.
 */

#include <stdbool.h>
#include <stdint.h>

/* The usual first_ms. */
#define BACKOFF_FIRST_MS 2000

struct backoff {
	uint64_t interval_ms;        /* between successes */
	unsigned int jitter_percent; /* of the interval, up and down */
	uint32_t phase;              /* of the interval, see fetch/poll_phase */
	uint64_t first_ms, max_ms;   /* after failures: first, 2 x first, ... */
	unsigned int failures;       /* in a row */
	bool settled;                /* there has been a success */
};

void backoff_succeeded(struct backoff *backoff);
void backoff_failed(struct backoff *backoff);

/* Milliseconds to wait from @now_ms (since 1970). @random: any 32 bits.
 * @asked_ms: what the server asked for by Retry-After (0: nothing), honoured up
 * to max_ms; phase and jitter only lengthen such a wait. */
uint64_t backoff_delay(const struct backoff *backoff, uint64_t now_ms,
		       uint32_t random, uint64_t asked_ms);

/* Milliseconds from @now_ms before the first question of who need not ask at
 * once: to the phase, of a minute if the interval is longer. */
uint64_t backoff_before_first(const struct backoff *backoff, uint64_t now_ms);

/* The longest wait there is, for what only time or people can mend. */
uint64_t backoff_longest(const struct backoff *backoff, uint32_t random);

/* 32 bits for the above. */
uint32_t backoff_random(void);

#endif
