#ifndef READ_SUBST_H
#define READ_SUBST_H

/*
 * Substitutions, while the text is read: every ${path} is recorded in the
 * order they come, and told what its own key held before, because a reference
 * to that key means that value (SEMANTICS B4.3). resolve.h does the rest.
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

/* Does @value, a root key's own and delayed, refer to that key? It is told. */
void subst_note_itself(struct value *value);

/* Those of an included text, whose keys now come to @root: what @root holds
 * is earlier than anything in the included text. False when that makes too many
 * values. */
bool subst_rebase_self(struct reading *reading, size_t first,
		       const struct value *root);

#endif
