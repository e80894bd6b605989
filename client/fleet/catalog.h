#ifndef FLEET_CATALOG_H
#define FLEET_CATALOG_H

/*
 * Catalog: the documents that etcd holds for the fleet, each with the revision
 * it is of and the rollout that is under way, and what of it a host should
 * have.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

struct host;
struct plan_tally;
struct rollout;

struct catalog_entry {
	struct str name;
	int64_t revision;         /* 0: there is a rollout alone */
	int64_t rollout_revision; /* of its key; 0: there is none */
	struct rollout *rollout;  /* NULL: none, or nobody understands it */
};

struct catalog {
	struct arena arena;
	struct catalog_entry *items; /* in the order of their names */
	size_t count;
};

void catalog_deinit(struct catalog *catalog);

/* Add what stands at @name, the key without the prefix; keys in their order.
 * @value: of a rollout, else nobody looks at it. */
void catalog_add(struct catalog *catalog, struct str name, int64_t revision,
		 struct str value);

/* NULL: there is no such document. */
const struct catalog_entry *catalog_find(const struct catalog *catalog,
					 struct str name);

/* Is the document @name for @host? */
bool catalog_is_for(struct str name, const struct host *host);

/* What @host lacks, in one line in *why, the arena's; NULL: nothing. */
const char *catalog_gap(const struct catalog *catalog, const struct host *host,
			struct arena *arena);

/* Count @host, for which the document @name is, into the tally of its rollout.
 */
void catalog_tally(const struct catalog_entry *entry, const struct host *host,
		   struct plan_tally *tally);

#endif
