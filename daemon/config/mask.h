#ifndef CONFIG_MASK_H
#define CONFIG_MASK_H

/*
 * Masks: texts and trees as they are shown to a peer without the right
 * `secrets`.
 *
 * The masked view of a tree is a tree: whatever is secret in it is the string
 * "****" in place of the original, everything else is shared. Replies, watches
 * and diffs need no second way. Masked are what secret_rules.h says of a key or
 * a shape, and what secrets.h has seen, wherever it comes up again.
 */

#include <stdbool.h>

#include "base/str.h"

struct arena;
struct buf;
struct path;
struct secrets;
struct value;

#define SECRET_MASK "****"

/* Append @text to @out as it may be shown; true when something is hidden. */
bool mask_into(const struct secrets *secrets, struct str text, struct buf *out);

/* The same of the text of a path. */
void mask_path_into(const struct secrets *secrets, struct str path,
		    struct buf *out);

/* @text, of somebody else, as it may be shown; the caller's. */
char *mask_text(const struct secrets *secrets, const char *text);

/* In a document that somebody had read with variables of his own, mark what
 * they brought as known to him: it is hidden by its key only, wherever it
 * lands, or he could try what is a secret. @twin is the same document read with
 * other values of them. Where what else a text holds is to be hidden, all of it
 * is. */
void mask_mark_foreign(const struct secrets *secrets, struct value *root,
		       const struct value *twin);

/* @root as it may be shown; @root itself when there is nothing to hide. The
 * shape stays: members and elements are at the same places. */
struct value *mask_tree(const struct secrets *secrets, struct arena *arena,
			struct value *root);

/* What stands at @path of @root, as it may be shown; NULL when nothing does. */
struct value *mask_at(const struct secrets *secrets, struct arena *arena,
		      const struct value *root, const struct path *path);

#endif
