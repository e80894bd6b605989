#include "read/finish.h"

#include "read/reading.h"
#include "read/subst.h"
#include "read/tree.h"

/* The place in the tree that the walk has reached. */
struct place {
	struct reading *reading;
	size_t level;
	unsigned int secrecy; /* what the keys that lead here say */
};

static bool finish(struct place place, struct value **slot);

static bool fail(struct place place, const struct value *value,
		 const char *what)
{
	return diag_at(place.reading->diag,
		       reading_source(place.reading, value), value->offset,
		       "%s", what);
}

static struct place below(struct place place, struct str key)
{
	const struct read_options *options = place.reading->options;

	place.level++;
	if (options->secrecy)
		place.secrecy = options->secrecy(place.secrecy, key);
	return place;
}

/* Members that come to nothing are null. */
static bool finish_members(struct place place, struct value *object)
{
	struct member *member;

	for (value_each (object, member))
		if (!finish(below(place, member_key(member)), &member->value))
			return false;
	return true;
}

static bool finish_elements(struct place place, struct value *list)
{
	uint32_t kept = 0;

	place.level++;
	for (uint32_t i = 0; i < list->list.count; i++) {
		if (!finish(place, &list->list.items[i]))
			return false;
		if (!(list->list.items[i]->flags & TREE_MISSING))
			list->list.items[kept++] = list->list.items[i];
	}
	list->list.count = kept;
	return true;
}

/* What a delayed value comes to whose place was lost. */
static bool take_result(struct place place, struct value **slot)
{
	struct value *delayed = *slot;

	if (!subst_result(place.reading, delayed, slot))
		return false;
	if (*slot == delayed)
		return fail(place, delayed, "this leads back to itself");
	if (!*slot)
		*slot = reading_value(place.reading, VALUE_NULL,
				      delayed->source, delayed->offset);
	return true;
}

static bool finish(struct place place, struct value **slot)
{
	struct value *value = *slot;

	if (value->type == VALUE_DELAYED && !take_result(place, slot))
		return false;
	value = *slot;
	if (value->flags & TREE_SECRET && !(place.secrecy & READ_SECRET))
		return fail(place, value, "refers to a secret of the host");
	if (!(value->flags & TREE_DELAYED) && !place.reading->has_secrets)
		return true;
	if (place.level > reading_levels_max(place.reading))
		return fail(place, value, "this substitution nests too deep");
	value->flags &= (uint8_t)~TREE_DELAYED;
	if (value->type == VALUE_OBJECT)
		return finish_members(place, value);
	return value->type != VALUE_LIST || finish_elements(place, value);
}

bool finish_all(struct reading *reading)
{
	return finish((struct place){.reading = reading}, &reading->doc->root);
}
