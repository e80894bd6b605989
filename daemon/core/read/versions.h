#ifndef READ_VERSIONS_H
#define READ_VERSIONS_H

/*
 * What a key of the root held, one value after the other: a reference to the
 * key within its own value means the value before (semantics.md, "The order").
 *
 * They are kept only of keys that are referred to so, from the first such value
 * on; all others are merged in place. When such a key has held others before,
 * the text is read again, with the key known from the start.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct reading;
struct value;

/* The substitutions from number @first on come to the key @key of the root
 * @root; or to any key of it that they lead to, when that is empty. */
void versions_note(struct reading *reading, const struct value *root,
		   size_t first, struct str key);

/* Is @object the root, and are @key's values kept? */
bool versions_are_kept(const struct reading *reading,
		       const struct value *object, struct str key);

void versions_add(struct reading *reading, struct str key, struct value *value);

/* To be called before the text is read again. */
void versions_start_over(struct reading *reading);

/* A list of values, oldest first; NULL: not kept. */
struct value *versions_of(const struct reading *reading, struct str key);

#endif
