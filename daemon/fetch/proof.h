#ifndef FETCH_PROOF_H
#define FETCH_PROOF_H

/*
 * Proof: when a key pair is to be proved next, by a login. A token goes on
 * working for as long as it lives, up to 30 days after its key was revoked; so
 * the server is asked about the key itself once an interval.
 *
 * The first time after a login is at this host's phase of the interval, so that
 * a fleet that started together does not log in together; those after it come
 * up to a jitter earlier than an interval. Never later: what was revoked is
 * told within one interval. Pure arithmetic: time and randomness are arguments,
 * of any clock that goes on.
 *
 *   NEVER --proof_made--> PLANNED --time, proof_demand--> DUE --proof_made--+
 *                            ^                                              |
 *                            +----------------------------------------------+
 */

#include <stdbool.h>
#include <stdint.h>

struct proof {
	uint64_t interval_ms; /* 0: only on demand */
	unsigned int jitter_percent;
	uint32_t phase; /* of this host in each interval: fetch/poll_phase */
	bool planned;
	bool demanded;
	int64_t due_ms; /* if planned */
};

#define PROOF_NEVER UINT64_MAX

/* The key has been proved at @now_ms, which is @wall_ms since 1970. @random:
 * any 32 bits. */
void proof_made(struct proof *proof, int64_t now_ms, uint64_t wall_ms,
		uint32_t random);

/* Somebody wants a proof now. */
void proof_demand(struct proof *proof);

/* Milliseconds until it is due; PROOF_NEVER: nothing is planned. */
uint64_t proof_left(const struct proof *proof, int64_t now_ms);

#endif
