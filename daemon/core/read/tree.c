#include "read/tree.h"

#include "base/arena.h"
#include "base/mem.h"
#include "read/reading.h"
#include "read/versions.h"

#define DELAYED_VALUES 8 /* as large as so many plain ones, copied */

static void own_parts(struct value *value)
{
	struct delayed *delayed = tree_delayed(value);

	for (uint32_t i = 0; i < delayed->count; i++) {
		if (delayed->parts[i].kind != PART_SUBST)
			continue;
		delayed->parts[i].subst->holder = value;
		delayed->parts[i].subst->index = i;
	}
}

struct value *tree_new_delayed(struct reading *reading, size_t source,
			       size_t offset, struct concat_part *parts,
			       size_t count)
{
	struct value *value =
		reading_value(reading, VALUE_DELAYED, source, offset);
	struct delayed *delayed =
		arena_alloc(reading->arena, sizeof(struct delayed));

	value->reader = delayed;
	delayed->parts = parts;
	delayed->count = delayed->cap = (uint32_t)count;
	for (size_t i = 0; i < count; i++)
		delayed->waiting += parts[i].kind == PART_SUBST;
	own_parts(value);
	return value;
}

struct value *tree_handed_out(struct reading *reading, struct value *value)
{
	if (value_is(value, VALUE_LIST) && value->flags & TREE_DELAYED)
		return value_copy(reading->arena, value);
	return value;
}

void tree_list_add(struct reading *reading, struct value *list,
		   struct value *item)
{
	if (tree_is_delayed(item)) {
		tree_delayed(item)->parent = list;
		tree_delayed(item)->index = list->list.count;
	}
	if (tree_waits(item))
		list->flags |= TREE_DELAYED;
	value_list_add(list, reading->arena, item);
}

/* @slot is given @value, or it is merged there: what waits does no longer stand
 * in the order of the text. */
static void note_order(struct reading *reading, const struct value *old,
		       const struct value *value)
{
	if (old && (tree_waits(old) || tree_waits(value)))
		reading->reordered = true;
}

static void replace(struct value **slot, struct value *value)
{
	if (tree_is_delayed(*slot) && *slot != value)
		tree_delayed(*slot)->hidden = true;
	*slot = value;
}

/* @value is what a member of @object, at @slot, holds from now on. */
static void settle_in(struct value *object, struct value **slot,
		      struct value *value)
{
	struct delayed *delayed = tree_delayed(value);
	struct member *member = CONTAINER_OF(slot, struct member, value);

	delayed->parent = object;
	delayed->key = member->key;
	delayed->key_len = member->key_len;
	delayed->index = (uint32_t)(member - object->object.members);
}

struct value **tree_place(struct reading *reading,
			  const struct delayed *delayed)
{
	struct value *object = delayed->parent;
	struct member *member = &object->object.members[delayed->index];

	if (delayed->index < object->object.count &&
	    member->key == delayed->key)
		return &member->value;
	return value_object_slot(object, reading->arena, delayed_key(delayed));
}

static bool is_below(const struct value *value, const struct value *earlier)
{
	while (tree_is_delayed(earlier) && earlier != value)
		earlier = tree_delayed(earlier)->earlier;
	return earlier == value;
}

static uint32_t chain_over(const struct value *earlier)
{
	return tree_is_delayed(earlier) ? tree_delayed(earlier)->chain + 1 : 0;
}

/* Something that @value came over, null being nothing. Chains of them are
 * walked for each of their values, so they have an end, after which the text is
 * refused. */
static void set_earlier(struct reading *reading, struct value *value,
			struct value *earlier)
{
	struct delayed *delayed = tree_delayed(value);

	delayed->chain = chain_over(earlier);
	if (delayed->chain > TREE_CHAIN_MAX) {
		reading->overlong = value;
		delayed->chain = 0;
		return;
	}
	delayed->endless = is_below(value, earlier);
	if (delayed->endless)
		return;
	delayed->forgotten = delayed->earlier;
	delayed->earlier = value_is(earlier, VALUE_NULL)
				   ? NULL
				   : tree_handed_out(reading, earlier);
	delayed->settled = false;
}

/* What waits in a copy still calls the first one its place. */
static struct value *copy_object(struct reading *reading,
				 const struct value *object)
{
	struct value *copy = value_copy(reading->arena, object);
	struct member *member;

	if (copy->flags & TREE_DELAYED)
		for (value_each (copy, member))
			member->value = tree_handed_out(reading, member->value);
	return copy;
}

