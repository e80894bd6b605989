#include "read/lookup.h"

#include "base/arena.h"
#include "base/env.h"
#include "read/key.h"
#include "read/reading.h"
#include "read/resolve.h"
#include "read/tree.h"

static struct source *source_of(struct resolver *resolver,
				const struct subst *subst)
{
	return resolver->reading->doc->sources[subst->source];
}

static bool fail(struct resolver *resolver, const struct subst *subst,
		 const char *what)
{
	return diag_at(resolver->reading->diag, source_of(resolver, subst),
		       subst->offset, "%s", what);
}

static bool departs(struct resolver *resolver, const struct subst *subst,
		    const char *what)
{
	return reading_departs(resolver->reading, source_of(resolver, subst),
			       subst->offset, what);
}

static bool cycle(struct resolver *resolver, const struct subst *subst)
{
	return diag_at(resolver->reading->diag, source_of(resolver, subst),
		       subst->offset, "${%.*s} leads back to itself",
		       STR_PRINT(subst->text));
}

static bool is_falsy(const struct value *value)
{
	switch (value->type) {
	case VALUE_BOOL: return !value->boolean;
	case VALUE_INT: return str_is(value_text(value), "0");
	case VALUE_REAL: return value->real == 0;
	case VALUE_STRING: return !value->text.len;
	case VALUE_LIST: return !value->list.count;
	case VALUE_OBJECT: return !value->object.count;
	default: return false;
	}
}

/* The key of the value that @subst stands in: what it held before. @value is
 * the key's and BUSY. */
static enum found look_back(struct resolver *resolver,
			    const struct subst *subst, struct value *value,
			    struct value **found)
{
	struct delayed *delayed = tree_delayed(value);

	while (delayed->earlier && tree_is_delayed(delayed->earlier) &&
	       tree_delayed(delayed->earlier)->state == DELAYED_BUSY)
		delayed = tree_delayed(delayed->earlier);
	if (delayed->jump != resolver->jump ||
	    (subst->append && !delayed->earlier)) {
		cycle(resolver, subst);
		return FAILED;
	}
	if (!delayed->earlier)
		return departs(resolver, subst,
			       "a reference to the key itself, which held "
			       "nothing before")
			       ? MISSING
			       : FAILED;
	if (is_falsy(delayed->earlier) &&
	    !departs(resolver, subst,
		     "a reference to an empty earlier value of the same key"))
		return FAILED;
	*found = delayed->earlier;
	if (!resolve_value(resolver, found))
		return FAILED;
	return *found ? FOUND : MISSING;
}

/* @value stands at @path, on the way or at its end; make it a plain one. */
static enum found settle(struct resolver *resolver, const struct subst *subst,
			 const struct path *path, struct value **value)
{
	struct value *delayed = *value;

	if (!tree_waits(*value))
		return FOUND;
	if (!tree_is_delayed(*value) && (*value)->flags & TREE_BUSY) {
		cycle(resolver, subst);
		return FAILED;
	}
	if (tree_is_delayed(delayed) &&
	    tree_delayed(delayed)->state == DELAYED_BUSY)
		return look_back(resolver, subst, delayed, value);
	if (!resolve_there(resolver, value, path))
		return FAILED;
	if (*value)
		return FOUND;
	if (!tree_delayed(delayed)->found_null)
		return MISSING;
	*value = reading_value(resolver->reading, VALUE_NULL, delayed->source,
			       delayed->offset);
	return departs(resolver, subst,
		       "a reference to a key that is null "
		       "by another reference")
		       ? FOUND
		       : FAILED;
}

static enum found walk(struct resolver *resolver, const struct subst *subst,
		       const struct path *path, struct value **found);
static enum found pass(struct resolver *resolver, const struct subst *subst,
		       const struct path *path, struct value **value);

/* On the way down through a key that is another one, and is being resolved:
 * ClearML has put that other one there by now. */
static enum found pass_alias(struct resolver *resolver,
			     const struct subst *subst,
			     const struct subst *alias, struct value **value)
{
	enum found step;

	if (++resolver->frames > RESOLVE_FRAMES_MAX) {
		cycle(resolver, subst);
		return FAILED;
	}
	step = walk(resolver, subst, &alias->path, value);
	if (step == FOUND)
		step = pass(resolver, subst, &alias->path, value);
	resolver->frames--;
	return step;
}

/* The other key that @value is, and nothing else; NULL: it is more. */
static const struct subst *alias_of(const struct value *value)
{
	const struct delayed *delayed = tree_delayed(value);
	const struct piece *piece = delayed->pieces;

	return delayed->count == 1 && !delayed->earlier &&
			       piece->kind == PIECE_SUBST && !piece->subst->self
		       ? piece->subst
		       : NULL;
}

