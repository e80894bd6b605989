#ifndef CONFIG_SECRET_TRIE_H
#define CONFIG_SECRET_TRIE_H

/*
 * Secret trie: a set of known secrets, to be found inside other strings.
 *
 * It is a radix tree. A secret is added at the cost of its own length, and
 * looking for all of them at some place of a text takes as many steps as that
 * place looks like one of them: it does not matter how many there are. Who
 * chooses both secrets and text can make each place look alike for long; so a
 * search has a budget of steps for the whole text (secret_trie_budget).
 *
 * The set owns copies, wiped at the end; a zeroed struct is an empty one.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Bytes of all secrets of a set together. */
#define SECRET_TRIE_BYTES_MAX (16u << 20)

struct secret_trie {
	struct secret_trie_node *nodes; /* the first is the root */
	uint32_t begins[256];           /* the root's edges, by byte; 0: none */
	uint32_t *edges; /* of others, by parent and byte; 0: free */
	char *bytes;     /* what the nodes add to their parents */
	uint32_t node_count, node_cap, edge_cap, byte_count, byte_cap;
	size_t count; /* of secrets */
};

/* Adding a secret again changes nothing. False when there is no room for it. */
bool secret_trie_add(struct secret_trie *trie, struct str secret);

bool secret_trie_has(const struct secret_trie *trie, struct str secret);

/* Does any secret begin with @byte? Of most places of a text it is all that has
 * to be asked. */
static inline bool secret_trie_may_begin(const struct secret_trie *trie,
					 char byte)
{
	return trie->begins[(unsigned char)byte] != 0;
}

/* The steps that a search through a text of @bytes may take. */
uint64_t secret_trie_budget(size_t bytes);

/* Bytes of the longest of the secrets that @text begins with; 0: none does.
 * With no *budget left it is all of @text, which cannot be told from one. */
size_t secret_trie_at(const struct secret_trie *trie, struct str text,
		      uint64_t *budget);

void secret_trie_copy(struct secret_trie *copy, const struct secret_trie *trie);
void secret_trie_deinit(struct secret_trie *trie);

#endif
