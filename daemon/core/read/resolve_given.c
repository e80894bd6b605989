#include "read/resolve_parts.h"

#include "read/reading.h"
#include "read/subst.h"
#include "read/tree.h"

static struct value *null_at(struct resolve *resolver,
			     const struct value *place)
{
	return reading_value(resolver->reading, VALUE_NULL, place->source,
			     place->offset);
}

/* An element for which nothing was found goes in the end (semantics.md,
 * "Departures"); ClearML's null
 * for one that was found to be null stays. */
static void set_element(struct resolve *resolver, const struct value *holder,
			struct value *result, bool missing)
{
	struct reading *reading = resolver->reading;
	struct delayed *delayed = tree_delayed(holder);

	if (!result) {
		result = null_at(resolver, holder);
		result->flags = missing ? TREE_MISSING : 0;
	}
	delayed->parent->list.items[delayed->index] = result;
	if (missing && result->flags & TREE_MISSING)
		reading_warn(reading, reading_source(reading, holder),
			     holder->offset,
			     "nothing to substitute: this element is left out, "
			     "where ClearML may leave null");
}

/* May @holder's result stand where @now does? It is what @holder came over, or
 * came to. */
static bool is_earlier(const struct value *holder, const struct value *now)
{
	for (; tree_is_delayed(holder); holder = tree_delayed(holder)->earlier)
		if (now == holder || now == tree_delayed(holder)->placed)
			return true;
	return now == holder;
}

/* A later value of the key than @holder stands there. ClearML puts the earlier
 * one over it all the same, and may do so for good. */
static bool forgets(struct resolve *resolver, const struct value *holder,
		    struct value *now)
{
	const struct delayed *delayed = tree_delayed(holder);

	if (resolver->reading->departed)
		return false;
	accidents_forgotten(&resolver->accidents, delayed->parent,
			    delayed_key(delayed), now);
	return true;
}

/* A key that comes to nothing goes; one that had gone already is null. */
static void set_member(struct resolve *resolver, const struct value *holder,
		       struct value *result)
{
	struct reading *reading = resolver->reading;
	struct delayed *delayed = tree_delayed(holder);
	struct value *object = delayed->parent;
	struct value **slot = tree_place(reading, delayed);
	struct value *now = *slot;

	if (now && now != holder && now != delayed->placed) {
		if (!is_earlier(holder, now) && !forgets(resolver, holder, now))
			return;
		resolver->accidents.possible = true;
	}
	if (object == reading->root && (!now || !result))
		resolver->root_changed = true;
	if (!result && now) {
		resolver->accidents.possible = true;
		value_object_remove(object, delayed_key(delayed));
		return;
	}
	*slot = result ? result : null_at(resolver, holder);
	delayed->placed = *slot;
}

/* @holder came to @result: that is what its place holds now, whatever that
 * held. */
static void set_place(struct resolve *resolver, const struct value *holder,
		      struct value *result, bool missing)
{
	const struct value *parent = tree_delayed(holder)->parent;

	if (value_is(parent, VALUE_LIST))
		set_element(resolver, holder, result, missing);
	else if (parent)
		set_member(resolver, holder, result);
}

/* ClearML puts @earlier where @holder is, which comes to nothing itself. */
static void warn_null(struct resolve *resolver, struct value *holder,
		      struct value *earlier)
{
	struct reading *reading = resolver->reading;
	struct value *result;

	if (tree_is_delayed(earlier) && !tree_delayed(holder)->told &&
	    subst_result(reading, earlier, &result) && !result) {
		tree_delayed(holder)->told = true;
		reading_warn(reading, reading_source(reading, holder),
			     holder->offset,
			     "ClearML makes null of a key whose last two "
			     "substitutions are both missing");
	}
}

enum found resolve_given(struct resolve *resolver, struct subst *subst,
			 struct value *value, bool missing,
			 struct value **result)
{
	struct reading *reading = resolver->reading;
	struct value *holder = subst->holder;

	*result = NULL;
	if (tree_is_delayed(value)) {
		if (!subst_result(reading, value, result))
			return FAILED;
		if (tree_is_delayed(*result))
			return WAITS;
		value = *result;
	}
	if (!subst_put(reading, subst, value) ||
	    !subst_result(reading, holder, result))
		return FAILED;
	if (!*result && missing) {
		*result = tree_delayed(holder)->earlier;
		missing = !*result;
		warn_null(resolver, holder, *result);
	}
	set_place(resolver, holder, *result, missing);
	return FOUND;
}
