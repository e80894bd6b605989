#include "read/resolve_parts.h"

#include <string.h>

#include "read/finish.h"
#include "read/reading.h"
#include "read/subst.h"
#include "read/tree.h"

/* How often substitutions may be done, for each that is written and for all:
 * ClearML's passes cost the square of a chain's length. */
#define STEPS_EACH 16
#define STEPS_ALL  1000000

bool resolve_departs(struct resolve *resolver, struct subst *subst,
		     const char *what)
{
	return lookup_departs(resolver->reading, subst, what);
}

static bool complain(struct reading *reading, struct diag *diag,
		     const struct subst *subst, const char *what)
{
	return diag_at(diag, reading->doc->sources[subst->source],
		       subst->offset, "${%.*s} %s",
		       STR_PRINT(subst_shown(subst)), what);
}

bool resolve_fail(struct resolve *resolver, const struct subst *subst,
		  const char *what)
{
	return complain(resolver->reading, resolver->reading->diag, subst,
			what);
}

static void on_waiting(void *user, struct subst *subst)
{
	struct resolve *resolver = user;

	agenda_add(&resolver->agenda, subst);
	resolver->unresolved = subst;
}

static void on_gathered(void *user, struct subst *subst)
{
	agenda_list_add(user, subst);
}

struct agenda_list resolve_gathered(const struct value *value)
{
	struct agenda_list list = {0};

	subst_each(value, on_gathered, &list);
	return list;
}

/* Why the substitution comes to nothing; a shell would know ${NAME:-default}.
 */
static const char *why_missing(const struct subst *subst)
{
	if (memmem(subst->text.ptr, subst->text.len, ":-", 2))
		return "is not defined: HOCON has no default in there. Write "
		       "the key twice, first with the default, then with "
		       "${?NAME}";
	return "is not defined here, in the environment, or in a lower layer";
}

/* Tell of the others after the first, so that all can be mended at once. */
static void tell_others(struct reading *reading, const struct subst *first)
{
	struct diag_list *others = reading->options->others;
	struct value *value;

	for (size_t i = 0; others && i < reading->subst_count; i++) {
		struct subst *subst = reading->substs[i];

		if (subst != first && !subst->optional && !subst->maker &&
		    subst->holder && !tree_delayed(subst->holder)->hidden &&
		    lookup(reading, subst, &value) == MISSING)
			(void)complain(reading, diag_list_next(others), subst,
				       why_missing(subst));
	}
}

/* Required, and nowhere. What does not show is no reason to fail, but to
 * ClearML. */
static bool missing(struct resolve *resolver, struct subst *subst)
{
	if (tree_delayed(subst->holder)->hidden)
		return resolve_departs(
			resolver, subst,
			"an earlier value of this key, which cannot be "
			"resolved");
	(void)resolve_fail(resolver, subst, why_missing(subst));
	tell_others(resolver->reading, subst);
	return false;
}

bool resolve_leads_to_itself(const struct subst *subst,
			     const struct value *found)
{
	const struct value *value = found;

	while (tree_is_delayed(value) && value != subst->holder)
		value = tree_delayed(value)->earlier;
	return value == subst->holder;
}

/* By the specification null is a value like any other, and "null" in text. */
static void warn_of_null(struct reading *reading, struct subst *subst)
{
	const struct delayed *holder = tree_delayed(subst->holder);

	if (subst->warned || subst->maker ||
	    (holder->count == 1 && value_is(holder->parent, VALUE_LIST)))
		return;
	subst->warned = true;
	reading_warn(reading, reading->doc->sources[subst->source],
		     subst->offset,
		     "ClearML takes a null that is substituted for nothing");
}

bool resolve_subst(struct resolve *resolver, struct subst *subst)
{
	struct value *value = NULL, *earlier, *result;
	enum found step = lookup(resolver->reading, subst, &value);

	resolver->unresolved = subst;
	if (step == WAITS)
		return true;
	if (step == FAILED ||
	    (step == MISSING && !subst->optional && !missing(resolver, subst)))
		return false;
	earlier = tree_delayed(subst->holder)->earlier;
	if (step == FOUND && resolve_leads_to_itself(subst, value) &&
	    (tree_is_delayed(earlier) || value_is_true(earlier))) {
		value = earlier;
		subst->own = true;
	}
	if (value_is(value, VALUE_NULL)) {
		warn_of_null(resolver->reading, subst);
		value = NULL;
	}
	step = resolve_given(resolver, subst, value, step == MISSING, &result);
	if (step == FOUND) {
		resolver->unresolved = NULL;
		subst_each(result, on_waiting, resolver);
	}
	if (step != FAILED && !tree_is_delayed(result))
		agenda_done(&resolver->agenda, subst);
	return step != FAILED;
}

static bool make_passes(struct resolve *resolver)
{
	struct reading *reading = resolver->reading;
	struct agenda *agenda = &resolver->agenda;
	size_t limit = STEPS_ALL + STEPS_EACH * reading->subst_count;
	struct subst *subst;

	while (agenda_begin(agenda)) {
		resolver->steps += agenda->turn.count;
		if (resolver->steps > limit)
			return resolve_fail(
				resolver, agenda->turn.items[0],
				"is one of too many that lead on and on");
		while ((subst = agenda_next(agenda))) {
			if (!resolve_subst(resolver, subst))
				return false;
			/* Each lists all that wait beside it. */
			if (agenda->next.count > limit)
				return resolve_fail(
					resolver, subst,
					"is one of too many in one value");
		}
	}
	return true;
}

/* All that waits, in the order of the tree; that is the one of the text, when
 * no key came again. */
static void gather(struct resolve *resolver)
{
	struct reading *reading = resolver->reading;

	if (reading->versions || reading->reordered) {
		subst_each(reading->root, on_waiting, resolver);
		return;
	}
	for (size_t i = 0; i < reading->subst_count; i++)
		if (!reading->substs[i]->inner)
			on_waiting(resolver, reading->substs[i]);
}

static bool is_overlong(struct reading *reading, const struct value *value)
{
	return diag_at(reading->diag, reading_source(reading, value),
		       value->offset,
		       "a key comes again with substitutions more than %d "
		       "times",
		       TREE_CHAIN_MAX);
}

bool resolve_all(struct reading *reading)
{
	struct resolve resolver = {.reading = reading};
	bool ok, more = true;

	reading->root = reading->doc->root;
	if (!tree_waits(reading->root))
		return true;
	if (reading->overlong)
		return is_overlong(reading, reading->overlong);
	agenda_init(&resolver.agenda, reading->subst_count);
	ok = !reading->versions || resolve_own(&resolver);
	if (ok)
		gather(&resolver);
	while (ok && more)
		ok = make_passes(&resolver) && resolve_settle(&resolver, &more);
	agenda_deinit(&resolver.agenda);
	if (ok && resolver.accidents.possible && !reading->departed)
		accidents_tell(&resolver.accidents, reading);
	return ok && finish_all(reading);
}
