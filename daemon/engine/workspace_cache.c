/* The cache part of workspace_parts.h. */

#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/layers.h"
#include "engine/workspace_parts.h"
#include "fetch/cache.h"
#include "read/doc.h"
#include "settings/settings.h"

/* What has not changed is written so often, for its age. */
#define SAVE_MS ((int64_t)3600 * 1000)

static const enum layer_kind kinds[VAULT_FEEDS] = {
	[VAULT_CONFIG] = LAYER_VAULT,
	[VAULT_MONITORING] = LAYER_MONITORING,
};

/* --- into the file -------------------------------------------------------- */

static const char *format_name(enum read_format format)
{
	static const char *const names[] = {
		[READ_HOCON] = "hocon",
		[READ_JSON] = "json",
		[READ_YAML] = "yaml",
	};

	return names[format];
}

/* Of a broken one the last good text: so that it is not lost by a restart. */
static struct vault vault_of(const struct layer *layer)
{
	bool good = layer->doc && layer->doc->source_count;

	return (struct vault){
		.id = layer->source,
		.description = layer->description ? layer->description : "",
		.format = format_name(good ? layer->doc_format : layer->format),
		.type = layer->kind == LAYER_MONITORING ? "monitoring"
							: "config",
		.scope = layer->scope,
		.last_update = layer->last_update,
		.data = good ? layer->doc->sources[0]->text : layer->text,
	};
}

