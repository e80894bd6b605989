#ifndef FLEET_ROLLOUT_H
#define FLEET_ROLLOUT_H

/*
 * Rollout: a document on its way to the fleet, as its key in etcd tells it.
 *
 * Hosts look at text, share, id and state (daemon/doc/fleet.md); the rest is
 * for whoever steps it: nothing of a rollout is anywhere but in its key, so who
 * steps it may die, and another go on.
 *
 *   RUNNING --time, nothing wrong--> RUNNING at the next share --> (finished)
 *      |  ^                                                           gone: the
 *  limit  resume                                                      document
 *      v  |                                                           is put
 *   STOPPED --revert--> (gone: the document is as it was)
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "fleet/plan.h"

struct buf;

enum rollout_state { ROLLOUT_RUNNING, ROLLOUT_STOPPED };

struct rollout {
	struct arena arena; /* what the texts lie in */
	struct str text, id;
	enum rollout_state state;
	struct str why; /* it was stopped; empty: it was not */
	struct str by, reason;
	struct str put;    /* an id: no two writes have the same */
	struct str limits; /* of the plan, as typed */
	struct plan plan;
	size_t stage;    /* of the plan */
	int64_t started; /* seconds since 1970, as all times */
	int64_t stepped; /* when the stage began */
	int64_t every;   /* seconds: how long a stage lasts */
	int64_t of;      /* revision of the document; 0: it was not there */
};

/* "running", "stopped" */
const char *rollout_state_name(enum rollout_state state);

void rollout_deinit(struct rollout *rollout);

/* False: it is none of ours, and nobody can step it. */
bool rollout_parse(struct rollout *rollout, struct str json);
void rollout_write(struct buf *json, const struct rollout *rollout);

enum rollout_verdict {
	ROLLOUT_REST, /* it is stopped, or at its last share, short of all */
	ROLLOUT_WAIT, /* for the end of the stage */
	ROLLOUT_NEXT, /* it may go on to the next stage */
	ROLLOUT_END,  /* all have it: the document may take its place */
	ROLLOUT_STOP, /* a limit is passed */
};

/* What is to be done at @now; *why, when it is to be stopped. */
enum rollout_verdict rollout_judge(const struct rollout *rollout,
				   const struct plan_tally *tally, int64_t now,
				   struct buf *why);

/* Seconds until the stage is over; 0: it is. */
int64_t rollout_left(const struct rollout *rollout, int64_t now);

static inline unsigned int rollout_share(const struct rollout *rollout)
{
	return rollout->plan.shares[rollout->stage];
}

#endif
