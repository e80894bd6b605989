#ifndef READ_PIECES_H
#define READ_PIECES_H

/*
 * Pieces: the parts of one value, gathered word by word.
 *
 * The first few lie in the struct, which is the production's that reads the
 * value; what they come to is a plain value, or a delayed one when a
 * substitution is among them.
 */

#include <stdbool.h>
#include <stddef.h>

#include "read/tree.h"

struct hocon;
struct value;

#define PIECES_FIRST 4 /* enough for most values */

struct pieces {
	struct piece *items;
	size_t count, cap;
	struct piece first[PIECES_FIRST];
};

void pieces_init(struct pieces *pieces);

/* One more, which stands at the lexer's token. */
struct piece *pieces_add(struct hocon *hocon, struct pieces *pieces,
			 enum piece_kind kind);

/* The same of kind PIECE_VALUE. */
struct piece *pieces_add_value(struct hocon *hocon, struct pieces *pieces,
			       struct value *value);

/* The lexer's token, a text, string, number, true, false, null or
 * substitution, with the blanks after it. */
bool pieces_add_token(struct hocon *hocon, struct pieces *pieces);

/* The value that @pieces are; one without any is the empty string, at
 * @offset. NULL when they do not fit. */
struct value *pieces_value(struct hocon *hocon, struct pieces *pieces,
			   size_t offset);

#endif
