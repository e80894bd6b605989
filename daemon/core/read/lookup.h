#ifndef READ_LOOKUP_H
#define READ_LOOKUP_H

/*
 * Looking up what ${path} stands for: in the text from its root, as it is by
 * now; then in the environment, then, when it is required, in the lower layers;
 * and where ClearML gives up, wherever the specification would look too.
 */

#include <stdbool.h>

#include "base/str.h"

struct reading;
struct path;
struct subst;
struct value;

enum found {
	FOUND,   /* the value, which may wait itself; null is found, too */
	MISSING, /* an optional one */
	WAITS,   /* something on the way to it must be known first */
	BLOCKED, /* something on the way to it is no object */
	FAILED,  /* the diag is set */
};

/* What stands at @path in the text. */
enum found lookup_path(struct reading *reading, const struct path *path,
		       struct value **found);

enum found lookup(struct reading *reading, struct subst *subst,
		  struct value **found);

/* Like lookup, for a path that leads nowhere in the text. */
enum found lookup_elsewhere(struct reading *reading, struct subst *subst,
			    struct value **found);

/* The variable @name as a string of the text, where @subst stands. */
enum found lookup_environment(struct reading *reading,
			      const struct subst *subst, struct str name,
			      struct value **found);

/* Tell that ClearML refuses this, once for each substitution. */
bool lookup_departs(struct reading *reading, struct subst *subst,
		    const char *what);

#endif
