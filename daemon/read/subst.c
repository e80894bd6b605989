#include "read/subst.h"

#include "base/env.h"
#include "base/mem.h"
#include "read/concat.h"
#include "read/key.h"
#include "read/reading.h"
#include "read/tree.h"

/* How far a chain of references may lead before the stack is in danger. */
#define FRAMES_MAX 2000

struct resolver {
	struct reading *reading;
	struct value *root;
	size_t frames; /* of resolve() on the stack */
	size_t level;  /* of the value being resolved, in the tree */
	size_t jump;   /* which reference was followed last; 0: none */
	size_t last_jump;
	bool secret; /* one of the keys that lead here is secret */
};

enum found { FOUND, MISSING, BLOCKED, FAILED };

static bool resolve(struct resolver *resolver, struct value **slot);

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
	}
}

void subst_rebase_self(struct reading *reading, size_t first,
		       const struct value *root)
{
	struct subst *subst;
	struct value *earlier;

	for (size_t i = first; i < reading->subst_count; i++) {
		subst = reading->substs[i];
		earlier = subst->self ? value_get(root, subst->path.items[0])
				      : NULL;
		if (earlier)
			subst->back = tree_copy_objects(reading, earlier);
	}
}

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

static bool is_secret(const struct resolver *resolver, struct str key)
{
	bool (*secret)(struct str) = resolver->reading->options->is_secret_key;

	return secret && secret(key);
}

/* --- what a value becomes ------------------------------------------------ */

/* An object without the members that turned out to be nothing. */
static void drop_missing(struct resolver *resolver, struct value *object)
{
	struct value kept = {.type = VALUE_OBJECT};
	struct member *member;

	for (value_each (object, member))
		if (member->value)
			*value_object_slot(&kept, resolver->reading->arena,
					   member_key(member)) = member->value;
	object->object = kept.object;
}

static bool resolve_members(struct resolver *resolver, struct value *object)
{
	bool secret = resolver->secret, missing = false, ok = true;
	struct member *member;

	for (value_each (object, member)) {
		if (!tree_waits(member->value))
			continue;
		resolver->secret =
			secret || is_secret(resolver, member_key(member));
		ok = resolve(resolver, &member->value);
		if (!ok)
			break;
		missing = missing || !member->value;
	}
	resolver->secret = secret;
	if (ok && missing)
		drop_missing(resolver, object);
	return ok;
}

/* In a list null stays and nothing goes, whatever the index (A2). */
static bool resolve_elements(struct resolver *resolver, struct value *list)
{
	struct reading *reading = resolver->reading;
	struct value **items = list->list.items, *delayed;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < list->list.count; i++) {
		delayed = items[i];
		if (tree_waits(items[i]) && !resolve(resolver, &items[i]))
			return false;
		if (!items[i] && tree_delayed(delayed)->found_null)
			items[i] =
				reading_value(reading, VALUE_NULL,
					      delayed->source, delayed->offset);
		if (items[i])
			items[kept++] = items[i];
		else
			reading_warn(reading, reading_source(reading, delayed),
				     delayed->offset,
				     "nothing to substitute: this element is "
				     "left out, where ClearML may leave null");
	}
	list->list.count = kept;
	return true;
}

static bool resolve_inside(struct resolver *resolver, struct value *value)
{
	bool ok;

	value->flags |= TREE_BUSY;
	resolver->level++;
	ok = value->type == VALUE_OBJECT ? resolve_members(resolver, value)
					 : resolve_elements(resolver, value);
	resolver->level--;
	value->flags &= (uint8_t) ~(TREE_BUSY | TREE_DELAYED);
	return ok;
}

/* --- what a path leads to ------------------------------------------------ */

