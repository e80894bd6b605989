#include "read/subst.h"

#include "base/arena.h"
#include "base/mem.h"
#include "read/concat.h"
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

struct str subst_shown(const struct subst *subst)
{
	return subst->secret ? STR("...") : subst->text;
}

/* --- what waits ---------------------------------------------------------- */

/* Does @value, or what its key held before, wait for a substitution? */
static bool is_waiting(const struct value *value)
{
	const struct value *node = value;

	for (; tree_is_delayed(node); node = tree_delayed(node)->earlier) {
		if (tree_delayed(node)->waiting)
			return true;
		if (tree_delayed(node)->settled)
			break;
	}
	for (; tree_is_delayed(value) && !tree_delayed(value)->settled;
	     value = tree_delayed(value)->earlier)
		tree_delayed(value)->settled = true;
	return false;
}

static void each_part(const struct value *value, subst_fn each, void *user)
{
	const struct delayed *delayed = tree_delayed(value);

	for (uint32_t i = 0; i < delayed->count; i++)
		if (delayed->parts[i].kind == PART_SUBST)
			each(user, delayed->parts[i].subst);
}

/* How many values, one over the other, may wait. */
static size_t count_levels(const struct value *value)
{
	size_t count = 0;

	for (; tree_is_delayed(value) && !tree_delayed(value)->settled;
	     value = tree_delayed(value)->earlier)
		count++;
	return count;
}

/* Visit the earlier values of a key, the oldest first. */
static void each_of_delayed(const struct value *value, subst_fn each,
			    void *user)
{
	_cleanup_(mem_freep) const struct value **levels = NULL;
	size_t count = count_levels(value);

	if (count == 1) {
		each_part(value, each, user);
		return;
	}
	levels = mem_alloc(count * sizeof(*levels));
	for (size_t i = 0; i < count; i++, value = tree_delayed(value)->earlier)
		levels[i] = value;
	while (count--)
		each_part(levels[count], each, user);
}

void subst_each(const struct value *value, subst_fn each, void *user)
{
	struct member *member;

	if (!value || !tree_waits(value))
		return;
	if (tree_is_delayed(value) && is_waiting(value))
		each_of_delayed(value, each, user);
	else if (value->type == VALUE_OBJECT)
		for (value_each (value, member))
			subst_each(member->value, each, user);
	else if (value->type == VALUE_LIST)
		for (uint32_t i = 0; i < value->list.count; i++)
			subst_each(value->list.items[i], each, user);
}

/* --- what stands for what ------------------------------------------------ */

/* Every value of @value counts again at @place. */
static bool charge(struct reading *reading, const struct value *place,
		   const struct value *value)
{
	struct member *member;

	if (!reading_charge(reading, place, 1))
		return false;
	if (tree_is_delayed(value))
		return true;
	if (value->type == VALUE_LIST)
		for (uint32_t i = 0; i < value->list.count; i++)
			if (!charge(reading, place, value->list.items[i]))
				return false;
	if (value->type == VALUE_OBJECT)
		for (value_each (value, member))
			if (!charge(reading, place, member->value))
				return false;
	return true;
}

/* What @value is where it is substituted. */
static struct value *value_at(struct reading *reading,
			      const struct value *value,
			      const struct value *place)
{
	struct value *copy = reading_value(reading, VALUE_NULL, place->source,
					   place->offset);
	struct value stands_at = *copy;

	*copy = *value;
	if (value->type == VALUE_INT || value->type == VALUE_REAL)
		copy->flags |=
			concat_prints_anew(reading, value) ? TREE_ANEW : 0;
	copy->source = stands_at.source;
	copy->offset = stands_at.offset;
	return copy;
}

/* Is @subst a copy that came of itself? */
static bool comes_of_itself(const struct subst *subst)
{
	const struct subst *maker = subst->maker;

	while (maker && (maker->source != subst->source ||
			 maker->offset != subst->offset))
		maker = maker->maker;
	return maker;
}

/* @value, copied to where @subst stands; NULL when it is too much. */
static struct value *copy_for(struct reading *reading,
			      const struct subst *subst, uint32_t offset,
			      struct value *value)
{
	const struct value place = {.source = subst->source, .offset = offset};

	if (!subst->charged && !charge(reading, &place, value))
		return NULL;
	value = tree_deep_copy(reading, tree_handed_out(reading, value), subst);
	return value ? value_at(reading, value, &place) : NULL;
}

/* Like copied; the limits only stop what would never end. */
static struct value *value_for(struct reading *reading,
			       const struct subst *subst, uint32_t offset,
			       struct value *value)
{
	struct source *source = reading->doc->sources[subst->source];
	struct diag *diag = reading->diag, why = DIAG_INIT;

	reading->diag = &why;
	value = copy_for(reading, subst, offset, value);
	reading->diag = diag;
	if (!value && comes_of_itself(subst))
		diag_at(diag, source, subst->offset,
			"${%.*s} leads back to itself",
			STR_PRINT(subst_shown(subst)));
	else if (!value)
		diag_at(diag, source, subst->offset, "%s", why.text);
	diag_deinit(&why);
	return value;
}

