#ifndef FETCH_VERDICTS_H
#define FETCH_VERDICTS_H

/*
 * Verdicts: the revisions of vaults that somebody has called bad, each a key of
 * etcd's (fleet.md, "A bad revision"). That the key is there is the verdict;
 * what its value says is for people, and may be anything.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct buf;

/* Of the name of a revision, as `clearconf change` tells it, and a NUL. */
#define VERDICT_REVISION_SIZE 13

struct verdict {
	char revision[VERDICT_REVISION_SIZE];
	char *said; /* "bad, said alice@admin-1: reason" */
};

struct verdicts {
	struct verdict *items;
	size_t count;
};

void verdicts_deinit(struct verdicts *verdicts);

/* Is @text the name of a revision? */
bool verdict_is_revision(struct str text);

/* Is @name, a key without the prefix, that of a verdict? *revision: on what. */
bool verdict_of_name(struct str name, struct str *revision);
char *verdict_name(const char *revision); /* the caller's */

/* NULL: nobody has called it bad. */
const struct verdict *verdicts_find(const struct verdicts *verdicts,
				    struct str revision);

/* Put one, or, where @json has no pointer, drop it. True when that is news. */
bool verdicts_set(struct verdicts *verdicts, struct str revision,
		  struct str json);

/* What is to stand at the key. @reason NULL: none is given. */
void verdict_write(struct buf *json, const char *by, const char *reason,
		   int64_t time);

#endif