/* On the way down a path: what is delayed must be known now. */
static enum found pass(struct resolver *resolver, const struct subst *subst,
		       const struct path *path, struct value **value)
{
	const struct subst *alias;

	if (!tree_is_delayed(*value))
		return FOUND;
	if (tree_delayed(*value)->state == DELAYED_BUSY) {
		if (subst->first && subst->optional)
			return MISSING;
		alias = alias_of(*value);
		if (alias && alias != subst)
			return pass_alias(resolver, subst, alias, value);
	}
	if (tree_delayed(*value)->state == DELAYED_WAITING &&
	    tree_waits_for_others(*value) &&
	    !departs(resolver, subst,
		     "a path through a key that is itself a substitution"))
		return FAILED;
	return settle(resolver, subst, path, value);
}

/* What stands at @path, as it is. */
static enum found walk(struct resolver *resolver, const struct subst *subst,
		       const struct path *path, struct value **found)
{
	struct value *value = resolver->root;
	struct path so_far = {path->items, 0};
	enum found step;

	for (; so_far.count < path->count; so_far.count++) {
		step = pass(resolver, subst, &so_far, &value);
		if (step != FOUND)
			return step;
		if (value->type != VALUE_OBJECT)
			return BLOCKED;
		value = value_get(value, path->items[so_far.count]);
		if (!value)
			return MISSING;
	}
	*found = value;
	return FOUND;
}

static enum found look_up(struct resolver *resolver, const struct subst *subst,
			  const struct path *path, struct value **found)
{
	enum found step = walk(resolver, subst, path, found);

	return step == FOUND ? settle(resolver, subst, path, found) : step;
}

static enum found from_environment(struct resolver *resolver,
				   const struct subst *subst, struct str name,
				   struct value **found)
{
	struct reading *reading = resolver->reading;
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
static enum found without_padding(struct resolver *resolver,
				  const struct subst *subst,
				  struct value **found)
{
	struct str bare = str_trim(subst->text);
	struct path path;
	enum found step;

	if (bare.len == subst->text.len ||
	    !key_cut(resolver->reading, bare, &path) || !path.count)
		return MISSING;
	step = look_up(resolver, subst, &path, found);
	if (step == MISSING)
		step = from_environment(resolver, subst, bare, found);
	if (step == FOUND &&
	    !departs(resolver, subst, "spaces around the path"))
		return FAILED;
	return step;
}

/* In an included text, the specification looks beside it too. */
static enum found in_scope(struct resolver *resolver, const struct subst *subst,
			   struct value **found)
{
	struct reading *reading = resolver->reading;
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
	step = look_up(resolver, subst, &path, found);
	if (step == FOUND &&
	    !departs(resolver, subst,
		     "a path within an included text, not from the root"))
		return FAILED;
	return step;
}

/* What keys say of a value: there, and here where it goes. */
struct secrecy {
	unsigned int from, to;
};

static struct secrecy below(const struct resolver *resolver,
			    struct secrecy above, struct str key)
{
	return (struct secrecy){
		resolve_secrecy(resolver, above.from, key),
		resolve_secrecy(resolver, above.to, key),
	};
}

static bool stays_secret(const struct resolver *resolver,
			 const struct value *copy, struct secrecy secrecy)
{
	struct reading *reading = resolver->reading;

	if (!(secrecy.from & ~secrecy.to & READ_SECRET))
		return true;
	return diag_at(reading->diag, reading_source(reading, copy),
		       copy->offset, "refers to a secret of the host");
}

static struct value *copy_lower(struct resolver *resolver,
				const struct value *place,
				const struct value *value,
				struct secrecy secrecy);

static bool copy_elements(struct resolver *resolver, struct value *copy,
			  const struct value *list, struct secrecy secrecy)
{
	struct value *item;

	for (uint32_t i = 0; i < list->list.count; i++) {
		item = copy_lower(resolver, copy, list->list.items[i], secrecy);
		if (!item)
			return false;
		value_list_add(copy, resolver->reading->arena, item);
	}
	return true;
}

static bool copy_members(struct resolver *resolver, struct value *copy,
			 const struct value *object, struct secrecy secrecy)
{
	struct arena *arena = resolver->reading->arena;
	struct member *member;
	struct value *item;
	struct str key;

	for (value_each (object, member)) {
		key = arena_str(arena, member_key(member));
		item = copy_lower(resolver, copy, member->value,
				  below(resolver, secrecy, key));
		if (!item)
			return false;
		*value_object_slot(copy, arena, key) = item;
	}
	return true;
}

/* A copy of @value that outlives the lower layers, at @place; NULL when it is
 * too much, or would come out. @secrecy: of the keys above it. */
static struct value *copy_lower(struct resolver *resolver,
				const struct value *place,
				const struct value *value,
				struct secrecy secrecy)
{
	struct reading *reading = resolver->reading;
	struct value *copy = reading_value(reading, value->type, place->source,
					   place->offset);
	struct str text;
	bool ok = reading_charge(reading, place, 1) &&
		  stays_secret(resolver, copy, secrecy);

