#include "read/tree.h"

#include "read/reading.h"

struct value *tree_new_delayed(struct reading *reading, size_t source,
			       size_t offset)
{
	struct value *value =
		reading_value(reading, VALUE_DELAYED, source, offset);

	value->reader = arena_alloc(reading->arena, sizeof(struct delayed));
	return value;
}

struct delayed *tree_innermost(const struct value *value)
{
	struct delayed *delayed = tree_delayed(value);

	while (delayed->added_object)
		delayed = tree_delayed(delayed->earlier);
	return delayed;
}

bool tree_waits_for_others(const struct value *value)
{
	const struct delayed *delayed;

	while (tree_is_delayed(value)) {
		delayed = tree_delayed(value);
		for (size_t i = 0; i < delayed->count; i++)
			if (delayed->pieces[i].kind == PIECE_SUBST &&
			    !delayed->pieces[i].subst->self)
				return true;
		if (!delayed->added_object)
			return false;
		value = delayed->earlier;
	}
	return false;
}

void tree_merge(struct reading *reading, struct value *into, struct value *from)
{
	struct member *member;
	struct value **slot;

	into->flags |= from->flags & TREE_DELAYED;
	for (value_each (from, member)) {
		slot = value_object_slot(into, reading->arena,
					 member_key(member));
		if (value_is(*slot, VALUE_OBJECT) &&
		    member->value->type == VALUE_OBJECT) {
			tree_merge(reading, *slot, member->value);
			continue;
		}
		if (*slot && tree_is_delayed(member->value))
			tree_innermost(member->value)->earlier = *slot;
		*slot = member->value;
	}
}

struct value *tree_copy_objects(struct reading *reading, struct value *value,
				const struct value *place)
{
	struct member *member;
	struct value *copy, *item;

	if (!value_is(value, VALUE_OBJECT))
		return value;
	if (!reading_charge(reading, place, 1 + value->object.count))
		return NULL;
	copy = reading_value(reading, VALUE_OBJECT, value->source,
			     value->offset);
	copy->flags = value->flags;
	for (value_each (value, member)) {
		item = tree_copy_objects(reading, member->value, place);
		if (!item)
			return NULL;
		*value_object_slot(copy, reading->arena, member_key(member)) =
			item;
	}
	return copy;
}

/* An object after a delayed value: merged over whatever that turns out to be.
 */
static bool put_object_over_delayed(struct reading *reading,
				    struct value **slot, struct value *object)
{
	struct delayed *delayed = tree_delayed(*slot);
	struct value *value;

	if (delayed->added_object) {
		tree_merge(reading, delayed->pieces[0].value, object);
		return true;
	}
	value = tree_new_delayed(reading, object->source, object->offset);
	delayed = tree_delayed(value);
	delayed->pieces = arena_alloc(reading->arena, sizeof(struct piece));
	delayed->count = 1;
	delayed->pieces[0].kind = PIECE_VALUE;
	delayed->pieces[0].value = object;
	delayed->earlier = *slot;
	delayed->added_object = true;
	*slot = value;
	return true;
}

/* The key's earlier value is *slot. */
static bool put_object(struct reading *reading, struct value **slot,
		       struct value *object)
{
	struct value *old = *slot;

	if (old->type == VALUE_OBJECT) {
		tree_merge(reading, old, object);
		return true;
	}
	if (tree_is_delayed(old))
		return put_object_over_delayed(reading, slot, object);
	*slot = object;
	if (old->type == VALUE_LIST || old->type == VALUE_NULL)
		return true;
	return reading_departs(reading, reading_source(reading, object),
			       object->offset,
			       "an object for a key that has a plain value");
}

static bool put_last(struct reading *reading, struct value **slot,
		     struct value *value)
{
	struct delayed *delayed;

	if (*slot && value->type == VALUE_OBJECT)
		return put_object(reading, slot, value);
	if (*slot && tree_is_delayed(value)) {
		delayed = tree_innermost(value);
		delayed->earlier = *slot;
		delayed->onto_object =
			(*slot)->type == VALUE_OBJECT && !delayed->append;
	}
	*slot = value;
	return true;
}

bool tree_put(struct reading *reading, struct value *object,
	      const struct path *path, struct value *value)
{
	struct value **slot;

	for (size_t i = 0;; i++) {
		if (tree_waits(value))
			object->flags |= TREE_DELAYED;
		slot = value_object_slot(object, reading->arena,
					 path->items[i]);
		if (i + 1 == path->count)
			return put_last(reading, slot, value);
		/* A dotted key makes its own way, quietly. */
		if (!value_is(*slot, VALUE_OBJECT))
			*slot = reading_value(reading, VALUE_OBJECT,
					      value->source, value->offset);
		object = *slot;
	}
}
