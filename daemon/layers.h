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
struct stack;
struct vault_answer;
struct workspace_host;
struct workspace_settings;

/* Files, folders, what the settings declare (NULL: nothing), variables. */
bool layers_set_local(struct stack *stack, const struct workspace_host *host,
		      const struct workspace_settings *declared);

/* What the server has given: the layers of @kind, `vault` or `monitoring`. */
bool layers_set_vaults(struct stack *stack, enum layer_kind kind,
		       const struct vault_answer *answer);

/* The layers `env-generic` and `env-named`, from @env. */
bool layers_set_variables(struct stack *stack, const struct env *env);

#endif
