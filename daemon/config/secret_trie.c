#include "config/secret_trie.h"

#include <string.h>

#include "base/mem.h"

#define STEPS_A_BYTE 32
#define STEPS_MORE   4096
#define ROOT         0

/* The bytes of a node follow those of its parent. */
struct secret_trie_node {
	uint32_t parent;
	uint32_t first, len; /* in trie->bytes; the root has none */
	bool ends;           /* a secret ends with them */
};

/* --- edges ------------------------------------------------------------------
 */

static unsigned char first_byte(const struct secret_trie *trie, uint32_t node)
{
	return (unsigned char)trie->bytes[trie->nodes[node].first];
}

/* The slot where the edge is, or belongs. */
static uint32_t *edge_of(const struct secret_trie *trie, uint32_t parent,
			 unsigned char byte)
{
	const unsigned char key[] = {
		byte, (unsigned char)parent, (unsigned char)(parent >> 8),
		(unsigned char)(parent >> 16), (unsigned char)(parent >> 24)};
	uint32_t mask = trie->edge_cap - 1;
	uint32_t at = str_hash((struct str){(const char *)key, sizeof(key)});

	for (;; at++) {
		uint32_t *edge = &trie->edges[at & mask];

		if (!*edge || (trie->nodes[*edge].parent == parent &&
			       first_byte(trie, *edge) == byte))
			return edge;
	}
}

static uint32_t child_of(const struct secret_trie *trie, uint32_t parent,
			 char byte)
{
	if (parent == ROOT)
		return trie->begins[(unsigned char)byte];
	return *edge_of(trie, parent, (unsigned char)byte);
}

static void link_node(struct secret_trie *trie, uint32_t node)
{
	uint32_t parent = trie->nodes[node].parent;
	unsigned char byte = first_byte(trie, node);

	if (parent == ROOT)
		trie->begins[byte] = node;
	else
		*edge_of(trie, parent, byte) = node;
}

/* --- room -------------------------------------------------------------------
 */

/* The table has room for at least twice as many edges as there are nodes. */
static void grow_nodes(struct secret_trie *trie)
{
	trie->node_cap = trie->node_cap ? trie->node_cap * 2 : 64;
	trie->nodes =
		mem_grow(trie->nodes, trie->node_cap * sizeof(*trie->nodes));
	trie->edge_cap = trie->node_cap * 2;
	mem_free(trie->edges);
	trie->edges = mem_alloc(trie->edge_cap * sizeof(*trie->edges));
	for (uint32_t node = 1; node < trie->node_count; node++)
		link_node(trie, node);
}

static uint32_t new_node(struct secret_trie *trie, struct secret_trie_node node)
{
	if (trie->node_count == trie->node_cap)
		grow_nodes(trie);
	trie->nodes[trie->node_count] = node;
	return trie->node_count++;
}

static uint32_t add_bytes(struct secret_trie *trie, struct str text)
{
	uint32_t first = trie->byte_count;

	while (trie->byte_cap - first < text.len) {
		trie->byte_cap = trie->byte_cap ? trie->byte_cap * 2 : 256;
		trie->bytes = mem_grow(trie->bytes, trie->byte_cap);
	}
	memcpy(trie->bytes + first, text.ptr, text.len);
	trie->byte_count += (uint32_t)text.len;
	return first;
}

/* --- walking -----------------------------------------------------------------
 */

/* As far as a text and the tree are the same: @node, and @within bytes of it.
 */
struct place {
	uint32_t node, within;
	size_t depth; /* bytes of the text */
};

static uint32_t common_bytes(const struct secret_trie *trie, uint32_t node,
			     struct str text)
{
	const char *bytes = trie->bytes + trie->nodes[node].first;
	uint32_t n = 0;

	while (n < trie->nodes[node].len && n < text.len &&
	       bytes[n] == text.ptr[n])
		n++;
	return n;
}

/* One node further down; false when @text leads to none. */
static bool descend(const struct secret_trie *trie, struct str text,
		    struct place *place)
{
	struct str rest = str_from_offset(text, place->depth);
	uint32_t child;

