#ifndef CONFIG_LOCK_H
#define CONFIG_LOCK_H

/*
 * Locks: keys that a vault cannot change for a program that is given the whole
 * configuration as one file.
 *
 * ClearML logs in before it has its vaults, so they cannot tell it where and
 * with what; and its agent puts back the keys that it owns. A program that
 * finds the vaults in its file already would take from them what ClearML never
 * does. So of such a file the vaults' documents are stripped of what is
 * locked, and of what would take its place: below them all stays as it was.
 *
 * The list is made of settings and mode, is immutable, and is shared by the
 * snapshots that were made under it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "config/layer.h"
#include "value/path.h"

struct arena;
struct value;

struct lock {
	const char *text; /* of the path */
	struct path path;
	bool monitoring; /* a monitoring vault has no say either */
};

struct locks;

/* @agent: in mode `agent`. @more: paths separated by blanks, those that are
 * none are left out; NULL: none. */
struct locks *locks_new(bool agent, const char *more);
/* The paths that were given as @more; "" when there are none, or no locks. */
const char *locks_more(const struct locks *locks);

struct locks *locks_ref(struct locks *locks);
struct locks *locks_unref(struct locks *locks); /* NULL; takes NULL */

/* The first of @locks, from *@at on (0 for the first), that a layer of @kind
 * touches with its document @root; *@value is what it has there or in the
 * place of an object that leads there. *@at is for the next call. NULL: no
 * more. @locks NULL: there are none. */
const struct lock *locks_next(const struct locks *locks, enum layer_kind kind,
			      const struct value *root, size_t *at,
			      const struct value **value);

/* The first of @locks by which a layer of @kind has no say in a value at @path
 * in such a file, or would with one there take a locked key's place. NULL: none
 * does. */
const struct lock *locks_find(const struct locks *locks, enum layer_kind kind,
			      const struct path *path);

/* Does it hold against a layer of @kind? */
bool lock_holds(const struct lock *lock, enum layer_kind kind);

/* What is left of @root: itself when it touches none, NULL when nothing is. New
 * nodes lie in @arena, the rest is shared. */
struct value *locks_strip(const struct locks *locks, enum layer_kind kind,
			  struct arena *arena, struct value *root);

#endif
