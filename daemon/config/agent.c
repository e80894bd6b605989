#include "config/agent.h"

#include <stdlib.h>

#include "base/env.h"
#include "base/mem.h"
#include "config/merge.h"
#include "config/stack.h"
#include "read/doc.h"
#include "value/value.h"

/* Merges of the tiers, from which everything here is derived. */
struct tiers {
	struct arena *arena;  /* of the documents: derived ones share values */
	struct value *below;  /* the vaults */
	struct value *vaults; /* NULL: none counts */
	struct value *monitoring; /* NULL: none counts */
	struct value *agent; /* what the vaults make of that key; not the merge
			      * of their merge: a scalar between objects cuts */
};

static const char *const agent_path[] = {"agent", NULL};

static struct value *at(const struct value *root, const char *const *keys)
{
	struct value *value = (struct value *)root;

	for (; value && *keys; keys++)
		value = value_get(value, str_from(*keys));
	return value;
}

static void tiers_add(struct tiers *tiers, const struct stack_doc *item)
{
	struct value **tier = item->kind < LAYER_VAULT    ? &tiers->below
			      : item->kind == LAYER_VAULT ? &tiers->vaults
			      : item->kind == LAYER_MONITORING
				      ? &tiers->monitoring
				      : NULL;

	/* An empty vault does not count. */
	if (tier && item->doc->root->object.count)
		*tier = merge(tiers->arena, *tier, item->doc->root);
	if (item->kind <= LAYER_VAULT)
		tiers->agent = merge(tiers->arena, tiers->agent,
				     at(item->doc->root, agent_path));
}

static void tiers_init(struct tiers *tiers, struct stack_docs *docs)
{
	*tiers = (struct tiers){.arena = &docs->arena};
	for (size_t i = 0; i < docs->count; i++)
		tiers_add(tiers, &docs->items[i]);
}

/* The object at @keys of a new document, made with all that leads to it. */
static struct value *make(struct doc *doc, const char *const *keys)
{
	struct value *object = doc->root, **slot;

	for (; *keys; keys++) {
		slot = value_object_slot(object, &doc->arena, str_from(*keys));
		if (!*slot)
			*slot = value_new(&doc->arena, VALUE_OBJECT);
		object = *slot;
	}
	return object;
}

static struct doc *derived_new(void)
{
	struct doc *doc = doc_new();

	doc->root = value_new(&doc->arena, VALUE_OBJECT);
	return doc;
}

static void set(struct doc *doc, struct value *object, const char *key,
		struct value *value)
{
	*value_object_slot(object, &doc->arena, str_from(key)) = value;
}

/* The keys that the agent owns. */

static const char *const protected_keys[] = {
	"cuda_version", "cudnn_version", "default_python",
	"worker_id",    "worker_name",   "debug",
};

static bool to_number(const struct value *value, double *number)
{
	_cleanup_(mem_freep) char *digits = NULL;

	switch (value->type) {
	case VALUE_BOOL: *number = value->boolean; return true;
	case VALUE_REAL: *number = value->real; return true;
	case VALUE_INT:
		digits = mem_strndup(value->text.ptr, value->text.len);
		*number = strtod(digits, NULL);
		return true;
	default: return false;
	}
}

/* Are they equal by Python's ==, to which 11 is 11.0 and 0 is false? */
static bool python_equal(const struct value *a, const struct value *b)
{
	double x, y;

	if (a->type != b->type && to_number(a, &x) && to_number(b, &y))
		return x == y;
	return value_equal(a, b);
}

static struct doc *derive_protected(const struct tiers *tiers)
{
	const struct value *local = at(tiers->below, agent_path);
	struct doc *doc;

	if (!value_is(local, VALUE_OBJECT) || !tiers->vaults)
		return NULL;
	doc = derived_new();
	for (size_t i = 0; i < ARRAY_SIZE(protected_keys); i++) {
		struct str key = str_from(protected_keys[i]);
		struct value *mine = value_get(local, key);
		const struct value *theirs = value_get(tiers->agent, key);

		if (mine && !(theirs && python_equal(mine, theirs)))
			set(doc, make(doc, agent_path), protected_keys[i],
			    mine);
	}
	return doc->root->object.count ? doc : doc_unref(doc);
}

