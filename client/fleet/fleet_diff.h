#ifndef FLEET_FLEET_DIFF_H
#define FLEET_FLEET_DIFF_H

/*
 * In what two hosts differ: documents, and paths as far as their reports have
 * digests of them. Never a value: a report holds none.
 */

#include <stdbool.h>

struct buf;
struct store;

struct fleet_pair {
	const char *one, *other;
	bool json;
};

/* An exit status, complained about. */
int fleet_diff(struct buf *out, struct store *store,
	       const struct fleet_pair *pair);

#endif
