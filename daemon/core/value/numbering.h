#ifndef VALUE_NUMBERING_H
#define VALUE_NUMBERING_H

/*
 * Numbering: the values of trees, each once, in the order in which a walk meets
 * them first; and what each would weigh if nothing were shared, so that whoever
 * reads a tree from bytes can refuse one that a walk would not come through.
 *
 * The trees must stay as they are while it lives.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct value;

struct numbered {
	struct value *value;
	uint64_t weight; /* about its bytes in memory; at most UINT64_MAX */
};

struct numbering {
	struct numbered *items;
	size_t count;
	uint32_t *slots; /* by address: 0, or 1 + the number */
	size_t slot_count;
};

#define NUMBERING_INIT ((struct numbering){0})

/* The values of @root that are new get the next numbers. Its weight. */
uint64_t numbering_add(struct numbering *numbering, struct value *root);

/* True with *@number set when @value has one. */
bool numbering_find(const struct numbering *numbering,
		    const struct value *value, size_t *number);

void numbering_deinit(struct numbering *numbering);

#endif
