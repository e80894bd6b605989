#include "config/place.h"

#include "base/arena.h"
#include "config/stack.h"
#include "read/doc.h"
#include "value/value.h"

static bool owns(const struct doc *doc, const struct value *value)
{
	return arena_owns(&doc->nodes, value) || arena_owns(&doc->arena, value);
}

static const struct stack_doc *owner_of(const struct stack_docs *docs,
					const struct value *value)
{
	for (size_t i = docs->count; i > 0; i--)
		if (owns(docs->items[i - 1].doc, value))
			return &docs->items[i - 1];
	return NULL;
}

bool place_find(struct place *place, const struct stack_docs *docs,
		const struct value *value)
{
	const struct stack_doc *owner = owner_of(docs, value);

	while (!owner && value_is(value, VALUE_OBJECT) && value->object.count) {
		value = value->object.members[0].value;
		owner = owner_of(docs, value);
	}
	if (!owner)
		return false;
	*place = (struct place){.kind = owner->kind, .offset = value->offset};
	if (value->source < owner->doc->source_count)
		place->source = owner->doc->sources[value->source];
	return true;
}