	if (!rest.len || place->within < trie->nodes[place->node].len)
		return false;
	child = child_of(trie, place->node, rest.ptr[0]);
	if (!child)
		return false;
	place->node = child;
	place->within = common_bytes(trie, child, rest);
	place->depth += place->within;
	return true;
}

static bool is_at_end(const struct secret_trie *trie, const struct place *place)
{
	const struct secret_trie_node *node = &trie->nodes[place->node];

	return node->ends && place->within == node->len;
}

static struct place find(const struct secret_trie *trie, struct str text)
{
	struct place place = {.node = ROOT};

	while (descend(trie, text, &place))
		;
	return place;
}

bool secret_trie_has(const struct secret_trie *trie, struct str secret)
{
	struct place place;

	if (!trie->count)
		return false;
	place = find(trie, secret);
	return place.depth == secret.len && is_at_end(trie, &place);
}

uint64_t secret_trie_budget(size_t bytes)
{
	return (uint64_t)bytes * STEPS_A_BYTE + STEPS_MORE;
}

size_t secret_trie_at(const struct secret_trie *trie, struct str text,
		      uint64_t *budget)
{
	struct place place = {.node = ROOT};
	size_t longest = 0;

	if (!trie->count)
		return 0;
	while (descend(trie, text, &place))
		if (is_at_end(trie, &place))
			longest = place.depth;
	if (place.depth >= *budget) {
		*budget = 0;
		return text.len;
	}
	*budget -= place.depth;
	return longest;
}

/* --- adding -----------------------------------------------------------------
 */

/* Split the edge: the bytes that are the same get a node of their own. */
static void split(struct secret_trie *trie, struct place *place)
{
	struct secret_trie_node upper = trie->nodes[place->node];
	uint32_t middle;

	upper.len = place->within;
	upper.ends = false;
	middle = new_node(trie, upper);
	link_node(trie, middle); /* in the place of the other, till now */
	trie->nodes[place->node].parent = middle;
	trie->nodes[place->node].first += place->within;
	trie->nodes[place->node].len -= place->within;
	link_node(trie, place->node);
	place->node = middle;
}

static uint32_t add_leaf(struct secret_trie *trie, uint32_t parent,
			 struct str rest)
{
	uint32_t first = add_bytes(trie, rest);
	uint32_t leaf = new_node(
		trie, (struct secret_trie_node){.parent = parent,
						.first = first,
						.len = (uint32_t)rest.len});

	link_node(trie, leaf);
	return leaf;
}

bool secret_trie_add(struct secret_trie *trie, struct str secret)
{
	struct place place;

	if (secret.len > SECRET_TRIE_BYTES_MAX - trie->byte_count)
		return false;
	if (!trie->node_count)
		(void)new_node(trie, (struct secret_trie_node){.parent = ROOT});
	place = find(trie, secret);
	if (place.within < trie->nodes[place.node].len)
		split(trie, &place);
	if (place.depth < secret.len)
		place.node = add_leaf(trie, place.node,
				      str_from_offset(secret, place.depth));
	trie->count += !trie->nodes[place.node].ends;
	trie->nodes[place.node].ends = true;
	return true;
}

/* --- the whole ---------------------------------------------------------------
 */

static void *copy_of(const void *block, size_t size)
{
	void *copy = size ? mem_alloc(size) : NULL;

	if (size)
		memcpy(copy, block, size);
	return copy;
}

void secret_trie_copy(struct secret_trie *copy, const struct secret_trie *trie)
{
	*copy = *trie;
	copy->nodes =
		copy_of(trie->nodes, trie->node_cap * sizeof(*trie->nodes));
	copy->edges =
		copy_of(trie->edges, trie->edge_cap * sizeof(*trie->edges));
	copy->bytes = copy_of(trie->bytes, trie->byte_cap);
}

void secret_trie_deinit(struct secret_trie *trie)
{
	mem_free(trie->nodes);
	mem_free(trie->edges);
	mem_free(trie->bytes);
	*trie = (struct secret_trie){0};
}