/* Resolve what a reference leads to, as if met on the way down. */
static bool resolve_there(struct resolver *resolver, struct value **slot,
			  const struct path *path)
{
	struct resolver here = *resolver;
	bool ok;

	resolver->jump = ++resolver->last_jump;
	resolver->level = path->count;
	resolver->secret = false;
	for (size_t i = 0; i < path->count; i++)
		resolver->secret =
			resolver->secret || is_secret(resolver, path->items[i]);
	ok = resolve(resolver, slot);
	resolver->jump = here.jump;
	resolver->level = here.level;
	resolver->secret = here.secret;
	return ok;
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
	if (!resolve(resolver, found))
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

/* On the way down a path: what is delayed must be known now. */
static enum found pass(struct resolver *resolver, const struct subst *subst,
		       const struct path *path, struct value **value)
{
	if (!tree_is_delayed(*value))
		return FOUND;
	if (tree_delayed(*value)->state == DELAYED_BUSY && subst->first &&
	    subst->optional)
		return MISSING;
	if (tree_delayed(*value)->state == DELAYED_WAITING &&
	    !departs(resolver, subst,
		     "a path through a key that is itself a substitution"))
		return FAILED;
	return settle(resolver, subst, path, value);
}

static enum found look_up(struct resolver *resolver, const struct subst *subst,
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
	return settle(resolver, subst, path, found);
}

/* --- where else a path may lead ------------------------------------------ */

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

/* A copy of @value that outlives the lower layers; NULL when it is too much.
 * @secret: so is everything in it. */
static struct value *copy_lower(struct resolver *resolver,
				const struct subst *subst,
				const struct value *value, bool secret)
{
	struct reading *reading = resolver->reading;
	struct value *copy = reading_value(reading, VALUE_NULL, subst->source,
					   subst->offset),
		     *item;
	struct member *member;
	struct str text;

	if (!reading_charge(reading, 1))
		return NULL;
	*copy = (struct value){
		.type = value->type,
		.flags = secret ? TREE_SECRET : 0,
		.source = copy->source,
		.offset = copy->offset,
	};
	switch (value->type) {
	case VALUE_BOOL: copy->boolean = value->boolean; break;
	case VALUE_REAL: copy->real = value->real; break;
	case VALUE_INT:
	case VALUE_STRING:
		text = arena_str(reading->arena, value_text(value));
		copy->text.ptr = text.ptr;
		copy->text.len = (uint32_t)text.len;
		break;
	case VALUE_LIST:
		for (uint32_t i = 0; i < value->list.count; i++) {
			item = copy_lower(resolver, subst, value->list.items[i],
					  secret);
			if (!item)
				return NULL;
			value_list_add(copy, reading->arena, item);
		}
		break;
	case VALUE_OBJECT:
		for (value_each (value, member)) {
			item = copy_lower(
				resolver, subst, member->value,
				secret || is_secret(resolver,
						    member_key(member)));
			if (!item)
				return NULL;
			*value_object_slot(
				copy, reading->arena,
				arena_str(reading->arena, member_key(member))) =
				item;
		}
		break;
	default: break;
	}
	return copy;
}

static enum found in_lower(struct resolver *resolver, const struct subst *subst,
			   struct value **found)
{
	struct reading *reading = resolver->reading;
	const struct value *value = reading->options->lower;
	bool secret = false;

	if (!value)
		return MISSING;
	reading->doc->used_lower = true;
	for (size_t i = 0; value && i < subst->path.count; i++) {
		value = value_get(value, subst->path.items[i]);
		secret = secret || is_secret(resolver, subst->path.items[i]);
	}
	if (!value)
		return MISSING;
	*found = copy_lower(resolver, subst, value, secret);
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
	diag_at(resolver->reading->diag, source_of(resolver, subst),
		subst->offset,
		"${%.*s} is not defined here, in the environment, or in a "
		"lower layer",
		STR_PRINT(subst->text));
	return FAILED;
}

/* Does what a key held before wait for other keys? ClearML gives up then. */
static bool waits_for_others(const struct value *value)
{
	const struct delayed *delayed;

	if (!tree_is_delayed(value))
		return false;
	delayed = tree_delayed(value);
	for (size_t i = 0; i < delayed->count; i++)
		if (delayed->pieces[i].kind == PIECE_SUBST &&
		    !delayed->pieces[i].subst->self)
			return true;
	return false;
}

/* ${key} within the value of the root's key. */
static enum found look_at_self(struct resolver *resolver,
			       const struct subst *subst, struct value **found)
{
	if (!subst->back)
		return MISSING;
	if (waits_for_others(subst->back) &&
	    !departs(resolver, subst,
		     "a reference to an earlier value of the same key that "
		     "is a substitution itself"))
		return FAILED;
	*found = subst->back;
	if (!resolve(resolver, found))
		return FAILED;
	return *found ? FOUND : MISSING;
}

/* A path through something that is no object: nothing to the specification. */
static enum found unblocked(struct resolver *resolver,
			    const struct subst *subst)
{
	return departs(resolver, subst,
		       "a path through something that is not an object")
		       ? MISSING
		       : FAILED;
}

/* What @subst stands for: FOUND or MISSING. */
static enum found find(struct resolver *resolver, const struct subst *subst,
		       struct value **found)
{
	enum found step =
		subst->self ? look_at_self(resolver, subst, found)
			    : look_up(resolver, subst, &subst->path, found);

	if (step == BLOCKED)
		step = unblocked(resolver, subst);
	if (step == MISSING)
		step = elsewhere(resolver, subst, found);
	if (step == FOUND && (*found)->flags & TREE_SECRET && !resolver->secret)
		return fail(resolver, subst, "refers to a secret of the host")
			       ? FOUND
			       : FAILED;
	return step;
}

/* Every value of @value counts again where it is substituted. */
static bool charge(struct resolver *resolver, const struct subst *subst,
		   const struct value *value, size_t level)
{
	struct member *member;

	if (!reading_charge(resolver->reading, 1))
		return false;
	if (level > reading_levels_max(resolver->reading))
		return fail(resolver, subst,
			    "this substitution nests too deep");
	if (value->type == VALUE_LIST)
		for (uint32_t i = 0; i < value->list.count; i++)
			if (!charge(resolver, subst, value->list.items[i],
				    level + 1))
				return false;
	if (value->type == VALUE_OBJECT)
		for (value_each (value, member))
			if (!charge(resolver, subst, member->value, level + 1))
				return false;
	return true;
}

/* --- delayed values ------------------------------------------------------ */

/* The pieces of a delayed value that stand for something. */
struct settled {
	struct piece *pieces;
	size_t count;
	bool secret;
};

/* A substituted scalar in front of something is text, with its blanks. */
static void add_settled(struct resolver *resolver, struct settled *settled,
			const struct subst *subst, struct value *value,
			bool last)
{
	struct piece piece = {
		.kind = PIECE_VALUE,
		.offset = subst->offset,
		.value = value,
	};

	if (!last && value->type < VALUE_LIST) {
		piece.kind = PIECE_TEXT;
		piece.text = concat_text(resolver->reading, value);
		piece.blanks = subst->blanks;
	} else if (!last || settled->count) {
		piece.value = tree_copy_objects(resolver->reading, value);
	} else {
		piece.value =
			arena_alloc(resolver->reading->arena, sizeof(*value));
		*piece.value = *value;
		piece.value->offset = subst->offset;
		piece.value->source = subst->source;
	}
	settled->secret = settled->secret || value->flags & TREE_SECRET;
	settled->pieces[settled->count++] = piece;
}

static void add_null(struct resolver *resolver, struct settled *settled,
		     const struct subst *subst)
{
	struct value *null = reading_value(resolver->reading, VALUE_NULL,
					   subst->source, subst->offset);

	add_settled(resolver, settled, subst, null, true);
}

static bool settle_subst(struct resolver *resolver, struct delayed *delayed,
			 size_t index, struct settled *settled)
{
	const struct subst *subst = delayed->pieces[index].subst;
	bool last = index + 1 == delayed->count;
	struct value *value = NULL;
	enum found step = find(resolver, subst, &value);

	if (step == FAILED)
		return false;
	if (step == MISSING) {
		/* ClearML's accident: null, not absent. */
		if (subst->first && delayed->count == 1)
			add_null(resolver, settled, subst);
		return true;
	}
	if (value->type == VALUE_NULL && !subst->self) {
		delayed->found_null = true;
		return true;
	}
	if (!charge(resolver, subst, value, resolver->level))
		return false;
	add_settled(resolver, settled, subst, value, last);
	return true;
}

/* Pieces are settled in place: what is left moves up. */
static bool settle_pieces(struct resolver *resolver, struct delayed *delayed,
			  struct settled *settled)
{
	struct piece *piece = delayed->pieces;
	bool ok = true;

	settled->pieces = piece;
	for (size_t i = 0; ok && i < delayed->count; i++, piece++) {
		if (piece->kind == PIECE_SUBST) {
			ok = settle_subst(resolver, delayed, i, settled);
			continue;
		}
		if (piece->kind == PIECE_VALUE && tree_waits(piece->value))
			ok = resolve(resolver, &piece->value);
		settled->pieces[settled->count++] = *piece;
	}
	return ok;
}

/* Text added to a list: one more element, by the specification. */
static bool append_element(struct resolver *resolver, struct value *place,
			   struct settled *settled)
{
	struct reading *reading = resolver->reading;
	struct piece *last = &settled->pieces[settled->count - 1];
	struct value *list;

	if (!tree_delayed(place)->append || settled->count < 2 ||
	    !value_is(settled->pieces[0].value, VALUE_LIST) ||
	    settled->pieces[0].kind != PIECE_VALUE ||
	    last->value->type != VALUE_STRING)
		return true;
	list = reading_value(reading, VALUE_LIST, place->source, place->offset);
	value_list_add(list, reading->arena, last->value);
	last->value = list;
	settled->pieces[1] = *last;
	settled->count = 2;
	return reading_departs(reading, reading_source(reading, place),
			       place->offset, "text added to a list");
}

/* @delayed's own value is known: what the key held before still counts when
 * both are objects. */
static bool over_earlier(struct resolver *resolver, struct value *place)
{
	struct reading *reading = resolver->reading;
	struct delayed *delayed = tree_delayed(place);
	struct value *earlier = delayed->earlier, *merged;

	if (delayed->result->type != VALUE_OBJECT)
		return !delayed->onto_object ||
		       reading_departs(reading, reading_source(reading, place),
				       place->offset,
				       "an object replaced by a substitution "
				       "that is none");
	if (!earlier)
		return true;
	if (!resolve(resolver, &earlier))
		return false;
	if (!value_is(earlier, VALUE_OBJECT))
		return !earlier || !delayed->added_object ||
		       earlier->type == VALUE_NULL ||
		       reading_departs(reading, reading_source(reading, place),
				       place->offset,
				       "an object for a key whose "
				       "substitution is none");
	merged = tree_copy_objects(reading, earlier);
	tree_merge(reading, merged, delayed->result);
	merged->source = place->source;
	merged->offset = place->offset;
	delayed->result = merged;
	return reading_charge(reading, merged->object.count);
}

static bool combine(struct resolver *resolver, struct value *place,
		    struct settled *settled)
{
	struct delayed *delayed = tree_delayed(place);

	if (!settled->count) {
		if (delayed->found_null && !delayed->onto_object)
			return true;
		delayed->result = delayed->earlier;
		return !delayed->result || resolve(resolver, &delayed->result);
	}
	delayed->found_null = false;
	if (!append_element(resolver, place, settled))
		return false;
	delayed->result = concat(resolver->reading, settled->pieces,
				 settled->count, place);
	if (!delayed->result)
		return false;
	if (settled->secret)
		delayed->result->flags |= TREE_SECRET;
	return over_earlier(resolver, place);
}

static bool resolve_delayed(struct resolver *resolver, struct value *value)
{
	struct delayed *delayed = tree_delayed(value);
	struct settled settled = {0};
	bool ok;

	if (delayed->state == DELAYED_DONE)
		return true;
	if (delayed->state == DELAYED_BUSY)
		return diag_at(resolver->reading->diag,
			       reading_source(resolver->reading, value),
			       value->offset,
			       "the substitutions here lead back to here");
	delayed->state = DELAYED_BUSY;
	delayed->jump = resolver->jump;
	ok = settle_pieces(resolver, delayed, &settled) &&
	     combine(resolver, value, &settled);
	delayed->state = DELAYED_DONE;
	return ok;
}

/* Make a plain value of *slot; NULL when there is nothing to put there. */
static bool resolve(struct resolver *resolver, struct value **slot)
{
	struct value *value = *slot;
	bool ok;

	if (!tree_waits(value))
		return true;
	if (resolver->frames == FRAMES_MAX)
		return diag_at(
			resolver->reading->diag,
			reading_source(resolver->reading, value), value->offset,
			"substitutions lead on and on: more than %d deep",
			FRAMES_MAX);
	resolver->frames++;
	if (tree_is_delayed(value)) {
		ok = resolve_delayed(resolver, value);
		*slot = tree_delayed(value)->result;
	} else {
		ok = resolve_inside(resolver, value);
	}
	resolver->frames--;
	return ok;
}

bool subst_resolve(struct reading *reading)
{
	struct resolver resolver = {
		.reading = reading,
		.root = reading->doc->root,
	};

	return resolve(&resolver, &reading->doc->root);
}
