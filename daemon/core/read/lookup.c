#include "read/lookup.h"

#include "base/arena.h"
#include "base/env.h"
#include "read/key.h"
#include "read/reading.h"
#include "read/tree.h"

static struct source *source_of(struct reading *reading,
				const struct subst *subst)
{
	return reading->doc->sources[subst->source];
}

bool lookup_departs(struct reading *reading, struct subst *subst,
		    const char *what)
{
	if (subst->told)
		return true;
	subst->told = true;
	return reading_departs(reading, source_of(reading, subst),
			       subst->offset, what);
}

enum found lookup_path(struct reading *reading, const struct path *path,
		       struct value **found)
{
	struct value *value = reading->root;

	for (size_t i = 0; i < path->count; i++) {
		if (tree_is_delayed(value))
			return WAITS;
		if (!value_is(value, VALUE_OBJECT))
			return BLOCKED;
		value = value_get(value, path->items[i]);
		if (!value)
			return MISSING;
	}
	*found = value;
	return FOUND;
}

enum found lookup_environment(struct reading *reading,
			      const struct subst *subst, struct str name,
			      struct value **found)
{
	struct str text;

	reading->doc->used_environment = true;
	if (!env_get(reading->options->env, name, &text))
		return MISSING;
	text = arena_str(reading->arena, text);
	*found = reading_value(reading, VALUE_STRING, subst->source,
			       subst->offset);
	(*found)->text.ptr = text.ptr;
	(*found)->text.len = (uint32_t)text.len;
	return FOUND;
}

/* ${ b } is ${b} to the specification. */
static enum found without_padding(struct reading *reading, struct subst *subst,
				  struct value **found)
{
	struct str bare = str_trim(subst->text);
	struct path path;
	enum found step;

	if (bare.len == subst->text.len || !key_cut(reading, bare, &path) ||
	    !path.count)
		return MISSING;
	step = lookup_path(reading, &path, found);
	if (step == MISSING)
		step = lookup_environment(reading, subst, bare, found);
	if (step == FOUND &&
	    !lookup_departs(reading, subst, "spaces around the path"))
		return FAILED;
	return step;
}

/* In an included text, the specification looks beside it too. */
static enum found in_scope(struct reading *reading, struct subst *subst,
			   struct value **found)
{
	const struct path *scope = subst->scope;
	struct path path;
	enum found step;

	if (!scope)
		return MISSING;
	path.count = scope->count + subst->path.count;
	path.items =
		arena_alloc(reading->arena, path.count * sizeof(*path.items));
	memcpy(path.items, scope->items, scope->count * sizeof(*path.items));
	memcpy(path.items + scope->count, subst->path.items,
	       subst->path.count * sizeof(*path.items));
	step = lookup_path(reading, &path, found);
	if (step == FOUND &&
	    !lookup_departs(reading, subst,
			    "a path within an included text, not from the "
			    "root"))
		return FAILED;
	return step;
}

/* There ClearML does not look, and the specification looks first. */
static void warn_of_scope(struct reading *reading, struct subst *subst,
			  const struct value *found)
{
	const struct value *value = reading->root;

	if (!subst->scope || subst->warned)
		return;
	for (size_t i = 0; i < subst->scope->count; i++)
		value = value_get(value, subst->scope->items[i]);
	for (size_t i = 0; i < subst->path.count; i++)
		value = value_get(value, subst->path.items[i]);
	if (!value || value == found)
		return;
	subst->warned = true;
	reading_warn(reading, source_of(reading, subst), subst->offset,
		     "ClearML takes this from the root, although there is one "
		     "where the text is included");
}

/* --- in the lower layers -------------------------------------------------- */

static unsigned int below(const struct reading *reading, unsigned int above,
			  struct str key)
{
	const struct read_options *options = reading->options;

	return options->secrecy ? options->secrecy(above, key) : 0;
}

static struct value *copy_lower(struct reading *reading,
				const struct value *place,
				const struct value *value,
				unsigned int secrecy);

