#ifndef FLEET_PLAN_H
#define FLEET_PLAN_H

/*
 * Plan: how a document reaches the fleet: to which shares of it, one after the
 * other, and what ends it early. Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct buf;

#define PLAN_STAGES_MAX 32

/* What the hosts of a stage say. */
struct plan_tally {
	int64_t reached; /* by the stage, as far as is known */
	int64_t taken;   /* of them: it is served there */
	int64_t broken;  /* refused, or taken and found bad */
	int64_t behind;  /* of them: neither yet */
	int64_t offline; /* of them: nothing is heard of them */
};

struct plan_limit {
	size_t of; /* offset in struct plan_tally */
	int64_t most;
};

struct plan {
	unsigned int shares[PLAN_STAGES_MAX]; /* of SHARE_WHOLE, rising */
	size_t stages;
	struct plan_limit limits[3]; /* one a kind */
	size_t limit_count;
};

/* "1%,10%,100%". NULL, or what is wrong with it, static. */
const char *plan_set_stages(struct plan *plan, struct str text);

/* One more, in ten-thousandths. False: it does not rise, or is the 33rd. */
bool plan_add_stage(struct plan *plan, int64_t share);

/* "broken>0,behind>5". NULL, or what is wrong with it, static. */
const char *plan_set_limits(struct plan *plan, struct str text);

/* Is one of the limits passed? @over: the stage had its time, so that who is
 * behind counts. Appends which to @why: "3 hosts are broken, and the limit is
 * 0". */
bool plan_is_exceeded(const struct plan *plan, const struct plan_tally *tally,
		      bool over, struct buf *why);

/* "12.5%" */
void plan_add_share(struct buf *out, unsigned int share);

#endif
