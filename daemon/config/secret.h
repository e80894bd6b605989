#ifndef CONFIG_SECRET_H
#define CONFIG_SECRET_H

/*
 * What must not be shown to a peer without the right `secrets`.
 *
 * The masked view of a tree is a tree: whatever is secret in it is the string
 * "****" at the place of the original, everything else is shared. So replies,
 * watches, and diffs need no second code path. INTERFACE.md "Masking" is the
 * rule: by key, by a known secret inside other strings, in URLs.
 */

#include <stdbool.h>

#include "base/str.h"

struct arena;
struct value;
struct secret_set;

#define SECRET_MASK "****"

/* Secrets to find inside other strings: the values of eight characters or more
 * under secret keys. */
struct secret_set *secret_set_new(void);
void secret_set_free(struct secret_set *set);
void secret_set_add_tree(struct secret_set *set, const struct value *root);

/* Does the key say that its value is secret? @parent_secret: everything below
 * is (`environment`). */
bool secret_key(struct str key);

/* @root with its secrets masked; @root itself when there are none. */
struct value *secret_mask(struct arena *arena, struct value *root,
			  const struct secret_set *set);

#endif
