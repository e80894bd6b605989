#include "read/resolve_parts.h"

#include "base/mem.h"
#include "read/reading.h"
#include "read/tree.h"
#include "read/versions.h"

/* What is found now at a path below a root key, if not null. */
static bool is_known(struct resolve *resolver, const struct subst *subst)
{
	struct value *found;

	return subst->path.count > 1 &&
	       lookup_path(resolver->reading, &subst->path, &found) == FOUND &&
	       found->type != VALUE_NULL;
}

/* What @path, but for the key that @before is an earlier value of, leads to. */
static bool look_before(struct value *before, const struct path *path,
			struct value **value)
{
	*value = before;
	for (size_t i = 1; i < path->count; i++) {
		*value = value_get(*value, path->items[i]);
		if (!*value)
			return false;
	}
	return true;
}

/* @subst, in a value of the root's @key, is given what the key held @before.
 * *now: what that value has become. */
static bool substitute_before(struct resolve *resolver, struct subst *subst,
			      struct value *before, struct value **now)
{
	struct value *value;

	subst->own = true;
	if (!look_before(before, &subst->path, &value))
		return resolve_departs(
			resolver, subst,
			"a path within the key itself, which held no "
			"such thing before");
	if (subst->path.count > 1 && value_is(value, VALUE_NULL))
		value = NULL;
	return resolve_given(resolver, subst, value, false, now) != FAILED;
}

/* A key that held nothing before: its variable, or nothing. */
static bool substitute_first(struct resolve *resolver, struct subst *subst)
{
	struct reading *reading = resolver->reading;
	struct value *value = NULL, *result;

	subst->own = true;
	if (subst->optional &&
	    resolve_given(resolver, subst, NULL, false, &result) == FAILED)
		return false;
	if (lookup_environment(reading, subst, subst->path.items[0], &value) ==
		    MISSING &&
	    !subst->optional)
		return true;
	return resolve_given(resolver, subst, value, false, &result) != FAILED;
}

typedef bool (*own_fn)(struct resolve *resolver, struct subst *subst,
		       struct value *before, struct value **now);

static bool on_first(struct resolve *resolver, struct subst *subst,
		     struct value *before, struct value **now)
{
	(void)before;
	(void)now;
	return substitute_first(resolver, subst);
}

/* What the key held before is not known yet: ClearML gives up, the passes will
 * know. */
static bool meets_dead_end(struct resolve *resolver, const struct value *value,
			   const struct agenda_list *own)
{
	struct reading *reading = resolver->reading;

	resolver->dead_end = true;
	for (size_t i = 0; i < own->count; i++)
		own->items[i]->told = true;
	return reading_departs(reading, reading_source(reading, value),
			       value->offset,
			       "a reference to the key itself, which held a "
			       "substitution before");
}

/* Those in *value that refer to @key, which held @before. */
static bool each_own(struct resolve *resolver, struct str key,
		     struct value *before, struct value **value, own_fn own)
{
	struct agenda_list list = resolve_gathered(*value);
	struct subst *subst;
	bool ok = true;

	for (size_t i = 0; ok && i < list.count && !resolver->dead_end; i++) {
		subst = list.items[i];
		if (!str_equal(subst->path.items[0], key) ||
		    is_known(resolver, subst))
			continue;
		ok = tree_is_delayed(before)
			     ? meets_dead_end(resolver, *value, &list)
			     : own(resolver, subst, before, value);
	}
	mem_free(list.items);
	return ok;
}

/* ClearML gave up on the way: the last value of the key holds. */
static void put_back(struct resolve *resolver, struct str key,
		     struct value *last)
{
	struct reading *reading = resolver->reading;

	if (tree_is_delayed(last) && tree_delayed(last)->placed)
		last = tree_delayed(last)->placed;
	*value_object_slot(reading->root, reading->arena, key) = last;
}

static bool resolve_history(struct resolve *resolver, struct str key,
			    struct value *history)
{
	struct value *before, *value;
	uint32_t count = history->list.count;

	if (count == 1)
		return each_own(resolver, key, NULL, &history->list.items[0],
				on_first);
	before = history->list.items[0];
	for (uint32_t i = 1; i < count && !resolver->dead_end; i++) {
		value = history->list.items[i];
		if (!each_own(resolver, key, before, &value, substitute_before))
			return false;
		before = value;
	}
	if (resolver->reading->departed)
		put_back(resolver, key, history->list.items[count - 1]);
	return true;
}

/* ClearML stumbles over a key that goes, or comes, while it walks through all
 * of them, unless it is the last. */
static bool stumbles(struct resolve *resolver, struct str key,
		     struct value *history)
{
	struct reading *reading = resolver->reading;
	const struct value *value =
		history->list.items[history->list.count - 1];

	if (value_is(value_get(reading->root, key), VALUE_NULL))
		value_object_remove(reading->root, key);
	return reading_departs(
		reading, reading_source(reading, value), value->offset,
		"a key that is nothing but a reference to itself, with other "
		"keys after it");
}

bool resolve_own(struct resolve *resolver)
{
	struct value *root = resolver->reading->root, *history;
	struct str *keys;
	uint32_t count = root->object.count;
	bool ok = true;

	keys = mem_alloc(count * sizeof(*keys) + 1);
	for (uint32_t i = 0; i < count; i++)
		keys[i] = member_key(&root->object.members[i]);
	for (uint32_t i = 0; ok && i < count; i++) {
		history = versions_of(resolver->reading, keys[i]);
		if (!history)
			continue;
		resolver->root_changed = resolver->dead_end = false;
		ok = resolve_history(resolver, keys[i], history) &&
		     (!resolver->root_changed || i + 1 == count ||
		      stumbles(resolver, keys[i], history));
	}
	mem_free(keys);
	return ok;
}