static void collect(struct cache_vaults *feed, struct arena *arena,
		    const struct stack *stack, enum layer_kind kind)
{
	struct vault *vaults;
	struct layer *layer;
	size_t count = 0;

	for (stack_each(stack, layer))
		count += layer->kind == kind;
	vaults = arena_alloc(arena, count * sizeof(*vaults));
	feed->vaults = vaults;
	for (stack_each(stack, layer))
		if (layer->kind == kind)
			vaults[feed->count++] = vault_of(layer);
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static void describe(struct cache_entry *entry,
		     const struct workspace *workspace)
{
	const struct login *login = &workspace->upstream->login;
	const struct whois_names *names = workspace_names(workspace);
	const struct stack *held;

	*entry = (struct cache_entry){
		.workspace = workspace->name,
		.api_server = login->api_server,
		.company_id = or_empty(names->company_id),
		.access_key = or_empty(login->access_key),
		.user_id = names->user_id,
		.user_name = names->user_name,
		.company_name = names->company_name,
		.refused_at = workspace->refused_at,
	};
	held = layers_hold(entry, &workspace->stack);
	for (size_t i = 0; i < VAULT_FEEDS; i++) {
		entry->feeds[i].fetched_at = workspace->fetched_at;
		collect(&entry->feeds[i], &entry->arena, held, kinds[i]);
	}
}

static void save(struct workspace *workspace)
{
	_cleanup_(cache_entry_deinit) struct cache_entry entry;

	describe(&entry, workspace);
	cache_set(workspace->cache, &entry);
	workspace->saved_at = clock_boot_ms();
	workspace->unsaved = false;
}

static bool may_save(const struct workspace *workspace)
{
	return workspace->cache && workspace->upstream && workspace->keep.kept;
}

void workspace_save(struct workspace *workspace)
{
	int64_t since = clock_boot_ms() - workspace->saved_at;

	if (may_save(workspace) && (workspace->unsaved || since >= SAVE_MS))
		save(workspace);
}

void workspace_close_cache(struct workspace *workspace)
{
	if (may_save(workspace))
		save(workspace);
	cache_close(TAKE(workspace->cache));
}

void workspace_forget_cache(struct workspace *workspace)
{
	if (workspace->cache)
		cache_forget(workspace->cache);
}

/* --- out of the file ------------------------------------------------------ */

static bool set_feed(struct workspace *workspace, enum layer_kind kind,
		     const struct cache_vaults *feed)
{
	const struct vault_answer answer = {
		.outcome = VAULT_FETCHED,
		.vaults = feed->vaults,
		.count = feed->count,
	};

	if (!feed->fetched_at)
		return false;
	workspace->had_vaults = workspace->had_vaults || feed->count;
	return layers_set_vaults(&workspace->stack, kind, &answer);
}

static char *copy(const char *text)
{
	return text && *text ? mem_strdup(text) : NULL;
}

static void keep_names(struct whois_names *names,
		       const struct cache_entry *entry)
{
	*names = (struct whois_names){
		.user_id = copy(entry->user_id),
		.user_name = copy(entry->user_name),
		.company_id = copy(entry->company_id),
		.company_name = copy(entry->company_name),
	};
}

/* True when there is something to read. */
static bool take_entry(struct workspace *workspace,
		       const struct cache_entry *entry)
{
	bool agent = workspace->host->settings->mode == MODE_AGENT;
	bool changed = false;

	workspace->fetched_at = cache_entry_fetched_at(entry);
	workspace->refused_at = entry->refused_at;
	keep_restore(&workspace->keep, clock_boot_ms(), time(NULL),
		     workspace->fetched_at, workspace->refused_at);
	if (workspace_has_lapsed(workspace))
		return false;
	keep_names(&workspace->kept, entry);
	for (size_t i = 0; i < VAULT_FEEDS; i++)
		if (agent || kinds[i] == LAYER_VAULT)
			changed = set_feed(workspace, kinds[i],
					   &entry->feeds[i]) ||
				  changed;
	log_info("vaults-from-cache", LOG_TEXT("workspace", workspace->name),
		 LOG_INT("age", time(NULL) - workspace->fetched_at));
	return changed;
}

static void complain(const struct workspace *workspace, const struct diag *diag)
{
	log_warning("cache-not-used", LOG_TEXT("workspace", workspace->name),
		    LOG_TEXT("file", diag->source),
		    LOG_TEXT("reason", diag->text));
}

/* A token says whose it is, and unlike a key not in its name. */
static bool name_owner(struct cache_query *query, struct arena *arena,
		       const struct login *login)
{
	struct api_claims claims;

	query->access_key = or_empty(login->access_key);
	if (!login->token)
		return true;
	if (!api_parse_claims(&claims, arena, login->token))
		return false;
	query->company_id = or_empty(claims.company_id);
	query->user_id = or_empty(claims.user_id);
	return true;
}

bool workspace_restore(struct workspace *workspace, const struct login *login)
{
	const struct workspace_host *host = workspace->host;
	struct cache_query query = {
		.state_dir = host->state_dir,
		.workspace = workspace->name,
		.api_server = login->api_server,
		.read_only = !workspace->cache,
	};
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(cache_entry_deinit) struct cache_entry entry = {0};
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	int r;

	if (!host->state_dir || !login->api_server ||
	    !name_owner(&query, &arena, login))
		return false;
	r = cache_file_read(&entry, &query, &diag);
	if (r && r != CACHE_E_ABSENT)
		complain(workspace, &diag);
	return r == 0 && take_entry(workspace, &entry);
}

static bool is_other(const char *kept, const char *claimed)
{
	return kept && claimed && !str_same(kept, claimed);
}

bool workspace_has_moved(struct workspace *workspace)
{
	const struct api_claims *claims =
		session_claims(workspace->upstream->session);
	struct whois_names *kept = &workspace->kept;
	bool moved;

	if (!claims || !claims->company_id)
		return false;
	moved = is_other(kept->company_id, claims->company_id) ||
		is_other(kept->user_id, claims->user_id);
	if (moved)
		whois_names_deinit(kept);
	return moved;
}

const struct whois_names *workspace_names(const struct workspace *workspace)
{
	const struct upstream *upstream = workspace->upstream;

	if (upstream &&
	    (upstream->whois.names.user_id || upstream->whois.names.company_id))
		return &upstream->whois.names;
	return &workspace->kept;
}
