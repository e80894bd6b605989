#ifndef BASE_ENV_H
#define BASE_ENV_H

/*
 * An environment: variables by name, sorted, immutable once made.
 *
 * The daemon has one of its own; a caller may bring another; a vault sees a
 * part of either. Shared by reference.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct env_variable {
	struct str name, value;
};

struct env {
	unsigned int refs;
	size_t count;
	struct env_variable variables[]; /* sorted by name */
};

/* A copy of @variables; the later of two of one name wins. */
struct env *env_new(const struct env_variable *variables, size_t count);

/* This process's; the first of two of one name wins, as for getenv(). */
struct env *env_from_process(void);

/* An environment of the names in @env (NULL: none), each with @value. */
struct env *env_filled(const struct env *env, struct str value);

struct env *env_ref(struct env *env);
struct env *env_unref(struct env *env); /* NULL, for x = env_unref(x) */
void env_unrefp(struct env **env);

/* The value of @name. False when it is not set, or @env is NULL. */
bool env_get(const struct env *env, struct str name, struct str *value);

/* The first of the NULL-terminated @names that is set and not blank, trimmed;
 * {NULL, 0} when none is. */
struct str env_first(const struct env *env, const char *const *names);

#endif
