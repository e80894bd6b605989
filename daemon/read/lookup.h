#ifndef READ_LOOKUP_H
#define READ_LOOKUP_H

/*
 * Looking up what ${path} stands for: in the text from its root, then in the
 * environment, then, when it is required, in the lower layers; and where
 * ClearML gives up, wherever the specification would look too.
 */

#include <stdbool.h>

struct resolver;
struct subst;
struct value;

enum found {
	FOUND,
	MISSING,
	BLOCKED, /* lookup.c's own: something in the way is no object */
	FAILED,  /* the diag is set */
};

enum found lookup(struct resolver *resolver, const struct subst *subst,
		  struct value **found);

/* Before anything is resolved: may ClearML take a substitution that stands in
 * its own key's value? False when the diag is set. */
bool lookup_check_self(struct resolver *resolver, const struct subst *subst);

#endif
