#ifndef VALUE_TREE_CODEC_H
#define VALUE_TREE_CODEC_H

/*
 * Trees <-> packed bytes, with the place where each value was written.
 *
 * A value that the numbering knows, of this tree or of one before, is written
 * as its number, and read as the very same value: which document's it is stays
 * as it was. Texts that lie in a source are written as where they lie. The
 * order of members stays.
 *
 * Grammar, all numbers packed (base/pack.h); places and slices count from where
 * the last of them ended:
 *
 *	value  := AGAIN number | tag [source] place body
 *	body   := bool: in the tag | int, string: text | real: 8 bytes
 *	        | list: count value* | object: count key* value*
 *	key    := 2 * length + is-slice, then start or bytes
 *	text   := length, then start or bytes; which of them is in the tag
 */

#include <stddef.h>

#include "base/buf.h"
#include "base/pack.h"

struct arena;
struct numbering;
struct source;
struct value;

/* What a tree that is read weighs at most (numbering.h), were nothing shared.
 */
#define TREE_WEIGHT_MAX ((uint64_t)1 << 28)

/* The document whose tree it is. */
struct tree_home {
	struct source *const *sources; /* of its values */
	size_t source_count;           /* 0: the places lead nowhere */
	struct arena *arena, *nodes;   /* where a tree that is read comes to */
	struct arena *shared; /* of others, some of which may be in the tree;
			       * NULL: there is none */
};

/* Append @root, and number its values. */
void tree_pack(struct buf *out, struct numbering *numbering,
	       const struct tree_home *home, struct value *root);

/* The next tree, its values numbered. NULL, and @in has failed: it is damaged,
 * or too much. */
struct value *tree_unpack(struct unpack *in, struct numbering *numbering,
			  const struct tree_home *home);

#endif
