#ifndef VALUE_DIFF_H
#define VALUE_DIFF_H

/*
 * What differs between two trees, leaf by leaf.
 *
 * Objects are descended; a list is a leaf, and so is an empty object. Removals
 * come first, then additions and changes, each in the order of their paths
 * (bytewise). Subtrees at the same address are skipped whole, so the cost
 * follows the change and not the configuration.
 */

#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"

struct value;

enum change_kind { CHANGE_REMOVED, CHANGE_ADDED, CHANGE_CHANGED };

struct change {
	struct str path; /* text, as value/path.h writes it */
	enum change_kind kind;
	const struct value *old, *new; /* NULL: none */
};

struct changes {
	struct arena arena; /* paths and items; the values are the trees' */
	struct change *items;
	size_t count, cap;
};

#define CHANGES_INIT ((struct changes){0})

/* The kind as the interface calls it: "removed", "added", "changed". */
const char *change_kind_name(enum change_kind kind);

/* From @old to @new, which stand at @prefix (the text of a path, "" for the
 * root); either may be NULL. Appends; call changes_sort when all are in. */
void diff_add(struct changes *changes, struct str prefix,
	      const struct value *old, const struct value *new);

/* Put the changes into their order and drop repetitions of one path. */
void changes_sort(struct changes *changes);

void changes_deinit(struct changes *changes);

#endif
