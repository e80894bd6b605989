#ifndef EXEC_ENV_H
#define EXEC_ENV_H

/*
 * The environment of the command that `exec` runs.
 *
 * It is the caller's, without the variables that took part in resolving the
 * configuration and would be applied again over the file, with the
 * configuration's `environment` section when its `apply_environment` asks for
 * it, as ClearML's agent does, and with the variables that lead to the file.
 */

#include <stdbool.h>

#include "base/str.h"

struct value;

struct exec_env_wish {
	const struct value *tree; /* the configuration */
	const char *file;         /* where it is written */
	bool other_workspace;     /* not the one of the caller's token */
};

/* NULL-terminated, for execve(2); exec_env_freep frees it. What cannot be a
 * variable is left out with a warning. */
char **exec_env_make(const struct exec_env_wish *wish);

/* The value of @name in it; NULL: not set. */
const char *exec_env_get(char *const *env, struct str name);

void exec_env_freep(char ***env);

#endif
