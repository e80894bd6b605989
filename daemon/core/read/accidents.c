#include "read/accidents.h"

#include "read/concat.h"
#include "read/lookup.h"
#include "read/reading.h"
#include "read/tree.h"

void accidents_forgotten(struct accidents *accidents,
			 const struct value *object, struct str key,
			 const struct value *value)
{
	const struct accident *item = accidents->items;

	for (size_t i = 0; i < accidents->count; i++, item++)
		if (item->object == object && str_equal(item->key, key))
			return;
	if (accidents->count < ACCIDENTS_MAX)
		accidents->items[accidents->count++] =
			(struct accident){object, key, value};
}

static void tell_forgotten(struct reading *reading,
			   const struct accident *accident)
{
	const struct value *value = accident->value;
	const struct value *shown = value_get(accident->object, accident->key);

	if (shown == value ||
	    (tree_is_delayed(value) && shown == tree_delayed(value)->placed))
		return;
	reading_warn(reading, reading_source(reading, value), value->offset,
		     "ClearML forgets this: an earlier value of the key holds");
}

/* Does what @holder came to stand in its place? */
static bool shows(const struct value *holder)
{
	const struct delayed *delayed = tree_delayed(holder);
	const struct value *parent = delayed->parent;

	if (value_is(parent, VALUE_LIST))
		return delayed->index < parent->list.count;
	return delayed->placed &&
	       value_get(parent, delayed_key(delayed)) == delayed->placed;
}

/* Does @part still stand for @value? */
static bool is_last(struct reading *reading, const struct concat_part *part,
		    const struct value *value)
{
	if (part->kind == PART_TEXT)
		return value->type < VALUE_LIST &&
		       str_equal(part->text, concat_text(reading, value));
	if (part->kind == PART_NOTHING)
		return value->type == VALUE_NULL;
	return tree_waits(part->value) || value_equal(part->value, value);
}

static void tell_lost(struct reading *reading, const struct subst *subst)
{
	const struct concat_part *part =
		&tree_delayed(subst->holder)->parts[subst->index];
	struct value *value;

	if (subst->own || part->kind == PART_SUBST ||
	    lookup_path(reading, &subst->path, &value) != FOUND ||
	    tree_is_delayed(value) || is_last(reading, part, value) ||
	    !shows(subst->holder))
		return;
	reading_warn(reading, reading->doc->sources[subst->source],
		     subst->offset,
		     "ClearML takes a value here that is not the last of this "
		     "key");
}

void accidents_tell(const struct accidents *accidents, struct reading *reading)
{
	for (size_t i = 0; i < accidents->count; i++)
		tell_forgotten(reading, &accidents->items[i]);
	for (size_t i = 0; i < reading->subst_count; i++)
		tell_lost(reading, reading->substs[i]);
}
