#include "value/numbering.h"

#include "base/mem.h"
#include "value/value.h"

#define FIRST_SLOTS 64

/* The lowest bits of an address say little. */
static size_t place_of(const struct numbering *numbering,
		       const struct value *value)
{
	uint64_t mixed =
		(uint64_t)(uintptr_t)value * UINT64_C(0x9E3779B97F4A7C15);

	return (size_t)(mixed >> 32) & (numbering->slot_count - 1);
}

/* Where @value is, or would be. */
static uint32_t *slot_of(const struct numbering *numbering,
			 const struct value *value)
{
	size_t at = place_of(numbering, value);

	while (numbering->slots[at] &&
	       numbering->items[numbering->slots[at] - 1].value != value)
		at = (at + 1) & (numbering->slot_count - 1);
	return &numbering->slots[at];
}

/* At most half of the slots are taken. */
static void make_slots(struct numbering *numbering)
{
	size_t count = numbering->slot_count;

	if (count >= 2 * (numbering->count + 1))
		return;
	numbering->slot_count = count ? 2 * count : FIRST_SLOTS;
	mem_free(numbering->slots);
	numbering->slots = mem_alloc(numbering->slot_count * sizeof(uint32_t));
	for (size_t i = 0; i < numbering->count; i++)
		*slot_of(numbering, numbering->items[i].value) =
			(uint32_t)i + 1;
}

static size_t append(struct numbering *numbering, struct value *value)
{
	make_slots(numbering);
	numbering->items = mem_room(numbering->items, numbering->count,
				    sizeof(struct numbered));
	numbering->items[numbering->count] = (struct numbered){value, 0};
	*slot_of(numbering, value) = (uint32_t)++numbering->count;
	return numbering->count - 1;
}

static uint64_t plus(uint64_t a, uint64_t b)
{
	return a + b < a ? UINT64_MAX : a + b;
}

static uint64_t add_children(struct numbering *numbering,
			     const struct value *value)
{
	uint64_t weight = sizeof(*value);
	struct member *m;

	switch (value->type) {
	case VALUE_INT:
	case VALUE_STRING: return weight + value->text.len;
	case VALUE_LIST:
		for (uint32_t i = 0; i < value->list.count; i++)
			weight = plus(
				weight,
				numbering_add(numbering, value->list.items[i]));
		return weight;
	case VALUE_OBJECT:
		for (value_each (value, m))
			weight = plus(weight + sizeof(*m) + m->key_len,
				      numbering_add(numbering, m->value));
		return weight;
	default: return weight;
	}
}

/* Recursion is bounded by the depth that readers accept. */
uint64_t numbering_add(struct numbering *numbering, struct value *root)
{
	size_t number;
	uint64_t weight;

	if (numbering_find(numbering, root, &number))
		return numbering->items[number].weight;
	number = append(numbering, root);
	weight = add_children(numbering, root);
	numbering->items[number].weight = weight;
	return weight;
}

bool numbering_find(const struct numbering *numbering,
		    const struct value *value, size_t *number)
{
	uint32_t found = numbering->slot_count ? *slot_of(numbering, value) : 0;

	*number = found ? found - 1 : 0;
	return found != 0;
}

void numbering_deinit(struct numbering *numbering)
{
	mem_free(numbering->items);
	mem_free(numbering->slots);
	*numbering = NUMBERING_INIT;
}
