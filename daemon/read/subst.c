#include "read/subst.h"

#include "base/arena.h"
#include "read/reading.h"
#include "read/tree.h"

struct subst *subst_new(struct reading *reading, size_t source, size_t offset)
{
	struct subst *subst = arena_alloc(reading->arena, sizeof(*subst));
	size_t cap = reading->subst_cap;

	subst->source = (uint16_t)source;
	subst->offset = (uint32_t)offset;
	if (reading->subst_count == cap) {
		cap = cap ? cap * 2 : 16;
		reading->substs = arena_grow(reading->arena, reading->substs,
					     reading->subst_cap * sizeof(subst),
					     cap * sizeof(subst));
		reading->subst_cap = cap;
	}
	reading->substs[reading->subst_count++] = subst;
	return subst;
}

bool subst_leads_to(const struct reading *reading, size_t first, struct str key)
{
	for (size_t i = first; i < reading->subst_count; i++)
		if (str_equal(reading->substs[i]->path.items[0], key))
			return true;
	return false;
}

void subst_mark_self(struct reading *reading, size_t first, struct str key,
		     struct value *earlier)
{
	struct subst *subst;

	for (size_t i = first; i < reading->subst_count; i++) {
		subst = reading->substs[i];
		if (!str_equal(subst->path.items[0], key))
			continue;
		subst->first = !earlier;
		subst->self = subst->path.count == 1;
		subst->back = earlier;
		reading->refers_to_self = true;
	}
}

bool subst_rebase_self(struct reading *reading, size_t first,
		       const struct value *root)
{
	struct subst *subst;
	struct value *earlier;

	for (size_t i = first; i < reading->subst_count; i++) {
		subst = reading->substs[i];
		earlier = subst->self ? value_get(root, subst->path.items[0])
				      : NULL;
		if (!earlier)
			continue;
		subst->back = tree_copy_objects(reading, earlier, earlier);
		if (!subst->back)
			return false;
	}
	return true;
}
