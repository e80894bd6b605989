#ifndef READ_VARIABLES_H
#define READ_VARIABLES_H

/*
 * Environment variables that are configuration in mode `agent` (semantics.md,
 * "Layers" and "Named variables"): CLEARML_AGENT__A__B, and the table of named
 * ones.
 *
 * Pure: an environment in, variables with their paths out. Everything in the
 * list lies in its arena or in the environment.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "read/reader.h"

struct env;

struct variable {
	const char *name;         /* of the environment variable */
	const char *const *names; /* of a named one: all that may stand for it,
				   * NULL-terminated; else NULL */
	bool login;               /* one of the host and its key pair */
	struct str under;         /* dotted path of its value */
	struct str text;
	enum read_format format; /* READ_VALUE or READ_LITERAL */
};

struct variables {
	struct arena arena;
	struct variable *items;
	size_t count;
};

/* CLEARML_AGENT__*, in the order of their names. */
void variables_generic(struct variables *variables, const struct env *env);

/* The named ones: of each row the first that is set. */
void variables_named(struct variables *variables, const struct env *env);

void variables_deinit(struct variables *variables);

/* @env as the agent sees it: every CLEARML_X also as TRAINS_X, unless that is
 * set. A new one of the caller's. */
struct env *variables_agent_env(const struct env *env);

#endif
