#ifndef SERVE_STORAGE_H
#define SERVE_STORAGE_H

/*
 * ResolveStorage: the credentials that ClearML would use for a URI, from the
 * current snapshot and the daemon's own variables; with an environment of the
 * caller's by an errand, from a tree and variables that are his.
 */

#include <stdbool.h>

#include "base/str.h"

struct arena;
struct env;
struct out;
struct request;
struct secrets;
struct stack_docs;
struct value;

/* What is asked, of what. */
struct storage_inquiry {
	const struct stack_docs *docs; /* that @root was merged of */
	const struct value *root;
	const struct env *env;
	bool env_is_callers;
	const struct secrets *secrets;
	struct arena *arena; /* of what is made on the way */
	struct str uri;
	bool masked;
};

void storage_answer(struct request *request);

/* The reply. Called by any thread. */
void storage_write(struct out *out, const struct storage_inquiry *inquiry);

#endif
