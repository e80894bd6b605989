#ifndef FETCH_BUCKET_H
#define FETCH_BUCKET_H

/*
 * Bucket: the most calls that one server gets from this daemon, whatever goes
 * wrong in here. It holds a minute's worth of calls and refills at that rate.
 *
 * Sixty a minute: a login and two feeds each for a dozen workspaces of one
 * server, and a profile page on top, find a full bucket enough; a person who
 * types commands cannot empty it. A loop gone wild is left with one call a
 * second. Whoever is going to ask more often than that by its settings says so
 * beforehand (http_reserve), so that no settings make polling wait.
 *
 * Pure arithmetic: the time is an argument, of any clock that only goes on.
 */

#include <stdbool.h>
#include <stdint.h>

#define BUCKET_PER_MINUTE 60

struct bucket {
	unsigned int per_minute;
	uint64_t spent; /* at_ms: in parts of a call, BUCKET_CALL to one */
	uint64_t at_ms;
};

#define BUCKET_CALL UINT64_C(60000)
#define BUCKET_INIT ((struct bucket){.per_minute = BUCKET_PER_MINUTE})

/* Take one call out; false: there is none. */
bool bucket_take(struct bucket *bucket, uint64_t now_ms);

/* Milliseconds until there is a call in it. */
uint64_t bucket_wait(struct bucket *bucket, uint64_t now_ms);

/* Has nothing been taken lately? */
bool bucket_is_full(struct bucket *bucket, uint64_t now_ms);

#endif
