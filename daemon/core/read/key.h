#ifndef READ_KEY_H
#define READ_KEY_H

/*
 * Keys and the paths of substitutions: text -> elements.
 *
 * ClearML cuts both by one odd scan (semantics.md, "Keys"): dots split, empty
 * elements vanish, quotes protect, and a handful of other characters split
 * too. What it cannot read but the HOCON specification can (a."b.c", other
 * alphabets, "") is read by the specification, as a departure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "value/path.h"

struct lexer;
struct reading;

#define KEY_FEW 4 /* parts of most keys */

struct key {
	struct path path; /* items may be few: do not copy the struct */
	struct str few[KEY_FEW];
	size_t offset;   /* where the key begins */
	struct str text; /* as ClearML looks it up, for += */
};

/* key := quoted | number | word; the lexer stands at it. */
bool key_read(struct lexer *lexer, struct key *key);

/* Is @text one element as it stands? */
bool key_is_plain(struct str text);

/* Cut @text by ClearML's scan; false when it has too many elements. Elements
 * lie in @text, the items in the arena. */
bool key_cut(struct reading *reading, struct str text, struct path *path);

#endif
