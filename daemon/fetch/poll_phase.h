#ifndef FETCH_POLL_PHASE_H
#define FETCH_POLL_PHASE_H

/*
 * Poll phase: where in each interval a host asks, so that a fleet asks evenly
 * and not all at once. It is a fraction of the interval, in 2^32ths.
 *
 * Intervals count from 1970 by the wall clock, which is all that a fleet has in
 * common; so hosts keep apart whatever happened to them at the same moment: a
 * power cut, an outage of the server, a roll-out. A clock that is wrong only
 * moves its host.
 */

#include <stdint.h>

#include "base/str.h"

/* What tells hosts apart, and the workspaces of a host. The machine id alone
 * does not: containers of one image may share it. */
struct poll_phase_id {
	struct str machine, host, workspace;
};

uint32_t poll_phase_of(const struct poll_phase_id *id);

/* The phase of @workspace on this host. */
uint32_t poll_phase_here(const char *workspace);

/* The part of @range that @phase is. */
uint64_t poll_phase_part(uint32_t phase, uint64_t range);

/* Milliseconds from @now_ms (since 1970) to the next moment of @phase, less
 * than @interval_ms. */
uint64_t poll_phase_until(uint32_t phase, uint64_t interval_ms,
			  uint64_t now_ms);

/* The time in milliseconds since 1970. */
uint64_t poll_phase_now(void);

#endif
