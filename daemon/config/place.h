#ifndef CONFIG_PLACE_H
#define CONFIG_PLACE_H

/*
 * Place: which document a value of a merged tree comes from, and where it was
 * written there.
 *
 * Nothing is stored for it: merging shares the documents' values, and a value
 * lies in the arena of the document that made it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "config/layer.h"

struct diag;
struct source;
struct stack_docs;
struct value;

struct place {
	enum layer_kind kind;
	struct source
		*source; /* NULL: no text says it, the daemon derived it */
	size_t offset;   /* of the source's text */
};

/* False when @value is of none of @docs. Of an object that several documents
 * have a say in it is the place of the first thing in it. */
bool place_find(struct place *place, const struct stack_docs *docs,
		const struct value *value);

#endif