/* A scalar in front of something is text, with its blanks. */
static void set_part(struct reading *reading, struct concat_part *part,
		     struct value *value, bool last)
{
	part->kind = PART_VALUE;
	part->text = (struct str){0};
	part->value = value;
	if (!value)
		part->kind = PART_NOTHING;
	else if (value->type < VALUE_LIST && !last) {
		part->kind = PART_TEXT;
		part->text = concat_text(reading, value);
	}
}

/* What a scalar looks like in text is ClearML's business. */
static void warn_of_text(struct reading *reading, struct subst *subst,
			 const struct value *scalar,
			 const struct concat_part *part)
{
	if (scalar->type == VALUE_NULL)
		concat_warn_null(reading, part, subst->holder);
	else if (!subst->warned)
		concat_warn_anew(reading, scalar, part, subst->holder);
	subst->warned = true;
}

bool subst_put(struct reading *reading, struct subst *subst,
	       struct value *value)
{
	struct delayed *delayed = tree_delayed(subst->holder);
	struct concat_part *part = &delayed->parts[subst->index];

	if (value) {
		value = value_for(reading, subst, part->offset, value);
		if (!value)
			return false;
		subst->holder->flags |= value->flags & TREE_SECRET;
	}
	subst->charged = true;
	delayed->waiting -= part->kind == PART_SUBST;
	delayed->merged = NULL;
	set_part(reading, part, value, subst->index + 1 == delayed->count);
	if (part->kind == PART_TEXT)
		warn_of_text(reading, subst, value, part);
	return true;
}

/* --- what comes of it ---------------------------------------------------- */

/* What a key's earlier value comes to, if that is an object; NULL: none. */
static bool object_of(struct reading *reading, struct value *earlier,
		      struct value **object)
{
	struct delayed *delayed;

	*object = earlier;
	if (tree_is_delayed(earlier)) {
		delayed = tree_delayed(earlier);
		if (!delayed->merged &&
		    !subst_result(reading, earlier, &delayed->merged))
			return false;
		*object = delayed->merged;
	}
	if (!value_is(*object, VALUE_OBJECT))
		*object = NULL;
	return true;
}

/* Merge what the key held earlier into @result. ClearML merges one after the
 * other, the oldest first, though each holds those before it: that only shows
 * when something waits in them. */
static bool merge_earlier(struct reading *reading, struct value *earlier,
			  struct value *result)
{
	struct value *object;

	if (!object_of(reading, earlier, &object))
		return false;
	if (!object)
		return true;
	if (tree_is_delayed(earlier) && tree_waits(object) &&
	    !merge_earlier(reading, tree_delayed(earlier)->earlier, result))
		return false;
	tree_merge(reading, result, object, true);
	return true;
}

static bool join_objects(struct reading *reading, struct value *delayed,
			 struct concat_part *parts, size_t count,
			 struct value **result)
{
	*result = reading_value(reading, VALUE_OBJECT, delayed->source,
				delayed->offset);
	if (!merge_earlier(reading, tree_delayed(delayed)->earlier, *result))
		return false;
	for (size_t i = 0; i < count; i++)
		tree_merge(reading, *result, parts[i].value, true);
	return reading_charge(reading, delayed, (*result)->object.count);
}

/* An earlier value that cannot be is no reason to fail, but to ClearML. */
static bool join(struct reading *reading, struct value *place,
		 struct concat_part *parts, size_t count, struct value **result)
{
	if (!concat_mend(reading, place, &parts, &count))
		return false;
	if (tree_delayed(place)->hidden && !concat_fits(parts, count))
		return tree_departs(reading, place, place,
				    "an earlier value of this key, which "
				    "cannot be resolved");
	if (concat_objects(parts, count))
		return join_objects(reading, place, parts, count, result);
	*result = concat(reading, parts, count, place);
	if (*result)
		(*result)->flags |= place->flags & TREE_SECRET;
	return *result;
}

/* Those that stand for something; for a += its own, which may change. */
static struct concat_part *settled_parts(struct reading *reading,
					 const struct delayed *delayed,
					 size_t *count)
{
	struct concat_part *parts;
	uint32_t i = 0;

	while (i < delayed->count && delayed->parts[i].kind != PART_NOTHING)
		i++;
	*count = i;
	if (i == delayed->count && !delayed->append)
		return delayed->parts;
	parts = arena_alloc(reading->arena,
			    delayed->count * sizeof(struct concat_part));
	*count = 0;
	for (i = 0; i < delayed->count; i++)
		if (delayed->parts[i].kind != PART_NOTHING)
			parts[(*count)++] = delayed->parts[i];
	return parts;
}

bool subst_result(struct reading *reading, struct value *value,
		  struct value **result)
{
	struct delayed *delayed = tree_delayed(value);
	struct concat_part *parts;
	size_t count = 0;

	if (delayed->endless &&
	    !tree_departs(reading, value, value,
			  "an object merged over itself: that never ends"))
		return false;
	*result = value;
	if (is_waiting(value))
		return true;
	parts = settled_parts(reading, delayed, &count);
	*result = NULL;
	return !count || join(reading, value, parts, count, result);
}
