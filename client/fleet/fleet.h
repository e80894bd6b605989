#ifndef FLEET_FLEET_H
#define FLEET_FLEET_H

/*
 * Fleet: all hosts as they report, beside the documents that they should have,
 * and what is made of that: which of them are well, and what the others lack.
 *
 * It owns everything that it was given. Filled host by host and key by key,
 * then judged as a whole, as often as wanted.
 */

#include "base/arena.h"
#include "fetch/verdicts.h"
#include "fleet/catalog.h"
#include "fleet/host.h"

struct fleet {
	struct arena arena;   /* what hosts say */
	struct arena reasons; /* what is made of it, until the next time */
	struct host *hosts;   /* in the order of their names, once judged */
	size_t count;
	struct catalog catalog;
	struct verdicts verdicts; /* on revisions of vaults */
	int64_t now;              /* seconds since 1970, by etcd's clock */
};

void fleet_deinit(struct fleet *fleet);

/* The host @name, added when it is new; its report is still to be read. Valid
 * until the next one is added. */
struct host *fleet_add(struct fleet *fleet, struct str name);

/* NULL: there is none. Once it is judged. */
struct host *fleet_find(const struct fleet *fleet, struct str name);

/* Say of every host how it stands, and why. */
void fleet_judge(struct fleet *fleet);

/* --- hosts that are alike --------------------------------------------------
 */

/* Hosts of one state, digest and reason. */
struct fleet_row {
	const struct host *const *hosts;
	size_t count;
	int64_t since; /* the earliest of them; -1: none is known */
};

struct fleet_rows {
	const struct host **hosts; /* grouped */
	struct fleet_row *items;   /* what to look at first comes first */
	size_t count;
};

void fleet_rows_make(struct fleet_rows *rows, const struct fleet *fleet);
void fleet_rows_deinit(struct fleet_rows *rows);

/* What the hosts say of the rollout of @entry, which has one. */
struct plan_tally fleet_tally(const struct fleet *fleet,
			      const struct catalog_entry *entry);

#endif
