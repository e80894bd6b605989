#include "config/resolver.h"

#include "base/env.h"
#include "base/mem.h"
#include "config/agent.h"
#include "config/lock.h"
#include "config/mask.h"
#include "config/secrets.h"
#include "config/vault_env.h"
#include "read/doc.h"
#include "read/variables.h"
#include "value/json.h"
#include "value/value.h"

/* Texts that are others for him may hold secrets that are others, too. What is
 * too large to be answered is not looked through. */
static bool learn_secrets(struct resolver *resolver,
			  const struct stack_docs *docs)
{
	for (size_t i = 0; i < docs->count; i++) {
		const struct doc *doc = docs->items[i].doc;
		size_t left = resolver->document;

		if (!docs->items[i].read_again)
			continue;
		if (!json_fits(doc->root, &left))
			return false;
		secrets_learn(resolver->secrets, doc->root);
	}
	return true;
}

static bool has_foreign(const struct stack_docs *docs)
{
	for (size_t i = 0; i < docs->count; i++)
		if (docs->items[i].read_again)
			return true;
	return false;
}

/* The same document of @docs; what has none there is hidden whole. */
static const struct value *twin_of(const struct stack_docs *docs, size_t index,
				   const struct stack_doc *item)
{
	return index < docs->count &&
			       str_same(docs->items[index].source, item->source)
		       ? docs->items[index].doc->root
		       : NULL;
}

/* As his documents are with variables that hold what no caller can bring, which
 * is no part of any secret. */
static bool read_twins(struct resolver *resolver, struct resolved *resolved,
		       struct stack_docs *twins)
{
	struct layer_context context = resolver->context;
	_cleanup_(env_unrefp) struct env *env =
		env_filled(resolved->env, STR("\1"));
	_cleanup_(env_unrefp) struct env *vault_env =
		env_filled(resolved->vault_env, STR("\1"));

	context.env = env;
	context.vault_env = vault_env;
	return stack_docs_for(&resolver->stack, &context, twins,
			      &resolved->diag);
}

/* Who may not see secrets must not find them by trying which text of his own is
 * hidden, so what he brings into a text is not compared with any. */
static bool mark_foreign(struct resolver *resolver, struct resolved *resolved)
{
	_cleanup_(stack_docs_deinit) struct stack_docs twins = {.count = 0};
	struct stack_docs *docs = &resolved->docs;

	if (!has_foreign(docs))
		return true;
	if (!read_twins(resolver, resolved, &twins))
		return false;
	(void)learn_secrets(resolver, &twins);
	for (size_t i = 0; i < docs->count; i++)
		if (docs->items[i].read_again)
			mask_mark_foreign(resolver->secrets,
					  docs->items[i].doc->root,
					  twin_of(&twins, i, &docs->items[i]));
	return true;
}

static bool read_docs(struct resolver *resolver, struct resolved *resolved)
{
	struct layer_context context = resolver->context;

	context.env = resolved->env;
	context.vault_env = resolved->vault_env;
	return stack_docs_for(&resolver->stack, &context, &resolved->docs,
			      &resolved->diag);
}

static void merge(struct resolver *resolver, struct resolved *resolved,
		  enum projection projection)
{
	if (resolver->agent)
		agent_derive(&resolved->docs, resolved->env);
	resolved->root = projection_merge(projection, &resolved->docs,
					  resolver->locks, &resolved->arena);
	if (!resolved->root)
		resolved->root = value_new(&resolved->arena, VALUE_OBJECT);
}

int resolver_resolve(struct resolver *resolver, struct env *env,
		     enum projection projection, bool masked,
		     struct resolved *resolved)
{
	resolved->env =
		resolver->agent ? variables_agent_env(env) : env_ref(env);
	resolved->secrets = resolver->secrets;
	resolved->locks = resolver->locks;
	resolved->vault_env = env_for_vaults(
		resolved->env, resolver->vault_environment, resolver->system);
	/* Documents that would be left out cannot be in the way either. */
	if (resolver->agent && projection_below(projection) > LAYER_ENV_GENERIC)
		(void)stack_set_variables(&resolver->stack, resolved->env);
	if (!read_docs(resolver, resolved))
		return RESOLVE_E_BROKEN;
	if (!learn_secrets(resolver, &resolved->docs))
		return RESOLVE_E_TOO_LARGE;
	if (masked && !mark_foreign(resolver, resolved))
		return RESOLVE_E_BROKEN;
	merge(resolver, resolved, projection);
	return 0;
}

/* --- a vault that may come ------------------------------------------------ */

static struct layer *find_vault(struct resolver *resolver, const char *name)
{
	struct layer *layer;

	for (stack_each(&resolver->stack, layer))
		if (layer->kind == LAYER_VAULT &&
		    (str_same(layer->source, name) ||
		     str_same(layer->description, name)))
			return layer;
	return NULL;
}

void resolver_read(struct resolver *resolver, struct env *env)
{
	struct layer_context context = resolver->context;
	_cleanup_(env_unrefp) struct env *own =
		resolver->agent ? variables_agent_env(env) : env_ref(env);
	_cleanup_(env_unrefp) struct env *vault_env = env_for_vaults(
		own, resolver->vault_environment, resolver->system);
	struct layer *layer;

	context.env = own;
	context.vault_env = vault_env;
	context.secrets = resolver->secrets;
	context.is_trial = true;
	(void)stack_read(&resolver->stack, &context);
	for (stack_each(&resolver->stack, layer))
		if (layer_is_of(layer, LAYER_OF_VAULT) && layer->doc)
			secrets_learn(resolver->secrets, layer->doc->root);
}

const struct layer *resolver_add_vault(struct resolver *resolver,
				       struct env *env,
				       const struct resolver_vault *vault)
{
	struct layer *layer =
		vault->replaces
			? find_vault(resolver, vault->replaces)
			: stack_add(&resolver->stack, LAYER_VAULT, "candidate");

	if (!layer)
		return NULL;
	layer_set_text(layer, vault->format, vault->text);
	layer_touch(layer);
	resolver_read(resolver, env);
	return layer;
}

void resolved_deinit(struct resolved *resolved)
{
	diag_deinit(&resolved->diag);
	arena_free(&resolved->arena);
	stack_docs_deinit(&resolved->docs);
	env_unref(resolved->vault_env);
	env_unref(resolved->env);
}

void resolver_free(struct resolver *resolver)
{
	if (!resolver)
		return;
	stack_deinit(&resolver->stack);
	locks_unref(resolver->locks);
	secrets_free(resolver->secrets);
	mem_free(resolver->vault_environment);
	mem_free(resolver);
}
