#ifndef CONFIG_VAULT_ENV_H
#define CONFIG_VAULT_ENV_H

/*
 * What a vault may read of an environment by ${NAME} (semantics.md, "Variables
 * in texts").
 *
 * Vaults are written by somebody else: the system's daemon shows them a few
 * harmless variables and never one whose name says that it is a secret; a
 * user's own daemon shows them all unless told otherwise.
 */

#include <stdbool.h>

struct env;

/* The part of @env that vaults see; a new one of the caller's. @patterns:
 * shell patterns separated by blanks; NULL: the built-in ones. */
struct env *env_for_vaults(const struct env *env, const char *patterns,
			   bool system);

#endif