void tree_merge(struct reading *reading, struct value *into,
		const struct value *from, bool copy)
{
	struct member *member;
	struct value **slot, *value;

	into->flags |= from->flags & TREE_DELAYED;
	for (value_each (from, member)) {
		slot = value_object_slot_like(into, reading->arena, member);
		value = tree_handed_out(reading, member->value);
		note_order(reading, *slot, value);
		if (value_is(*slot, VALUE_OBJECT) &&
		    value->type == VALUE_OBJECT) {
			if (copy)
				*slot = copy_object(reading, *slot);
			tree_merge(reading, *slot, value, copy);
			continue;
		}
		if (tree_is_delayed(value)) {
			settle_in(into, slot, value);
			if (*slot)
				set_earlier(reading, value, *slot);
		}
		replace(slot, value);
	}
}

struct value *tree_moved(struct reading *reading, const struct value *object)
{
	struct value *moved = reading_value(reading, VALUE_OBJECT,
					    object->source, object->offset);

	tree_merge(reading, moved, object, true);
	return moved;
}

bool tree_departs(struct reading *reading, struct value *delayed,
		  const struct value *place, const char *what)
{
	if (tree_delayed(delayed)->told)
		return true;
	tree_delayed(delayed)->told = true;
	return reading_departs(reading, reading_source(reading, place),
			       place->offset, what);
}

/* --- a key that comes again ---------------------------------------------- */

static void add_part(struct reading *reading, struct value *value,
		     struct concat_part part)
{
	struct delayed *delayed = tree_delayed(value);
	uint32_t cap = delayed->cap;

	if (delayed->count == cap) {
		delayed->cap = cap * 2;
		delayed->parts = arena_grow(reading->arena, delayed->parts,
					    cap * sizeof(part),
					    delayed->cap * sizeof(part));
	}
	delayed->parts[delayed->count++] = part;
}

/* An object after a delayed value is one more part of it. */
static void put_object_after(struct reading *reading, struct value *delayed,
			     struct value *object)
{
	add_part(reading, delayed,
		 (struct concat_part){
			 .kind = PART_VALUE,
			 .after = true,
			 .offset = object->offset,
			 .value = object,
		 });
}

/* A delayed value comes over an object: that is its first part, too. */
static void put_over_object(struct reading *reading, struct value *object,
			    struct value *value)
{
	struct concat_part part = {
		.kind = PART_VALUE,
		.before = true,
		.offset = object->offset,
		.value = object,
	};

	struct delayed *delayed = tree_delayed(value);

	if (delayed->append)
		return;
	add_part(reading, value, part);
	memmove(delayed->parts + 1, delayed->parts,
		(delayed->count - 1) * sizeof(part));
	delayed->parts[0] = part;
	own_parts(value);
}

static bool merge_object(struct reading *reading, struct value **slot,
			 struct value *object, bool versions)
{
	if (versions) {
		if (!reading_charge(reading, object, 1 + (*slot)->object.count))
			return false;
		*slot = tree_moved(reading, *slot);
	}
	tree_merge(reading, *slot, object, versions);
	return true;
}

/* The key's earlier value is *slot. */
static bool put_object(struct reading *reading, struct value **slot,
		       struct value *object, bool versions)
{
	struct value *old = *slot;

	if (old->type == VALUE_OBJECT)
		return merge_object(reading, slot, object, versions);
	if (tree_is_delayed(old)) {
		put_object_after(reading, old, object);
		return true;
	}
	*slot = object;
	if (old->type == VALUE_LIST || old->type == VALUE_NULL)
		return true;
	return reading_departs(reading, reading_source(reading, object),
			       object->offset,
			       "an object for a key that has a plain value");
}

static bool put_last(struct reading *reading, struct value *object,
		     struct str key, struct value *value)
{
	struct value **slot = value_object_slot(object, reading->arena, key);
	bool versions = versions_are_kept(reading, object, key);
	struct value *old = *slot;

	note_order(reading, old, value);
	if (tree_is_delayed(value)) {
		settle_in(object, slot, value);
		if (value_is(old, VALUE_OBJECT))
			put_over_object(reading, old, value);
		set_earlier(reading, value, old);
	}
	if (old && value->type == VALUE_OBJECT) {
		if (!put_object(reading, slot, value, versions))
			return false;
	} else {
		replace(slot, value);
	}
	if (versions && *slot != old)
		versions_add(reading, key, *slot);
	if (old && object == reading->root)
		(*slot)->flags |= TREE_LATER;
	return true;
}

/* The object at @key of @object: a dotted key, whose value is @value, makes its
 * own way, quietly. */
static struct value *make_way(struct reading *reading, struct value *object,
			      struct str key, const struct value *value)
{
	struct value **slot = value_object_slot(object, reading->arena, key);
	uint8_t later = *slot && object == reading->root ? TREE_LATER : 0;

