#include "read/resolve.h"

#include "base/arena.h"
#include "read/concat.h"
#include "read/lookup.h"
#include "read/reading.h"
#include "read/tree.h"

unsigned int resolve_secrecy(const struct resolver *resolver,
			     unsigned int above, struct str key)
{
	const struct read_options *options = resolver->reading->options;

	return options->secrecy ? options->secrecy(above, key) : 0;
}

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
	unsigned int secrecy = resolver->secrecy;
	bool missing = false, ok = true;
	struct member *member;

	for (value_each (object, member)) {
		if (!tree_waits(member->value))
			continue;
		resolver->secrecy =
			resolve_secrecy(resolver, secrecy, member_key(member));
		ok = resolve_value(resolver, &member->value);
		if (!ok)
			break;
		missing = missing || !member->value;
	}
	resolver->secrecy = secrecy;
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
		if (tree_waits(items[i]) && !resolve_value(resolver, &items[i]))
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

bool resolve_there(struct resolver *resolver, struct value **slot,
		   const struct path *path)
{
	struct resolver here = *resolver;
	bool ok;

	resolver->jump = ++resolver->last_jump;
	resolver->level = path->count;
	resolver->secrecy = 0;
	for (size_t i = 0; i < path->count; i++)
		resolver->secrecy = resolve_secrecy(resolver, resolver->secrecy,
						    path->items[i]);
	ok = resolve_value(resolver, slot);
	resolver->jump = here.jump;
	resolver->level = here.level;
	resolver->secrecy = here.secrecy;
	return ok;
}

/* Every value of @value counts again at @place. */
static bool charge(struct resolver *resolver, const struct value *place,
		   const struct value *value, size_t level)
{
	struct reading *reading = resolver->reading;
	struct member *member;

	if (!reading_charge(reading, place, 1))
		return false;
	if (level > reading_levels_max(reading))
		return diag_at(reading->diag, reading_source(reading, place),
			       place->offset,
			       "this substitution nests too deep");
	if (value->type == VALUE_LIST)
		for (uint32_t i = 0; i < value->list.count; i++)
			if (!charge(resolver, place, value->list.items[i],
				    level + 1))
				return false;
	if (value->type == VALUE_OBJECT)
		for (value_each (value, member))
			if (!charge(resolver, place, member->value, level + 1))
				return false;
	return true;
}

/* --- delayed values ------------------------------------------------------ */

/* The pieces of a delayed value that stand for something. */
struct settled {
	struct piece *pieces;
	size_t count;
	size_t taken, of; /* how many pieces have been looked at */
	bool secret;      /* one of them is a secret of the host */
};

/* A shared value where it is substituted. */
static struct value *value_at(struct resolver *resolver,
			      const struct value *value,
			      const struct value *place)
{
	struct value *copy = reading_value(resolver->reading, VALUE_NULL,
					   place->source, place->offset);
	struct value stands_at = *copy;

	*copy = *value;
	copy->source = stands_at.source;
	copy->offset = stands_at.offset;
	return copy;
}

/* A substituted scalar in front of something is text, with its blanks; an
 * object that others are merged into must not be the original. */
static bool add_settled(struct resolver *resolver, struct settled *settled,
			const struct piece *from, struct value *value)
{
	struct reading *reading = resolver->reading;
	const struct value place = {.source = from->subst->source,
				    .offset = from->offset};
	struct piece piece = {.kind = PIECE_VALUE, .offset = from->offset};
	bool last = settled->taken == settled->of;

	settled->secret = settled->secret || value->flags & TREE_SECRET;
	if (!charge(resolver, &place, value, resolver->level))
		return false;
	if (!last && value->type < VALUE_LIST) {
		piece.kind = PIECE_TEXT;
		piece.text = concat_text(reading, value);
		piece.blanks = from->blanks;
	} else if (settled->of > 1) {
		piece.value = tree_copy_objects(reading, value, &place);
		if (!piece.value)
			return false;
	} else {
		piece.value = value_at(resolver, value, &place);
	}
	settled->pieces[settled->count++] = piece;
	return true;
}

/* ClearML takes such a key away while it walks through all of them. */
static bool is_root_key_before_others(const struct resolver *resolver,
				      const struct subst *subst,
				      const struct delayed *delayed)
{
	const struct value *root = resolver->root, *value;

	value = value_get(root, subst->path.items[0]);
	return value && tree_is_delayed(value) &&
	       tree_delayed(value) == delayed &&
	       value != root->object.members[root->object.count - 1].value;
}

static bool settle_subst(struct resolver *resolver, struct delayed *delayed,
			 const struct piece *piece, struct settled *settled)
{
	const struct subst *subst = piece->subst;
	struct value *value = NULL;
	enum found step = lookup(resolver, subst, &value);

	if (step == FAILED)
		return false;
	delayed->found_null =
		step == FOUND && value->type == VALUE_NULL && !subst->self;
	if (delayed->found_null)
		return true;
	if (step == MISSING) {
		if (!subst->first || delayed->count > 1)
			return true;
		if (is_root_key_before_others(resolver, subst, delayed))
			return reading_departs(
				resolver->reading,
				resolver->reading->doc->sources[subst->source],
				subst->offset,
				"a key that is nothing but a reference to "
				"itself, with other keys after it");
		/* ClearML's accident: null, not absent. */
		value = reading_value(resolver->reading, VALUE_NULL,
				      subst->source, subst->offset);
	}
	return add_settled(resolver, settled, piece, value);
}

