#include "engine/layers.h"

#include <string.h>

#include "base/buf.h"
#include "base/env.h"
#include "base/mem.h"
#include "config/stack.h"
#include "engine/local.h"
#include "engine/login.h"
#include "engine/workspace.h"
#include "fetch/vault.h"
#include "settings/places.h"
#include "settings/settings.h"
#include "site/site.h"

struct layer_context layers_context(const struct settings *settings,
				    const struct env *env,
				    const struct env *vault_env)
{
	return (struct layer_context){
		.dialect = (enum read_dialect)settings->dialect,
		.types = (enum conform_policy)settings->types,
		.limits = {.bytes = (size_t)settings->limits.document,
			   .depth = (size_t)settings->limits.depth,
			   .nodes = READ_LIMITS_DEFAULT.nodes,
			   .values = READ_LIMITS_DEFAULT.values},
		.env = env,
		.vault_env = vault_env,
	};
}

/* Who asks where a value is from is told of the rollout that brought it. True
 * when that is news. */
static bool describe_rollout(struct layer *layer,
			     const struct site_rollout *rollout)
{
	_cleanup_(mem_freep) char *text =
		rollout ? mem_printf("%s (rollout %s)", layer->source,
				     rollout->id)
			: NULL;
	bool changed = !str_same(text, layer->description);

	layer_set_description(layer, text);
	return changed;
}

/* Where a rollout's text is broken its document's own stands for it, if there
 * was nothing good before. */
static bool set_document(struct layer *layer, const struct site_docs *docs,
			 const struct site_doc *doc)
{
	const struct site_rollout *rollout = site_docs_rollout(docs, doc->key);

	layer_set_edit(layer, &(struct layer_edit){.revision = doc->revision});
	layer_set_spare(layer, rollout ? rollout->base : (struct str){0});
	layer_set_text(layer, read_format_of_path(doc->key), doc->text);
	return describe_rollout(layer, rollout);
}

bool layers_set_documents(struct stack *stack, const struct site *site)
{
	size_t count = site ? site->docs.count : 0;
	_cleanup_(mem_freep) const char **keys =
		mem_alloc(count * sizeof(*keys));
	_cleanup_(mem_freep) struct layer **layers =
		mem_alloc(count * sizeof(*layers));
	bool changed;

	for (size_t i = 0; i < count; i++)
		keys[i] = site->docs.items[i].key;
	changed = stack_set_sources(stack, LAYER_ETCD, keys, count, layers);
	for (size_t i = 0; i < count; i++)
		changed = set_document(layers[i], &site->docs,
				       &site->docs.items[i]) ||
			  changed;
	return changed;
}

static bool set_files(struct stack *stack, enum layer_kind kind,
		      const struct local_files *files)
{
	_cleanup_(mem_freep) const char **paths =
		mem_alloc(files->count * sizeof(*paths));
	_cleanup_(mem_freep) struct layer **layers =
		mem_alloc(files->count * sizeof(*layers));
	bool changed;

	for (size_t i = 0; i < files->count; i++)
		paths[i] = files->items[i].path;
	changed = stack_set_sources(stack, kind, paths, files->count, layers);
	for (size_t i = 0; i < files->count; i++)
		layer_set_file(layers[i], files->items[i].format,
			       files->items[i].under);
	return changed;
}

static bool set_found(struct stack *stack, enum layer_kind kind,
		      void (*find)(struct local_files *files,
				   const struct local_rule *rule),
		      const struct local_rule *rule)
{
	_cleanup_(local_files_deinit) struct local_files files;

	find(&files, rule);
	return set_files(stack, kind, &files);
}

static bool set_all_files(struct stack *stack, const struct local_rule *rule,
			  const struct site *site)
{
	bool defaults =
		set_found(stack, LAYER_DEFAULTS, local_find_defaults, rule);
	bool sites = set_found(stack, LAYER_SITE, local_find_site, rule);
	bool documents = layers_set_documents(stack, site);
	bool files = set_found(stack, LAYER_FILE, local_find_files, rule);

	return defaults || sites || documents || files;
}

/* The layer is JSON, as ClearML would read it from a file. */
bool layers_set_declared(struct stack *stack, const struct settings *settings,
			 bool inject, const struct login *login)
{
	const char *const sources[] = {settings->path};
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;
	struct layer *layer;
	bool changed = stack_set_sources(stack, LAYER_WORKSPACE, sources,
					 inject, &layer);

	if (inject && login) {
		login_write_layer(login, &json);
		layer_set_text(layer, READ_JSON, buf_str(&json));
	}
	return changed;
}

bool layers_set_local(struct stack *stack, const struct workspace_host *host)
{
	const struct local_rule rule = {host->settings, host->places,
					host->env};
	bool files = set_all_files(stack, &rule, host->site);
	bool variables = host->settings->mode == MODE_AGENT &&
			 stack_set_variables(stack, host->env);

	return files || variables;
}

const enum layer_kind layers_of_feeds[] = {
	[VAULT_CONFIG] = LAYER_VAULT,
	[VAULT_MONITORING] = LAYER_MONITORING,
};

/* There is nothing to read in it, so it is not broken, whatever its format. */
static bool is_blank(struct str text)
{
	return !str_trim(text).len;
}

enum read_format layers_vault_format(const struct vault *vault, bool *known)
{
	enum read_format format = READ_HOCON;
	struct str name = str_from(vault->format);

	*known = !name.len || is_blank(vault->data) ||
		 read_format_from_name(name, &format);
	return format;
}

static void set_vault(struct layer *layer, const struct vault *vault)
{
	const struct layer_edit edit = {vault->scope, vault->owner,
					vault->last_update, 0};
	bool known;
	enum read_format format = layers_vault_format(vault, &known);

	layer_set_odd_format(layer, !known);
	layer_set_description(layer, vault->description);
	layer_set_edit(layer, &edit);
	layer_set_text(layer, format, vault->data);
}

bool layers_take_vault(enum layer_kind kind, const struct vault *vault)
{
	bool monitoring = vault->type && !strcmp(vault->type, "monitoring");

	return monitoring == (kind == LAYER_MONITORING);
}

/* In the order the server sent them; what it sent of the other type, though not
 * asked for, is left out. */
bool layers_set_vaults(struct stack *stack, enum layer_kind kind,
		       const struct vault_answer *answer)
{
	_cleanup_(mem_freep) const struct vault **vaults =
		mem_alloc(answer->count * sizeof(*vaults));
	_cleanup_(mem_freep) const char **ids =
		mem_alloc(answer->count * sizeof(*ids));
	_cleanup_(mem_freep) struct layer **layers =
		mem_alloc(answer->count * sizeof(*layers));
	size_t count = 0;
	bool changed;

	for (size_t i = 0; i < answer->count; i++)
		if (layers_take_vault(kind, &answer->vaults[i]))
			vaults[count++] = &answer->vaults[i];
	for (size_t i = 0; i < count; i++)
		ids[i] = vaults[i]->id;
	changed = stack_set_sources(stack, kind, ids, count, layers);
	for (size_t i = 0; i < count; i++)
		set_vault(layers[i], vaults[i]);
	return changed;
}
