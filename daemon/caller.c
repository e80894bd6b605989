#include "caller.h"

#include "base/env.h"
#include "config/variables.h"
#include "config/vault_env.h"
#include "layers.h"
#include "places.h"
#include "read/doc.h"
#include "settings.h"
#include "workspace.h"

/* Add what the variables of a caller say by themselves. */
static void add_variables(struct stack_docs *docs,
			  const struct layer_context *context,
			  const struct env *env)
{
	struct stack stack;
	struct layer *layer;

	stack_init(&stack);
	(void)layers_set_variables(&stack, env);
	(void)stack_read(&stack, context);
	for (stack_each(&stack, layer))
		if (layer->doc)
			stack_docs_add(docs, layer, doc_ref(layer->doc));
	stack_deinit(&stack);
}

static struct env *env_as_seen(const struct workspace *workspace,
			       struct env *env)
{
	if (workspace->host->settings->mode == MODE_AGENT)
		return variables_agent_env(env);
	return env_ref(env);
}

struct snapshot *caller_resolve(struct workspace *workspace, struct env *caller,
				struct diag *diag)
{
	const struct settings *settings = workspace->host->settings;
	_cleanup_(env_unrefp) struct env *env = env_as_seen(workspace, caller);
	_cleanup_(env_unrefp) struct env *vault_env =
		env_for_vaults(env, settings->vault_environment,
			       workspace->host->places->system);
	struct layer_context context = layers_context(settings, env, vault_env);
	_cleanup_(stack_docs_deinit) struct stack_docs docs = {0};
	struct snapshot *snapshot;

	if (!stack_docs_for(&workspace->stack, &context, &docs, diag))
		return NULL;
	if (settings->mode == MODE_AGENT)
		add_variables(&docs, &context, env);
	snapshot = workspace_merge(workspace, &docs, env);
	snapshot->generation = workspace->snapshot->generation;
	return snapshot;
}
