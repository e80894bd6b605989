#include "read/resolve_parts.h"

#include "base/mem.h"
#include "read/doc.h"
#include "read/reading.h"
#include "read/subst.h"
#include "read/tree.h"

#define SEARCH_MAX 1000 /* references */

/* A += that has nothing to add to, where it hardly means to replace. */
static bool hides_lower(const struct resolve *resolver,
			const struct subst *subst)
{
	const struct value *value = resolver->reading->options->lower;
	struct doc *doc = resolver->reading->doc;

	if (!tree_delayed(subst->holder)->append)
		return false;
	doc->appends_to_none = doc->used_lower = true;
	for (size_t i = 0; value && i < subst->path.count; i++)
		value = value_get(value, subst->path.items[i]);
	return value != NULL;
}

/* What the key held before in an included text, of which ClearML takes only the
 * last values. */
static bool settle_included(struct resolve *resolver, struct subst *subst,
			    bool *done)
{
	struct value *value = tree_delayed(subst->holder)->forgotten, *result;
	enum found step = FAILED;

	if (resolve_departs(
		    resolver, subst,
		    "a reference to what the key held before in an included "
		    "text"))
		step = resolve_given(resolver, subst, value, false, &result);
	*done = step == FOUND;
	return step != FAILED;
}

/* A reference to its own key, to which ClearML finds no end: what the key held
 * before, or what is found elsewhere. *done: there is such a thing. */
static bool settle_itself(struct resolve *resolver, struct subst *subst,
			  bool *done)
{
	struct value *value = NULL, *result;
	enum found step = lookup(resolver->reading, subst, &value);

	if (step != FOUND || !resolve_leads_to_itself(subst, value))
		return step != FAILED;
	value = tree_delayed(subst->holder)->earlier;
	*done = subst->own = true;
	if (!value && tree_delayed(subst->holder)->forgotten)
		return settle_included(resolver, subst, done);
	if (value &&
	    !resolve_departs(resolver, subst,
			     "a reference to an empty earlier value of the "
			     "same key"))
		return false;
	if (!value) {
		if (hides_lower(resolver, subst))
			return resolve_fail(
				resolver, subst,
				"is nothing here, and += would hide what "
				"the lower layers have");
		if (!resolve_departs(
			    resolver, subst,
			    "a reference to the key itself, which held "
			    "nothing before"))
			return false;
		step = lookup_elsewhere(resolver->reading, subst, &value);
		if (step == FAILED)
			return false;
		if (step != FOUND && !subst->optional)
			return resolve_fail(resolver, subst,
					    "leads back to itself");
	}
	step = resolve_given(resolver, subst, value, step == MISSING, &result);
	if (step == WAITS)
		*done = false;
	else if (step == FOUND && !tree_is_delayed(result))
		agenda_done(&resolver->agenda, subst);
	return step != FAILED;
}

/* A search for what leads where, which may go in circles. */
struct search {
	struct reading *reading;
	const struct value *to;
	size_t left; /* steps */
};

static bool leads_to(struct search *search, const struct value *value);

static void on_step(void *user, struct subst *subst)
{
	struct search *search = user;
	struct value *value;

	if (search->to && search->left && search->left-- &&
	    lookup_path(search->reading, &subst->path, &value) == FOUND &&
	    leads_to(search, value))
		search->to = NULL;
}

static bool leads_to(struct search *search, const struct value *value)
{
	if (value == search->to)
		return true;
	if (tree_is_delayed(value))
		subst_each(value, on_step, search);
	return !search->to;
}

/* A reference to another key whose value leads back here: there it means what
 * that key held before. */
static bool settle_circle(struct resolve *resolver, struct subst *subst,
			  bool *done)
{
	struct search search = {resolver->reading, subst->holder, SEARCH_MAX};
	struct value *value = NULL, *result;
	enum found step = lookup(resolver->reading, subst, &value);

	if (step != FOUND || !tree_is_delayed(value) ||
	    !tree_delayed(value)->earlier || !leads_to(&search, value))
		return step != FAILED;
	if (!resolve_departs(resolver, subst,
			     "a reference to a key whose value leads back "
			     "here: what it held before is taken"))
		return false;
	value = tree_delayed(value)->earlier;
	step = resolve_given(resolver, subst, value, false, &result);
	*done = step == FOUND;
	if (*done && !tree_is_delayed(result))
		agenda_done(&resolver->agenda, subst);
	return step != FAILED;
}

/* ClearML's passes may end too early: one that could be done is. */
static bool settle_left(struct resolve *resolver, struct subst *subst,
			bool *done)
{
	const struct concat_part *part =
		&tree_delayed(subst->holder)->parts[subst->index];

	if (!resolve_subst(resolver, subst))
		return false;
	*done = part->kind != PART_SUBST;
	return !*done || resolver->reading->departed ||
	       resolve_departs(resolver, subst,
			       "substitutions that its passes end too early "
			       "for");
}

typedef bool (*settle_fn)(struct resolve *resolver, struct subst *subst,
			  bool *done);

static bool settle_one(struct resolve *resolver, const struct agenda_list *left,
		       settle_fn settle, bool *done)
{
	bool ok = true;

	for (size_t i = 0; ok && i < left->count && !*done; i++)
		ok = settle(resolver, left->items[i], done);
	return ok;
}

bool resolve_settle(struct resolve *resolver, bool *more)
{
	struct agenda_list left = resolve_gathered(resolver->reading->root);
	struct subst *unresolved = resolver->unresolved;
	bool ok;

	*more = false;
	ok = settle_one(resolver, &left, settle_left, more) &&
	     settle_one(resolver, &left, settle_itself, more) &&
	     settle_one(resolver, &left, settle_circle, more);
	if (ok && left.count && !*more)
		ok = resolve_fail(resolver, left.items[0],
				  "leads back to itself");
	else if (ok && !left.count && unresolved)
		ok = resolve_departs(
			resolver, unresolved,
			"an earlier value of this key, which cannot be "
			"resolved");
	mem_free(left.items);
	return ok;
}
