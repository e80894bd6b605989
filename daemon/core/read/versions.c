#include "read/versions.h"

#include "read/reading.h"
#include "read/tree.h"

static void start(struct reading *reading, const struct value *root,
		  struct str key)
{
	struct value **slot, *before = value_get(root, key);

	if (!reading->versions)
		reading->versions = value_new(reading->arena, VALUE_OBJECT);
	slot = value_object_slot(reading->versions, reading->arena, key);
	if (*slot)
		return;
	*slot = value_new(reading->arena, VALUE_LIST);
	reading->again =
		reading->again || (before && before->flags & TREE_LATER);
	if (before)
		value_list_add(*slot, reading->arena, before);
}

void versions_note(struct reading *reading, const struct value *root,
		   size_t first, struct str key)
{
	struct str leads_to;

	for (size_t i = first; i < reading->subst_count; i++) {
		leads_to = reading->substs[i]->path.items[0];
		if (!key.len || str_equal(leads_to, key))
			start(reading, root, leads_to);
	}
}

struct value *versions_of(const struct reading *reading, struct str key)
{
	return value_get(reading->versions, key);
}

bool versions_are_kept(const struct reading *reading,
		       const struct value *object, struct str key)
{
	return reading->versions && object == reading->root &&
	       versions_of(reading, key);
}

void versions_add(struct reading *reading, struct str key, struct value *value)
{
	value_list_add(versions_of(reading, key), reading->arena, value);
}

void versions_start_over(struct reading *reading)
{
	struct member *member;

	for (value_each (reading->versions, member))
		member->value->list.count = 0;
}
