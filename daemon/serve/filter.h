#ifndef SERVE_FILTER_H
#define SERVE_FILTER_H

/*
 * Filter: the paths that a watcher asked for, as it wrote them.
 *
 * Watchers with the same paths share one filter, so that what is said to one
 * can be said to all of them. NULL is the filter that lets everything pass.
 */

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/str.h"
#include "value/path.h"

struct buf;
struct changes;
struct secrets;
struct snapshot;

#define FILTER_PATHS_MAX 256

enum {
	FILTER_E_INVALID = 1, /* a path; the error says which and why */
	FILTER_E_TOO_MANY,
};

struct filter {
	struct list link; /* in the list it was interned in */
	unsigned int refs;
	uint32_t hash;
	size_t count;
	struct str paths[]; /* no two the same */
};

struct filter_error {
	struct str path;
	struct path_error why;
};

/* The filter of @paths (strings) among @filters, made when it is new; a
 * reference of the caller's. NULL for NULL. 0 or FILTER_E_*. */
int filter_intern(struct list *filters, json_t *paths, struct filter **filter,
		  struct filter_error *error);

struct filter *filter_ref(struct filter *filter); /* takes NULL */
struct filter *filter_unref(struct filter *filter);

/* What differs from @old to @new at the paths of @filter, in order. */
void filter_diff(const struct filter *filter, const struct snapshot *old,
		 const struct snapshot *new, struct changes *changes);

/* What stands at the paths of @filter, which is not NULL, as an object keyed
 * by them. */
void filter_write_values(const struct filter *filter, struct snapshot *snapshot,
			 const struct secrets *mask, struct buf *out);

#endif
