#ifndef READ_RESOLVE_PARTS_H
#define READ_RESOLVE_PARTS_H

/*
 * The inside of resolve: what its files share.
 *
 *   resolve_own.c     what refers to its own key, before all others
 *   resolve.c         the passes
 *   resolve_given.c   one substitution is given its value, and its place too
 *   resolve_settle.c  where ClearML gives up, but there is a meaning
 */

#include "read/accidents.h"
#include "read/agenda.h"
#include "read/lookup.h"
#include "read/resolve.h"

struct resolve {
	struct reading *reading;
	struct agenda agenda;
	struct accidents accidents;
	size_t steps;
	struct subst *unresolved; /* the last one done still waits; NULL: no */
	bool dead_end;            /* of a key's versions */
	bool root_changed;        /* a key of the root went, or came */
};

/* Note the failure. Always false, for `return resolve_fail(...);` */
bool resolve_fail(struct resolve *resolver, const struct subst *subst,
		  const char *what);

/* Tell that ClearML refuses this, once for each substitution. */
bool resolve_departs(struct resolve *resolver, struct subst *subst,
		     const char *what);

/* @subst stands for @value (NULL: nothing), or @missing: it was not found.
 * *result: what its holder comes to by that, a delayed value when something
 * there still waits; or @value itself when that WAITS. */
enum found resolve_given(struct resolve *resolver, struct subst *subst,
			 struct value *value, bool missing,
			 struct value **result);

/* What waits in @value, all at once. */
struct agenda_list resolve_gathered(const struct value *value);

/* Every reference to the key itself that ClearML resolves before all others. */
bool resolve_own(struct resolve *resolver);

/* What @subst leads to by now is what it stands for, if that is known. */
bool resolve_subst(struct resolve *resolver, struct subst *subst);

/* Does @subst lead to what it stands in, or to what that came over? Then it
 * means what the key held before. */
bool resolve_leads_to_itself(const struct subst *subst,
			     const struct value *found);

/* The passes came to an end. *more: what shows and still waits could be
 * settled by one, so that they may go on. */
bool resolve_settle(struct resolve *resolver, bool *more);

#endif