/* Azure. */

static const char *const containers_path[] = {"sdk", "azure", "storage",
					      "containers", NULL};
static const char *const azure_path[] = {"sdk", "azure", "storage", NULL};

static struct value *variable(struct doc *doc, const char *name,
			      const struct env *env)
{
	const char *const names[] = {name, NULL};
	struct str text = env_first(env, names);

	if (!text.len)
		return value_new(&doc->arena, VALUE_NULL);
	return value_new_string(&doc->arena, arena_str(&doc->arena, text));
}

static struct value *container_of_environment(struct doc *doc,
					      const struct env *env)
{
	struct value *container = value_new(&doc->arena, VALUE_OBJECT);

	set(doc, container, "account_name",
	    variable(doc, "AZURE_STORAGE_ACCOUNT", env));
	set(doc, container, "account_key",
	    variable(doc, "AZURE_STORAGE_KEY", env));
	return container;
}

/* The agent appends at its start only; when vaults make it reload, a list that
 * a file or vault defines is read again and the container is lost. */
static struct doc *derive_azure(const struct tiers *tiers,
				const struct env *env)
{
	static const char *const names[] = {"AZURE_STORAGE_ACCOUNT",
					    "AZURE_STORAGE_KEY", NULL};
	const struct value *files = at(tiers->below, containers_path);
	struct value *list;
	struct doc *doc;

	if (!env_first(env, names).len ||
	    ((tiers->vaults || tiers->monitoring) &&
	     (files || at(tiers->vaults, containers_path))))
		return NULL;
	doc = derived_new();
	list = value_new(&doc->arena, VALUE_LIST);
	for (uint32_t i = 0;
	     value_is(files, VALUE_LIST) && i < files->list.count; i++)
		value_list_add(list, &doc->arena, files->list.items[i]);
	value_list_add(list, &doc->arena, container_of_environment(doc, env));
	set(doc, make(doc, azure_path), "containers", list);
	return doc;
}

/* The whitelist of agent.snug. */

static const char *const whitelist_path[] = {"agent", "snug", "whitelist",
					     NULL};

/* The text that Python prints of it, but for reals, lists and objects. */
static struct str host_of(const struct value *rule)
{
	const struct value *host = value_get(rule, STR("host"));

	if (!host)
		return (struct str){0};
	switch (host->type) {
	case VALUE_STRING: return str_trim(value_text(host));
	case VALUE_INT: return value_text(host);
	case VALUE_BOOL: return host->boolean ? STR("True") : STR("False");
	case VALUE_NULL: return STR("None");
	default: return (struct str){0};
	}
}

static bool has_host(const struct value *rules, struct str host)
{
	for (uint32_t i = 0; i < rules->list.count; i++)
		if (str_equal_nocase(host_of(rules->list.items[i]), host))
			return true;
	return false;
}

/* The base is taken as it is; of what is added only rules for hosts that have
 * none yet. */
static void unite(struct doc *doc, struct value *rules,
		  const struct value *whitelist, bool base)
{
	const struct value *more = value_get(whitelist, STR("rules"));
	struct str host;

	for (uint32_t i = 0; value_is(more, VALUE_LIST) && i < more->list.count;
	     i++) {
		host = host_of(more->list.items[i]);
		if (base || (host.len && !has_host(rules, host)))
			value_list_add(rules, &doc->arena, more->list.items[i]);
	}
}

static struct value *field_or(struct value *whitelist, const char *key,
			      struct value *standard)
{
	struct value *value = value_get(whitelist, str_from(key));

	return value ? value : standard;
}

static struct value *whitelist_of(const struct value *tier)
{
	struct value *whitelist = at(tier, whitelist_path);

