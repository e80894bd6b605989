#ifndef EXEC_ENV_H
#define EXEC_ENV_H

/*
 * The environment of the command that `exec` runs.
 *
 * It is the caller's, with the variable that leads to the file. Where the file
 * holds the vaults as well, ClearML's own reading of them is off, the
 * configuration's `environment` section is there when its `apply_environment`
 * asks for it, as ClearML's agent does, and those variables are gone that would
 * be applied again over the file and change it (exec_overrides.h). In mode sdk
 * none is: there variables are no part of the file.
 *
 * An agent with live vaults writes what it has, vaults included, to a file of
 * its own, and its tasks log in with that. So that no vault tells them where
 * and with what, variables do, over which no vault has a say.
 */

#include <stdbool.h>

#include "base/str.h"

struct value;

struct exec_daemon;

/* What variables are to say of the login, those of the caller aside. */
enum exec_login {
	LOGIN_NOTHING,
	LOGIN_HOST, /* and how to trust it */
	LOGIN_ALL,  /* the key pair as well */
};

struct exec_env_wish {
	const struct value *tree; /* what the file holds */
	const char *file;         /* where it is written */
	const struct exec_daemon *daemon;
	bool live; /* ClearML reads its vaults itself */
	enum exec_login login;
	const char *workspace; /* that was named: the caller's token is of
				* another; NULL: none was */
};

/* NULL-terminated, for execve(2); exec_env_freep frees it. What cannot be a
 * variable is left out with a warning. */
char **exec_env_make(const struct exec_env_wish *wish);

/* The value of @name in it; NULL: not set. */
const char *exec_env_get(char *const *env, struct str name);

void exec_env_freep(char ***env);

#endif
