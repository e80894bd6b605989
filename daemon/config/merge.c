#include "config/merge.h"

#include "base/arena.h"
#include "value/value.h"

static struct value *copy_object(struct arena *arena,
				 const struct value *object)
{
	struct value *copy = value_new(arena, VALUE_OBJECT);
	struct member *m;

	for (value_each (object, m))
		*value_object_slot(copy, arena, member_key(m)) = m->value;
	return copy;
}

/* Recursion is bounded by the depth that readers accept. */
struct value *merge(struct arena *arena, struct value *lower,
		    struct value *upper)
{
	struct value *merged, **slot;
	struct member *m;

	if (!upper || !lower)
		return upper ? upper : lower;
	if (upper->type != VALUE_OBJECT || lower->type != VALUE_OBJECT)
		return upper;
	if (!upper->object.count || !lower->object.count)
		return upper->object.count ? upper : lower;
	merged = copy_object(arena, lower);
	for (value_each (upper, m)) {
		slot = value_object_slot(merged, arena, member_key(m));
		*slot = merge(arena, *slot, m->value);
	}
	return merged;
}
