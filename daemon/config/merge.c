#include "config/merge.h"

#include "base/arena.h"
#include "value/value.h"

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
	merged = arena_owns(arena, lower) ? lower : value_copy(arena, lower);
	for (value_each (upper, m)) {
		slot = value_object_slot_like(merged, arena, m);
		*slot = merge(arena, *slot, m->value);
	}
	return merged;
}