static bool copy_elements(struct reading *reading, struct value *copy,
			  const struct value *list, unsigned int secrecy)
{
	struct value *item;

	for (uint32_t i = 0; i < list->list.count; i++) {
		item = copy_lower(reading, copy, list->list.items[i], secrecy);
		if (!item)
			return false;
		value_list_add(copy, reading->arena, item);
	}
	return true;
}

static bool copy_members(struct reading *reading, struct value *copy,
			 const struct value *object, unsigned int secrecy)
{
	struct arena *arena = reading->arena;
	struct member *member;
	struct value *item;
	struct str key;

	for (value_each (object, member)) {
		key = arena_str(arena, member_key(member));
		item = copy_lower(reading, copy, member->value,
				  below(reading, secrecy, key));
		if (!item)
			return false;
		*value_object_slot(copy, arena, key) = item;
	}
	return true;
}

/* A copy of @value that outlives the lower layers, at @place; NULL when it is
 * too much, or would come out. @secrecy: of the keys above it. */
static struct value *copy_lower(struct reading *reading,
				const struct value *place,
				const struct value *value, unsigned int secrecy)
{
	struct value *copy = reading_value(reading, value->type, place->source,
					   place->offset);
	struct str text;
	bool ok = reading_charge(reading, place, 1);

	if (secrecy & READ_SECRET) {
		copy->flags = TREE_SECRET;
		reading->has_secrets = true;
	}
	if (value->type == VALUE_BOOL)
		copy->boolean = value->boolean;
	else if (value->type == VALUE_REAL)
		copy->real = value->real;
	else if (value->type == VALUE_LIST)
		ok = ok && copy_elements(reading, copy, value, secrecy);
	else if (value->type == VALUE_OBJECT)
		ok = ok && copy_members(reading, copy, value, secrecy);
	else if (value->type != VALUE_NULL) {
		text = arena_str(reading->arena, value_text(value));
		copy->text.ptr = text.ptr;
		copy->text.len = (uint32_t)text.len;
	}
	return ok ? copy : NULL;
}

static enum found in_lower(struct reading *reading, struct subst *subst,
			   struct value **found)
{
	const struct value *value = reading->options->lower;
	const struct value place = {.source = subst->source,
				    .offset = subst->offset};
	unsigned int secrecy = 0;

	if (!value)
		return MISSING;
	reading->doc->used_lower = true;
	for (size_t i = 0; value && i < subst->path.count; i++) {
		value = value_get(value, subst->path.items[i]);
		secrecy = below(reading, secrecy, subst->path.items[i]);
	}
	if (!value)
		return MISSING;
	if (!lookup_departs(reading, subst,
			    "a path that only a lower layer has"))
		return FAILED;
	*found = copy_lower(reading, &place, value, secrecy);
	return *found ? FOUND : FAILED;
}

/* --- everywhere ---------------------------------------------------------- */

enum found lookup_elsewhere(struct reading *reading, struct subst *subst,
			    struct value **found)
{
	enum found step =
		lookup_environment(reading, subst, subst->text, found);

	if (step != MISSING || subst->optional)
		return step;
	step = without_padding(reading, subst, found);
	if (step == MISSING || step == BLOCKED)
		step = in_scope(reading, subst, found);
	if (step == MISSING || step == BLOCKED)
		step = in_lower(reading, subst, found);
	return step;
}

enum found lookup(struct reading *reading, struct subst *subst,
		  struct value **found)
{
	enum found step = lookup_path(reading, &subst->path, found);

	if (step == FOUND)
		warn_of_scope(reading, subst, *found);
	if (step == WAITS)
		return lookup_departs(reading, subst,
				      "a path through a key that is itself a "
				      "substitution")
			       ? WAITS
			       : FAILED;
	if (step == BLOCKED) /* nothing, to the specification */
		step = lookup_departs(reading, subst,
				      "a path through something that is not "
				      "an object")
			       ? MISSING
			       : FAILED;
	return step == MISSING ? lookup_elsewhere(reading, subst, found) : step;
}
