#ifndef CONFIG_PROJECTION_H
#define CONFIG_PROJECTION_H

/*
 * Projection: which of a stack's documents somebody wants to see the merge of.
 *
 *   served   all of them: the resolved configuration
 *   merged   all, the vaults' without what is locked (lock.h): what a ClearML
 *            program reads as its whole file, its own vault reading off
 *   live     the files and the workspace alone: what a ClearML program reads
 *            as its file and lays variables and vaults over itself
 *
 * The derived documents (agent.h) are among them already: what is not locked
 * is the same in `served` and `merged`.
 */

#include <stdbool.h>

#include "base/str.h"
#include "config/layer.h"

struct arena;
struct locks;
struct stack_docs;
struct value;

enum projection {
	PROJECTION_SERVED,
	PROJECTION_MERGED,
	PROJECTION_LIVE,
	PROJECTIONS
};

/* By the names of Get's `view`; absent ({NULL, 0}): served. False when there is
 * no such. */
bool projection_from_name(struct str name, enum projection *projection);

/* The layers below this one are all it takes. */
enum layer_kind projection_below(enum projection projection);

/* Is it the same for all programs as `served`, as no vault touches a lock? */
bool projection_is_served(enum projection projection,
			  const struct stack_docs *docs,
			  const struct locks *locks);

/* The merge of what @projection shows of @docs, which shares their values; NULL
 * when there is no document. */
struct value *projection_merge(enum projection projection,
			       const struct stack_docs *docs,
			       const struct locks *locks, struct arena *arena);

#endif
