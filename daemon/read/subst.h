#ifndef READ_SUBST_H
#define READ_SUBST_H

/*
 * Substitutions: what ${path} stands for, once all the text is read
 * (SEMANTICS B4.3).
 *
 * A path is looked up from the root, then in the environment, then, when it is
 * required, in the lower layers. Each delayed value is resolved once, when it
 * is reached or first asked for:
 *
 *	WAITING --> BUSY --> DONE
 *
 * and meeting one that is BUSY is a reference to itself: it gets what the key
 * held before, or it is a cycle. Substituted values are shared, so a
 * substitution costs memory only where something is joined.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct reading;
struct subst;
struct value;

struct subst *subst_new(struct reading *reading, size_t source, size_t offset);

/* Does the path of a substitution from number @first on begin with @key? */
bool subst_leads_to(const struct reading *reading, size_t first,
		    struct str key);

/* The substitutions from number @first on stand in the value of the root key
 * @key, which held @earlier (NULL: nothing): ${key} there means that. */
void subst_mark_self(struct reading *reading, size_t first, struct str key,
		     struct value *earlier);

/* Those of an included text, whose keys now come to @root: what @root holds
 * is earlier than anything in the included text. */
void subst_rebase_self(struct reading *reading, size_t first,
		       const struct value *root);

/* Resolve all there is in the tree of the document. */
bool subst_resolve(struct reading *reading);

#endif
