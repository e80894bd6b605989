#ifndef SERVE_SNAPSHOT_QUERY_H
#define SERVE_SNAPSHOT_QUERY_H

/*
 * Questions about snapshots: Explain, History and Diff. A short one is answered
 * at once. A long one is a job (offload.h), which pins the snapshots that it is
 * about.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena;
struct out;
struct request;
struct secrets;
struct snapshot;
struct view;

struct snapshot_query {
	struct str path;               /* of Explain; it is known to be one */
	size_t generations;            /* of History */
	int64_t old, new;              /* generations of Diff; -1: none */
	const struct secrets *secrets; /* what is masked; NULL: nothing */
	struct str members;            /* more of the reply, of Explain */

	/* What it is about. */
	struct snapshot **snapshots;
	size_t count;
	uint64_t missing, oldest; /* generations: the one that is not there,
				   * and the first that is; Diff's */

	/* Put at most two into `snapshots`; NULL: the current one and those
	 * before it, as many as `generations`. */
	void (*find)(struct snapshot_query *query, const struct view *view);

	/* Write the reply. Called by any thread: it must touch nothing but its
	 * arguments, and take no references. */
	void (*write)(struct out *out, const struct snapshot_query *query);
};

/* Look up what @query is about; the list lies in @arena. How many bytes all
 * that has. */
size_t snapshot_query_gather(struct snapshot_query *query,
			     const struct view *view, struct arena *arena);

/* Answer @query, whose contents are borrowed, now or (@is_long) later. */
void snapshot_query_answer(struct request *request,
			   const struct snapshot_query *query, bool is_long);

#endif
