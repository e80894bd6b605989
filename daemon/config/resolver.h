#ifndef CONFIG_RESOLVER_H
#define CONFIG_RESOLVER_H

/*
 * Resolver: the configuration as it is for somebody with another environment.
 *
 * His variables take the place of the daemon's in three things only: the
 * layers `env-generic` and `env-named`, and ${NAME} in files and vaults.
 * Nothing of them is kept.
 *
 * The texts may be made to cost much, so the work is another thread's. A
 * resolver has all that it needs: a copy of the stack, whose documents it
 * shares, a copy of the settings that matter, the secrets as they are.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/diag.h"
#include "config/layer.h"
#include "config/projection.h"
#include "config/stack.h"

struct env;
struct locks;
struct secrets;
struct value;

struct resolver {
	struct stack stack;           /* a copy */
	struct layer_context context; /* without environments */
	char *vault_environment;      /* see config/vault_env.h */
	bool agent, system;
	size_t document; /* bytes of one text that are searched for secrets */
	struct locks *locks;
	struct secrets *secrets; /* pinned */
};

/* What somebody's configuration is; nothing of it outlives the resolver. */
struct resolved {
	struct arena arena;
	struct env *env, *vault_env; /* his, and what vaults see of it */
	struct stack_docs docs;
	struct value *root;
	const struct secrets *secrets; /* what masks it */
	struct locks *locks;           /* the resolver's */
	struct diag diag;
};

enum {
	RESOLVE_E_BROKEN = 1, /* a text is, for him: resolved->diag */
	RESOLVE_E_TOO_LARGE,  /* a text has more than `document` bytes */
};

/* What @projection shows somebody with the environment @env; @masked: he may
 * not see secrets. 0 or RESOLVE_E_*. A zeroed @resolved is to be given, and to
 * be ended whatever comes of it. */
int resolver_resolve(struct resolver *resolver, struct env *env,
		     enum projection projection, bool masked,
		     struct resolved *resolved);

/* A text that may become a vault. */
struct resolver_vault {
	struct str text;
	enum read_format format;
	const char *replaces; /* id or name of the one whose text it would be;
			       * NULL: it would be the last of them all */
};

/* Put @vault among the vaults, read as with the environment @env, and learn its
 * secrets: to be called before resolver_resolve. NULL when there is none that
 * it could replace; else its layer, which the resolver keeps. */
const struct layer *resolver_add_vault(struct resolver *resolver,
				       struct env *env,
				       const struct resolver_vault *vault);

/* Read the texts of @resolver->stack that are new, as with the environment
 * @env, and learn the secrets of its vaults: to be called before
 * resolver_resolve. */
void resolver_read(struct resolver *resolver, struct env *env);

void resolved_deinit(struct resolved *resolved);
void resolver_free(struct resolver *resolver); /* NULL is allowed */

#endif
