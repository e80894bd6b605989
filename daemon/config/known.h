#ifndef CONFIG_KNOWN_H
#define CONFIG_KNOWN_H

/*
 * Known secrets: a set of strings, to be found inside other strings.
 *
 * It is a radix tree. A secret is added at the cost of its own length, and
 * looking for all of them at some place of a text takes as many steps as that
 * place looks like one of them: it does not matter how many there are. Who
 * chooses both secrets and text can make each place look alike for long; so a
 * search has a budget of steps for the whole text (known_budget).
 *
 * The set owns copies, wiped at the end; a zeroed struct is an empty one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Bytes of all secrets of a set together. */
#define KNOWN_BYTES_MAX (16u << 20)

struct known {
	struct known_node *nodes; /* the first is the root */
	uint32_t begins[256];     /* the root's edges, by byte; 0: none */
	uint32_t *edges;          /* of others, by parent and byte; 0: free */
	char *bytes;              /* what the nodes add to their parents */
	uint32_t node_count, node_cap, edge_cap, byte_count, byte_cap;
	size_t count; /* of secrets */
};

/* Adding a secret again changes nothing. False when there is no room for it. */
bool known_add(struct known *known, struct str secret);

bool known_has(const struct known *known, struct str secret);

/* Does any secret begin with @byte? Of most places of a text it is all that has
 * to be asked. */
static inline bool known_may_begin(const struct known *known, char byte)
{
	return known->begins[(unsigned char)byte] != 0;
}

/* The steps that a search through a text of @bytes may take. */
uint64_t known_budget(size_t bytes);

/* Bytes of the longest of the secrets that @text begins with; 0: none does.
 * With no *budget left it is all of @text, which cannot be told from one. */
size_t known_at(const struct known *known, struct str text, uint64_t *budget);

void known_copy(struct known *copy, const struct known *known);
void known_deinit(struct known *known);

#endif