	note_order(reading, *slot, value);
	if (value_is(*slot, VALUE_OBJECT))
		return *slot;
	replace(slot, reading_value(reading, VALUE_OBJECT, value->source,
				    value->offset));
	(*slot)->flags |= later;
	if (versions_are_kept(reading, object, key))
		versions_add(reading, key, *slot);
	return *slot;
}

bool tree_put(struct reading *reading, struct value *object,
	      const struct path *path, struct value *value)
{
	size_t i = 0;

	for (;; i++) {
		if (tree_waits(value))
			object->flags |= TREE_DELAYED;
		if (i + 1 == path->count)
			break;
		object = make_way(reading, object, path->items[i], value);
	}
	return put_last(reading, object, path->items[i], value);
}

/* --- deep copies --------------------------------------------------------- */

/* The place in a copy that the walk has reached: @from became @to. */
struct copying {
	struct reading *reading;
	const struct subst *maker;
	const struct value *from;
	struct value *to;
	size_t level;
};

static struct value *copy_inside(struct copying copying, struct value *value);

static struct concat_part copy_part(struct copying copying,
				    const struct delayed *delayed,
				    const struct delayed *copy,
				    struct concat_part part)
{
	struct subst *subst;

	if (part.kind == PART_SUBST) {
		subst = arena_alloc(copying.reading->arena, sizeof(*subst));
		*subst = *part.subst;
		subst->was = subst->is = 0;
		subst->done = subst->listed = 0;
		subst->maker = copying.maker;
		part.subst = subst;
	} else if (part.kind == PART_VALUE) {
		part.value = part.value == delayed->earlier
				     ? copy->earlier
				     : copy_inside(copying, part.value);
	}
	return part;
}

static struct value *copy_delayed(struct copying copying,
				  const struct value *value)
{
	struct reading *reading = copying.reading;
	const struct delayed *delayed = tree_delayed(value);
	struct delayed *copy = arena_alloc(reading->arena, sizeof(*copy));
	struct value *result = value_copy(&reading->doc->nodes, value);

	*copy = *delayed;
	copy->merged = NULL;
	copy->parent = delayed->parent == copying.from ? copying.to : NULL;
	if (delayed->earlier) {
		copy->earlier = copy_inside(copying, delayed->earlier);
		if (!copy->earlier)
			return NULL;
	}
	copy->cap = delayed->count;
	copy->parts = arena_alloc(reading->arena,
				  delayed->count * sizeof(struct concat_part));
	for (uint32_t i = 0; i < delayed->count; i++) {
		copy->parts[i] =
			copy_part(copying, delayed, copy, delayed->parts[i]);
		if (!copy->parts[i].value && copy->parts[i].kind == PART_VALUE)
			return NULL;
	}
	result->reader = copy;
	own_parts(result);
	return result;
}

static bool copy_elements(struct copying copying, struct value *list)
{
	for (uint32_t i = 0; i < list->list.count; i++) {
		list->list.items[i] = copy_inside(copying, list->list.items[i]);
		if (!list->list.items[i])
			return false;
	}
	return true;
}

/* A list that is a member was handed out: its elements' place is lost. */
static bool copy_members(struct copying copying, struct value *object)
{
	struct copying lost = copying;
	struct member *member;

	lost.from = lost.to = NULL;
	for (value_each (object, member)) {
		if (value_is(member->value, VALUE_LIST) &&
		    member->value->flags & TREE_DELAYED) {
			member->value = value_copy(copying.reading->arena,
						   member->value);
			if (!copy_elements(lost, member->value))
				return false;
			continue;
		}
		member->value = copy_inside(copying, member->value);
		if (!member->value)
			return false;
	}
	return true;
}

static struct value *copy_inside(struct copying copying, struct value *value)
{
	struct reading *reading = copying.reading;
	struct value *copy;
	bool ok;

	if (!tree_waits(value))
		return value;
	if (++copying.level > reading_levels_max(reading)) {
		diag_at(reading->diag, reading_source(reading, value),
			value->offset, "this substitution nests too deep");
		return NULL;
	}
	if (!reading_charge(reading, value,
			    tree_is_delayed(value) ? DELAYED_VALUES : 1))
		return NULL;
	if (tree_is_delayed(value))
		return copy_delayed(copying, value);
	copy = value_copy(reading->arena, value);
	copying.from = value;
	copying.to = copy;
	ok = copy->type == VALUE_OBJECT ? copy_members(copying, copy)
					: copy_elements(copying, copy);
	return ok ? copy : NULL;
}

struct value *tree_deep_copy(struct reading *reading, struct value *value,
			     const struct subst *maker)
{
	return copy_inside((struct copying){.reading = reading, .maker = maker},
			   value);
}