/* Pieces are settled in place: what is left moves up. */
static bool settle_pieces(struct resolver *resolver, struct delayed *delayed,
			  struct settled *settled)
{
	struct piece *piece = delayed->pieces;
	bool ok = true;

	settled->pieces = piece;
	settled->of = delayed->count;
	for (; ok && settled->taken < settled->of; piece++) {
		settled->taken++;
		if (piece->kind == PIECE_SUBST) {
			ok = settle_subst(resolver, delayed, piece, settled);
			continue;
		}
		if (piece->kind == PIECE_VALUE && tree_waits(piece->value))
			ok = resolve_value(resolver, &piece->value);
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
	    settled->pieces[0].kind != PIECE_VALUE ||
	    settled->pieces[0].value->type != VALUE_LIST ||
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
	if (!resolve_value(resolver, &earlier))
		return false;
	if (!value_is(earlier, VALUE_OBJECT))
		return !earlier || !delayed->added_object ||
		       earlier->type == VALUE_NULL ||
		       reading_departs(reading, reading_source(reading, place),
				       place->offset,
				       "an object for a key whose "
				       "substitution is none");
	merged = tree_copy_objects(reading, earlier, place);
	if (!merged)
		return false;
	tree_merge(reading, merged, delayed->result);
	merged->source = place->source;
	merged->offset = place->offset;
	delayed->result = merged;
	return true;
}

/* Nothing to put there: what the key held before stays, unless it was null. But
 * when that was a substitution of nothing too, ClearML makes null of it,
 * whatever was there still before. */
static bool keep_earlier(struct resolver *resolver, struct value *place)
{
	struct reading *reading = resolver->reading;
	struct delayed *delayed = tree_delayed(place);
	struct value *earlier = delayed->earlier;

	delayed->missing = !delayed->onto_object;
	delayed->result = earlier;
	if (value_is(earlier, VALUE_NULL))
		delayed->result = NULL;
	if (!delayed->result)
		return true;
	if (!resolve_value(resolver, &delayed->result))
		return false;
	if (!tree_is_delayed(earlier) || (!tree_delayed(earlier)->missing &&
					  !tree_delayed(earlier)->found_null))
		return true;
	reading_warn(reading, reading_source(reading, place), place->offset,
		     "ClearML makes null of a key whose last two "
		     "substitutions are both missing");
	delayed->result = reading_value(reading, VALUE_NULL, place->source,
					place->offset);
	return true;
}

static bool combine(struct resolver *resolver, struct value *place,
		    struct settled *settled)
{
	struct delayed *delayed = tree_delayed(place);

	if (!settled->count && delayed->found_null && !delayed->onto_object)
		return true;
	if (!settled->count)
		return keep_earlier(resolver, place);
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

/* ClearML resolves what the key held before too, though it does not show. */
static void note_hidden(struct resolver *resolver, struct value *earlier)
{
	if (!earlier || !tree_is_delayed(earlier) ||
	    tree_delayed(earlier)->state != DELAYED_WAITING)
		return;
	tree_delayed(earlier)->next = resolver->hidden;
	resolver->hidden = earlier;
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
	if (ok)
		note_hidden(resolver, delayed->earlier);
	return ok;
}

bool resolve_value(struct resolver *resolver, struct value **slot)
{
	struct value *value = *slot;
	bool ok;

	if (!tree_waits(value))
		return true;
	if (resolver->frames == RESOLVE_FRAMES_MAX)
		return diag_at(
			resolver->reading->diag,
			reading_source(resolver->reading, value), value->offset,
			"substitutions lead on and on: more than %d deep",
			RESOLVE_FRAMES_MAX);
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

/* A value that does not show is no reason to fail, but to ClearML. */
static bool resolve_hidden(struct resolver *resolver, struct value *hidden)
{
	struct reading *reading = resolver->reading;
	struct diag *diag = reading->diag, why_not = DIAG_INIT;
	struct value *value = hidden;
	bool ok;

	reading->diag = &why_not;
	ok = tree_delayed(hidden)->state == DELAYED_DONE ||
	     resolve_value(resolver, &value);
	reading->diag = diag;
	diag_deinit(&why_not);
	return ok ||
	       reading_departs(reading, reading_source(reading, hidden),
			       hidden->offset,
			       "an earlier value of this key, which cannot be "
			       "resolved");
}

static bool resolve_all_hidden(struct resolver *resolver)
{
	struct value *hidden;

	while ((hidden = resolver->hidden)) {
		resolver->hidden = tree_delayed(hidden)->next;
		if (!resolve_hidden(resolver, hidden))
			return false;
	}
	return true;
}

bool resolve_all(struct reading *reading)
{
	struct resolver resolver = {
		.reading = reading,
		.root = reading->doc->root,
	};

	for (size_t i = 0; reading->refers_to_self && i < reading->subst_count;
	     i++)
		if (!lookup_check_self(&resolver, reading->substs[i]))
			return false;
	return resolve_value(&resolver, &reading->doc->root) &&
	       resolve_all_hidden(&resolver);
}
