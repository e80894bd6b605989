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

void subst_note_itself(struct value *value)
{
	struct delayed *delayed = tree_delayed(value);
	const struct piece *piece = delayed->pieces;

	for (size_t i = 0; i < delayed->count; i++, piece++) {
		if (piece->kind != PIECE_SUBST || !piece->subst->self)
			continue;
		delayed->itself = !piece->subst->first &&
				  !tree_waits_for_others(piece->subst->back);
		delayed->first_itself = piece->subst->first;
	}
}

/* What the key held in the included text is forgotten: ClearML looks only into
 * what the including one has. */
static bool rebase(struct reading *reading, struct subst *subst,
		   const struct value *root)
{
	struct value *earlier = value_get(root, subst->path.items[0]);

	if (earlier) {
		subst->back = tree_copy_objects(reading, earlier, earlier);
		subst->first = false;
		return subst->back;
	}
	if (subst->back && subst->self && !subst->optional)
		return reading_departs(
			reading, reading->doc->sources[subst->source],
			subst->offset,
			"a reference to what the key held before in an "
			"included text");
	subst->back = NULL;
	subst->first = true;
	return true;
}

bool subst_rebase_self(struct reading *reading, size_t first,
		       const struct value *root)
{
	struct subst *subst;

	for (size_t i = first; i < reading->subst_count; i++) {
		subst = reading->substs[i];
		if ((subst->back || subst->first) &&
		    !rebase(reading, subst, root))
			return false;
	}
	return true;
}
