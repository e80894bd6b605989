#ifndef DAEMON_LAYERS_H
#define DAEMON_LAYERS_H

/*
 * Layers: from where a workspace's stack gets its texts. The order of layers
 * is config/layer.h's; which there are in which mode is decided here.
 *
 * Each function sets the layers of some kinds as a whole and marks what has to
 * be read; reading is the stack's business. True when layers came or went.
 */

#include <stdbool.h>

#include "config/layer.h"

struct env;
struct login;
struct settings;
struct site;
struct stack;
struct vault;
struct vault_answer;
struct workspace_host;

/* What reading depends on besides the texts: for files and variables @env, of
 * which vaults see @vault_env. Both stay the caller's. */
struct layer_context layers_context(const struct settings *settings,
				    const struct env *env,
				    const struct env *vault_env);

/* Files, folders, variables; and the documents of the site. */
bool layers_set_local(struct stack *stack, const struct workspace_host *host);

/* The documents of the site alone. */
bool layers_set_documents(struct stack *stack, const struct site *site);

/* What the settings declare of a workspace: @login, or none at all unless
 * @inject. @login NULL: what was set before stands. */
bool layers_set_declared(struct stack *stack, const struct settings *settings,
			 bool inject, const struct login *login);

/* What becomes of the vaults of each feed, by enum vault_feed. */
extern const enum layer_kind layers_of_feeds[];

/* What the server has given: the layers of @kind, `vault` or `monitoring`. */
bool layers_set_vaults(struct stack *stack, enum layer_kind kind,
		       const struct vault_answer *answer);

/* Is @vault, of an answer, one of those that are set? */
bool layers_take_vault(enum layer_kind kind, const struct vault *vault);

/* In which format it is read. *@known: false when that is a guess. */
enum read_format layers_vault_format(const struct vault *vault, bool *known);

#endif
