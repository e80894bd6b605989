#ifndef DAEMON_KEEP_H
#define DAEMON_KEEP_H

/*
 * Keep: how long a workspace serves vaults that its server does not stand by at
 * the moment.
 *
 * A bad day may last for the stale limit, counted from the last good answer; a
 * refusal of the credentials for the grace, counted from the first of them.
 * Both by the boot clock; what was before this process, by the wall clock. Pure
 * arithmetic: the time is an argument, in milliseconds of the boot clock.
 *
 *   NOTHING --good answer, cache--> KEPT --keep_lapse--> NOTHING
 */

#include <stdbool.h>
#include <stdint.h>

struct keep_limits {
	int64_t stale_ms, grace_ms; /* 0 stale: no limit */
};

enum keep_lapse { KEEP_ON, KEEP_STALE, KEEP_REVOKED };

struct keep {
	bool kept;       /* there is something to serve */
	int64_t good_at; /* of the last good answer; may be negative */
	bool refused;
	int64_t refused_at; /* since when */
};

/* An answer that said what the vaults are; @vaults: there are some, or none. */
void keep_answered(struct keep *keep, int64_t now);

/* The server refuses the credentials, maybe not for the first time. */
void keep_refused(struct keep *keep, int64_t now);

/* What an earlier process kept: @good_s and @refused_s (0: not refused) in
 * seconds since 1970, as is @wall_s, now. */
void keep_restore(struct keep *keep, int64_t now, int64_t wall_s,
		  int64_t good_s, int64_t refused_s);

/* Is it over? Then nothing is kept any more. */
enum keep_lapse keep_lapse(struct keep *keep, const struct keep_limits *limits,
			   int64_t now);

/* Milliseconds until it may be over; -1: nothing is kept, or without end. */
int64_t keep_left(const struct keep *keep, const struct keep_limits *limits,
		  int64_t now);

/* Age in milliseconds of what is kept; -1: nothing is. */
int64_t keep_age(const struct keep *keep, int64_t now);

#endif