	copy->flags = secrecy.from & READ_SECRET ? TREE_SECRET : 0;
	if (value->type == VALUE_BOOL)
		copy->boolean = value->boolean;
	else if (value->type == VALUE_REAL)
		copy->real = value->real;
	else if (value->type == VALUE_LIST)
		ok = ok && copy_elements(resolver, copy, value, secrecy);
	else if (value->type == VALUE_OBJECT)
		ok = ok && copy_members(resolver, copy, value, secrecy);
	else if (value->type != VALUE_NULL) {
		text = arena_str(reading->arena, value_text(value));
		copy->text.ptr = text.ptr;
		copy->text.len = (uint32_t)text.len;
	}
	return ok ? copy : NULL;
}

static enum found in_lower(struct resolver *resolver, const struct subst *subst,
			   struct value **found)
{
	struct reading *reading = resolver->reading;
	const struct value *value = reading->options->lower;
	const struct value place = {.source = subst->source,
				    .offset = subst->offset};
	struct secrecy secrecy = {0, resolver->secrecy};

	if (!value)
		return MISSING;
	reading->doc->used_lower = true;
	for (size_t i = 0; value && i < subst->path.count; i++) {
		value = value_get(value, subst->path.items[i]);
		secrecy.from = resolve_secrecy(resolver, secrecy.from,
					       subst->path.items[i]);
	}
	if (!value)
		return MISSING;
	if (!departs(resolver, subst, "a path that only a lower layer has"))
		return FAILED;
	*found = copy_lower(resolver, &place, value, secrecy);
	return *found ? FOUND : FAILED;
}

/* Nowhere in the text: the places after it. */
static enum found elsewhere(struct resolver *resolver,
			    const struct subst *subst, struct value **found)
{
	enum found step = from_environment(resolver, subst, subst->text, found);

	if (step != MISSING || subst->optional)
		return step;
	step = without_padding(resolver, subst, found);
	if (step == MISSING || step == BLOCKED)
		step = in_scope(resolver, subst, found);
	if (step == MISSING || step == BLOCKED)
		step = in_lower(resolver, subst, found);
	if (step != MISSING)
		return step;
	if (subst->self) {
		cycle(resolver, subst);
		return FAILED;
	}
	diag_at(resolver->reading->diag, source_of(resolver, subst),
		subst->offset,
		"${%.*s} is not defined here, in the environment, or in a "
		"lower layer",
		STR_PRINT(subst->text));
	return FAILED;
}

/* ${key} within the value of the root's key. */
static enum found look_at_self(struct resolver *resolver,
			       const struct subst *subst, struct value **found)
{
	if (!subst->back)
		return MISSING;
	*found = subst->back;
	if (!resolve_value(resolver, found))
		return FAILED;
	return *found ? FOUND : MISSING;
}

/* A path through something that is no object: nothing to the specification. */
static enum found unblocked(struct resolver *resolver,
			    const struct subst *subst)
{
	if (subst->first && subst->optional)
		return MISSING;
	return departs(resolver, subst,
		       "a path through something that is not an object")
		       ? MISSING
		       : FAILED;
}

/* What @path leads to from @value; NULL also when something on the way is no
 * object, or not yet. */
static const struct value *plain_at(const struct value *value,
				    const struct path *path, size_t from)
{
	while (value && from < path->count)
		value = value_get(value, path->items[from++]);
	return value;
}

/* ${key} and ${key.x} within the key: ClearML looks into what the key held
 * before, and whatever that is must be there, also when it never shows. */
bool lookup_check_self(struct resolver *resolver, const struct subst *subst)
{
	const struct value *back = subst->back;

	if (!back)
		return true;
	if (subst->path.count > 1 && plain_at(resolver->root, &subst->path, 0))
		return true;
	if (tree_waits_for_others(back))
		return departs(
			resolver, subst,
			"a reference to an earlier value of the same key "
			"that is a substitution itself");
	return tree_is_delayed(back) || plain_at(back, &subst->path, 1) ||
	       departs(resolver, subst,
		       "a path within the key itself, which held no such thing "
		       "before");
}

enum found lookup(struct resolver *resolver, const struct subst *subst,
		  struct value **found)
{
	enum found step =
		subst->self ? look_at_self(resolver, subst, found)
			    : look_up(resolver, subst, &subst->path, found);

	if (step == BLOCKED && !subst->self && subst->back)
		step = MISSING; /* that has been told of */
	if (step == BLOCKED)
		step = unblocked(resolver, subst);
	if (step == MISSING)
		step = elsewhere(resolver, subst, found);
	if (step == FOUND && (*found)->flags & TREE_SECRET &&
	    !(resolver->secrecy & READ_SECRET))
		return fail(resolver, subst, "refers to a secret of the host")
			       ? FOUND
			       : FAILED;
	return step;
}
