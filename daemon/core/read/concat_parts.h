#ifndef READ_CONCAT_PARTS_H
#define READ_CONCAT_PARTS_H

/*
 * Concat parts: the parts of one value, gathered word by word.
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

#define PARTS_FIRST 4 /* enough for most values */

struct concat_parts {
	struct concat_part *items;
	size_t count, cap;
	struct concat_part first[PARTS_FIRST];
};

void concat_parts_init(struct concat_parts *parts);

/* Add a part, which stands at the lexer's token. */
struct concat_part *concat_parts_add(struct hocon *hocon,
				     struct concat_parts *parts,
				     enum concat_part_kind kind);

/* Add a part of kind PART_VALUE. */
struct concat_part *concat_parts_add_value(struct hocon *hocon,
					   struct concat_parts *parts,
					   struct value *value);

/* The lexer's token, a text, string, number, true, false, null or
 * substitution, with the blanks after it. */
bool concat_parts_add_token(struct hocon *hocon, struct concat_parts *parts);

/* The value that @parts make together; without any it is the empty string, at
 * @offset. NULL when they do not fit. */
struct value *concat_parts_value(struct hocon *hocon,
				 struct concat_parts *parts, size_t offset);

#endif
