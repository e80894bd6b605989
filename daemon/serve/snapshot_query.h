#ifndef SERVE_SNAPSHOT_QUERY_H
#define SERVE_SNAPSHOT_QUERY_H

/*
 * Questions about snapshots, Explain and History. A short one is answered at
 * once. A long one is a job (offload.h), which pins the snapshots that it is
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
	const struct secrets *secrets; /* what is masked; NULL: nothing */
	struct str members;            /* more of the reply, of Explain */

	/* What it is about: the current one, those before it for History. */
	struct snapshot **snapshots;
	size_t count; /* at least 1 */

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
