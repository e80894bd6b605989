#ifndef LEAVES_H
#define LEAVES_H

/*
 * Leaves: a configuration as `watch` remembers it, each leaf's path and its
 * value as JSON, in the order of the paths. So that what has changed while no
 * daemon was there can be told when one is back.
 */

#include <stddef.h>

#include "base/str.h"

struct value;

struct leaf {
	char *path, *json;
};

struct leaves {
	struct leaf *items;
	size_t count;
};

/* Add all of @value, which stands at @prefix (the text of a path). */
void leaves_add(struct leaves *leaves, struct str prefix,
		const struct value *value);

/* The leaf at @path is @value; NULL: there is none any more. */
void leaves_set(struct leaves *leaves, struct str path,
		const struct value *value);

/* One difference, @old or @new NULL where there is none: removals first, then
 * the others, each in the order of their paths. */
typedef void (*leaves_change_fn)(void *data, const char *path, const char *old,
				 const char *new);
void leaves_compare(const struct leaves *old, const struct leaves *new,
		    leaves_change_fn on_change, void *data);

void leaves_deinit(struct leaves *leaves);

#endif
