#ifndef READ_SUBST_H
#define READ_SUBST_H

/*
 * Substitutions and the delayed values they are parts of: what is recorded
 * while the text is read, what waits, and what a delayed value comes to once
 * nothing does. resolve.h says in which order they are given their values.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct reading;
struct subst;
struct value;

struct subst *subst_new(struct reading *reading, size_t source, size_t offset);

/* What a message may say of it: its path, or "..." for one that may be part of
 * a secret, as in `password = abc${def}ghi`. */
struct str subst_shown(const struct subst *subst);

typedef void (*subst_fn)(void *user, struct subst *subst);

/* Every substitution that waits in @value, in ClearML's order: members and
 * elements as they come, of a delayed value first what its key held before. */
void subst_each(const struct value *value, subst_fn each, void *user);

/* @subst stands for @value; NULL: for nothing. Again and again, if need be. */
bool subst_put(struct reading *reading, struct subst *subst,
	       struct value *value);

/* What @delayed comes to: *result is @delayed itself when something waits, NULL
 * when it is nothing. False when its parts do not fit. */
bool subst_result(struct reading *reading, struct value *delayed,
		  struct value **result);

#endif
