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

static const enum layer_kind kinds[VAULT_FEEDS] = {
	[VAULT_CONFIG] = LAYER_VAULT,
	[VAULT_MONITORING] = LAYER_MONITORING,
};

/* --- into the file -------------------------------------------------------- */

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static void save(struct workspace *workspace)
{
	const struct login *login = &workspace->upstream->login;
	const struct whois_names *names = workspace_names(workspace);
	_cleanup_(cache_entry_deinit) struct cache_entry entry = {
		.api_server = login->api_server,
		.company_id = or_empty(names->company_id),
		.access_key = or_empty(login->access_key),
		.user_id = names->user_id,
		.user_name = names->user_name,
		.company_name = names->company_name,
	};

	last_good_save(&workspace->last_good, &entry, &workspace->stack);
}

void workspace_save(struct workspace *workspace)
{
	if (workspace->upstream && last_good_is_due(&workspace->last_good))
		save(workspace);
}

void workspace_close_cache(struct workspace *workspace)
{
	if (workspace->upstream)
		save(workspace);
	last_good_close(&workspace->last_good);
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

	keep_names(&workspace->kept, entry);
	for (size_t i = 0; i < VAULT_FEEDS; i++)
		if (agent || kinds[i] == LAYER_VAULT)
			changed = set_feed(workspace, kinds[i],
					   &entry->feeds[i]) ||
				  changed;
	log_info("vaults-from-cache", LOG_TEXT("workspace", workspace->name),
		 LOG_INT("age", time(NULL) - workspace->last_good.good.wall_s));
	return changed;
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
	struct cache_query whose = {.api_server = login->api_server};
	_cleanup_(cache_entry_deinit) struct cache_entry entry = {0};
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;

	return login->api_server && name_owner(&whose, &arena, login) &&
	       last_good_restore(&workspace->last_good, &whose, &entry) &&
	       workspace_has_lapsed(workspace) == LAST_GOOD_ON &&
	       take_entry(workspace, &entry);
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
