#include "config/known.h"

#include <string.h>

#include "base/mem.h"

#define STEPS_A_BYTE 32
#define STEPS_MORE   4096
#define ROOT         0

/* The bytes of a node follow those of its parent. */
struct known_node {
	uint32_t parent;
	uint32_t first, len; /* in known->bytes; the root has none */
	bool ends;           /* a secret ends with them */
};

/* --- edges ------------------------------------------------------------------
 */

static unsigned char first_byte(const struct known *known, uint32_t node)
{
	return (unsigned char)known->bytes[known->nodes[node].first];
}

/* The slot where the edge is, or belongs. */
static uint32_t *edge_of(const struct known *known, uint32_t parent,
			 unsigned char byte)
{
	const unsigned char key[] = {
		byte, (unsigned char)parent, (unsigned char)(parent >> 8),
		(unsigned char)(parent >> 16), (unsigned char)(parent >> 24)};
	uint32_t mask = known->edge_cap - 1;
	uint32_t at = str_hash((struct str){(const char *)key, sizeof(key)});

	for (;; at++) {
		uint32_t *edge = &known->edges[at & mask];

		if (!*edge || (known->nodes[*edge].parent == parent &&
			       first_byte(known, *edge) == byte))
			return edge;
	}
}

static uint32_t child_of(const struct known *known, uint32_t parent, char byte)
{
	if (parent == ROOT)
		return known->begins[(unsigned char)byte];
	return *edge_of(known, parent, (unsigned char)byte);
}

static void link_node(struct known *known, uint32_t node)
{
	uint32_t parent = known->nodes[node].parent;
	unsigned char byte = first_byte(known, node);

	if (parent == ROOT)
		known->begins[byte] = node;
	else
		*edge_of(known, parent, byte) = node;
}

/* --- room -------------------------------------------------------------------
 */

/* The table has room for at least twice as many edges as there are nodes. */
static void grow_nodes(struct known *known)
{
	known->node_cap = known->node_cap ? known->node_cap * 2 : 64;
	known->nodes =
		mem_grow(known->nodes, known->node_cap * sizeof(*known->nodes));
	known->edge_cap = known->node_cap * 2;
	mem_free(known->edges);
	known->edges = mem_alloc(known->edge_cap * sizeof(*known->edges));
	for (uint32_t node = 1; node < known->node_count; node++)
		link_node(known, node);
}

static uint32_t new_node(struct known *known, struct known_node node)
{
	if (known->node_count == known->node_cap)
		grow_nodes(known);
	known->nodes[known->node_count] = node;
	return known->node_count++;
}

static uint32_t add_bytes(struct known *known, struct str text)
{
	uint32_t first = known->byte_count;

	while (known->byte_cap - first < text.len) {
		known->byte_cap = known->byte_cap ? known->byte_cap * 2 : 256;
		known->bytes = mem_grow(known->bytes, known->byte_cap);
	}
	memcpy(known->bytes + first, text.ptr, text.len);
	known->byte_count += (uint32_t)text.len;
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

static uint32_t common_bytes(const struct known *known, uint32_t node,
			     struct str text)
{
	const char *bytes = known->bytes + known->nodes[node].first;
	uint32_t n = 0;

	while (n < known->nodes[node].len && n < text.len &&
	       bytes[n] == text.ptr[n])
		n++;
	return n;
}

/* One node further down; false when @text leads to none. */
static bool descend(const struct known *known, struct str text,
		    struct place *place)
{
	struct str rest = str_from_offset(text, place->depth);
	uint32_t child;

	if (!rest.len || place->within < known->nodes[place->node].len)
		return false;
	child = child_of(known, place->node, rest.ptr[0]);
	if (!child)
		return false;
	place->node = child;
	place->within = common_bytes(known, child, rest);
	place->depth += place->within;
	return true;
}

static bool is_at_end(const struct known *known, const struct place *place)
{
	const struct known_node *node = &known->nodes[place->node];

	return node->ends && place->within == node->len;
}

static struct place find(const struct known *known, struct str text)
{
	struct place place = {.node = ROOT};

	while (descend(known, text, &place))
		;
	return place;
}

bool known_has(const struct known *known, struct str secret)
{
	struct place place;

	if (!known->count)
		return false;
	place = find(known, secret);
	return place.depth == secret.len && is_at_end(known, &place);
}

uint64_t known_budget(size_t bytes)
{
	return (uint64_t)bytes * STEPS_A_BYTE + STEPS_MORE;
}

size_t known_at(const struct known *known, struct str text, uint64_t *budget)
{
	struct place place = {.node = ROOT};
	size_t longest = 0;

	if (!known->count)
		return 0;
	while (descend(known, text, &place))
		if (is_at_end(known, &place))
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
static void split(struct known *known, struct place *place)
{
	struct known_node upper = known->nodes[place->node];
	uint32_t middle;

	upper.len = place->within;
	upper.ends = false;
	middle = new_node(known, upper);
	link_node(known, middle); /* in the place of the other, till now */
	known->nodes[place->node].parent = middle;
	known->nodes[place->node].first += place->within;
	known->nodes[place->node].len -= place->within;
	link_node(known, place->node);
	place->node = middle;
}

static uint32_t add_leaf(struct known *known, uint32_t parent, struct str rest)
{
	uint32_t first = add_bytes(known, rest);
	uint32_t leaf =
		new_node(known, (struct known_node){.parent = parent,
						    .first = first,
						    .len = (uint32_t)rest.len});

	link_node(known, leaf);
	return leaf;
}

bool known_add(struct known *known, struct str secret)
{
	struct place place;

	if (secret.len > KNOWN_BYTES_MAX - known->byte_count)
		return false;
	if (!known->node_count)
		(void)new_node(known, (struct known_node){.parent = ROOT});
	place = find(known, secret);
	if (place.within < known->nodes[place.node].len)
		split(known, &place);
	if (place.depth < secret.len)
		place.node = add_leaf(known, place.node,
				      str_from_offset(secret, place.depth));
	known->count += !known->nodes[place.node].ends;
	known->nodes[place.node].ends = true;
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

void known_copy(struct known *copy, const struct known *known)
{
	*copy = *known;
	copy->nodes =
		copy_of(known->nodes, known->node_cap * sizeof(*known->nodes));
	copy->edges =
		copy_of(known->edges, known->edge_cap * sizeof(*known->edges));
	copy->bytes = copy_of(known->bytes, known->byte_cap);
}

void known_deinit(struct known *known)
{
	mem_free(known->nodes);
	mem_free(known->edges);
	mem_free(known->bytes);
	*known = (struct known){0};
}
