#ifndef FLEET_ROLLOUT_STEP_H
#define FLEET_ROLLOUT_STEP_H

/*
 * Steps of rollouts: what people and time do to them. Each is one transaction
 * against what was looked at; when another one was faster, that counts.
 */

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct catalog_entry;
struct fleet;
struct store;

/* Do what is due for the rollout of @entry, and append what was done to @said
 * as lines. An exit status, complained about; *running: there is more to be
 * done some day, in *left seconds at the earliest. */
struct rollout_prospect {
	bool running, stopped;
	int64_t left;
};

int rollout_step(struct buf *said, struct store *store,
		 const struct fleet *fleet, const struct catalog_entry *entry,
		 struct rollout_prospect *prospect);

/* What a person wants of the rollout of the document @name. Exit statuses,
 * complained about; what was done is printed. */
int rollout_stop(struct store *store, const char *name, const char *reason);
int rollout_resume(struct store *store, const char *name, const char *limits);
int rollout_finish(struct store *store, const char *name);
int rollout_revert(struct store *store, const char *name);

#endif