	return value_is(whitelist, VALUE_NULL) ? NULL : whitelist;
}

/* The one that the rules of others are added to, an empty one when it is no
 * object; NULL: no vault has one. */
static struct value *base_whitelist(const struct tiers *tiers)
{
	struct value *base = whitelist_of(tiers->monitoring);

	return base ? base : whitelist_of(tiers->vaults);
}

static struct doc *derive_whitelist(const struct tiers *tiers)
{
	const struct value *const roots[] = {tiers->monitoring, tiers->vaults,
					     tiers->below};
	struct value *base = base_whitelist(tiers), *whitelist, *rules,
		     *version;
	struct doc *doc;

	if (!base)
		return NULL;
	doc = derived_new();
	rules = value_new(&doc->arena, VALUE_LIST);
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		whitelist = at(roots[i], whitelist_path);
		unite(doc, rules, whitelist, whitelist == base);
	}
	version = value_new(&doc->arena, VALUE_INT);
	value_set_int(version, &doc->arena, STR("1"));
	set(doc, make(doc, whitelist_path), "rules", rules);
	set(doc, make(doc, whitelist_path), "version",
	    field_or(base, "version", version));
	set(doc, make(doc, whitelist_path), "default_action",
	    field_or(base, "default_action",
		     value_new_string(&doc->arena, STR("meter"))));
	return doc;
}

/* The map of Slurm's users. */

static struct doc *derive_no_map(void)
{
	static const char *const slurm_path[] = {"agent", "slurm", NULL};
	struct doc *doc = derived_new();

	set(doc, make(doc, slurm_path), "user_map",
	    value_new(&doc->arena, VALUE_NULL));
	return doc;
}

/* A vault's takes the place of those below, an empty one too (ClearML's
 * documentation of impersonation on Slurm): who is not in it is nobody. */
static void place_user_maps(struct stack_docs *docs)
{
	static const char *const map_path[] = {"agent", "slurm", "user_map",
					       NULL};
	bool below = false;

	for (size_t i = 0; i < docs->count; i++) {
		enum layer_kind kind = docs->items[i].kind;
		bool replaces = layer_traits[kind].provenance == LAYER_OF_VAULT;

		if (!value_is(at(docs->items[i].doc->root, map_path),
			      VALUE_OBJECT))
			continue;
		if (replaces && below)
			stack_docs_insert_at(docs, i++, kind, derive_no_map())
				->clears = true;
		below = true;
	}
}

/* Put among the others, and say for people how they came about. */

static void place_protected(struct stack_docs *docs, struct doc *doc)
{
	if (doc)
		stack_docs_insert(docs, LAYER_PROTECTED, doc)->note =
			"agent-owned key: what a vault says of it is ignored";
}

static void place_azure(struct stack_docs *docs, struct doc *doc,
			const struct env *env)
{
	static const char *const account[] = {"AZURE_STORAGE_ACCOUNT", NULL};
	struct stack_doc *item;

	if (!doc)
		return;
	item = stack_docs_insert(docs, LAYER_ENV_NAMED, doc);
	item->source =
		env_first(env, account).len ? account[0] : "AZURE_STORAGE_KEY";
	item->note = "the container of the environment comes after those of "
		     "the files";
}

static void place_whitelist(struct stack_docs *docs, struct doc *doc,
			    const struct tiers *tiers)
{
	struct stack_doc *item;

	if (!doc)
		return;
	item = stack_docs_insert(docs, LAYER_MONITORING, doc);
	item->made_from = base_whitelist(tiers);
	item->note = "the rules of all whitelists are united, those of a "
		     "vault first";
}

void agent_derive(struct stack_docs *docs, const struct env *env)
{
	struct tiers tiers;

	tiers_init(&tiers, docs);
	place_user_maps(docs);
	place_protected(docs, derive_protected(&tiers));
	place_azure(docs, derive_azure(&tiers, env), env);
	place_whitelist(docs, derive_whitelist(&tiers), &tiers);
}
