#ifndef VALUE_PATH_H
#define VALUE_PATH_H

/*
 * Paths as clearconf(1) has them: keys joined by '.', a key that holds a dot
 * or another special character as a JSON string (a."b.c"), digits naming a
 * list element (or a key of an object). The empty path is the root.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

struct arena;
struct value;

#define PATH_ELEMENTS_MAX 1024

struct path {
	struct str *items;
	size_t count;
};

struct path_error {
	size_t offset; /* in bytes */
	const char *reason;
};

/* @path and what it points to lie in @arena or in @text. */
bool path_parse(struct path *path, struct arena *arena, struct str text,
		struct path_error *error);

/* What stands at @path; NULL when nothing does. */
const struct value *path_find(const struct value *root,
			      const struct path *path);

/* Append one more key to the text of a path. */
void path_add_key(struct buf *text, struct str key);

/* Is @a the path @b, or that of an ancestor? */
bool path_covers(const struct path *a, const struct path *b);

#endif
