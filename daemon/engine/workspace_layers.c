/* The layers part of workspace_parts.h. */

#include "base/clock.h"
#include "base/log.h"
#include "config/agent.h"
#include "config/lock.h"
#include "config/secrets.h"
#include "engine/layers.h"
#include "engine/workspace_parts.h"
#include "fetch/cache_entry.h"
#include "read/doc.h"
#include "settings/settings.h"

/* --- the stack --- */

bool workspace_set_declared(struct workspace *workspace,
			    const struct login *login)
{
	const struct upstream *upstream = workspace->upstream;

	return layers_set_declared(&workspace->stack, workspace->host->settings,
				   workspace->declared->inject,
				   upstream ? &upstream->login : login);
}

/* What the settings declare of a login comes and goes with its vaults. */
static bool set_vaults(struct workspace *workspace, enum layer_kind kind,
		       const struct vault_answer *answer)
{
	bool changed = layers_set_vaults(&workspace->stack, kind, answer);

	workspace->last_good.unsaved = workspace->last_good.unsaved ||
				       changed ||
				       stack_has_unread(&workspace->stack);
	if (workspace->declared)
		changed = workspace_set_declared(workspace, NULL) || changed;
	return changed;
}

bool workspace_set_vaults(struct workspace *workspace,
			  const struct vault_answer *answer)
{
	workspace->had_vaults = workspace->had_vaults || answer->count;
	return set_vaults(workspace, layers_of_feeds[answer->feed], answer);
}

bool workspace_unset_vaults(struct workspace *workspace)
{
	const struct vault_answer none = {.outcome = VAULT_FETCHED};
	bool config = set_vaults(workspace, LAYER_VAULT, &none);

	workspace->had_vaults = false;
	return set_vaults(workspace, LAYER_MONITORING, &none) || config;
}

static bool set_feed(struct workspace *workspace, enum vault_feed number,
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
	arrival_restore(&workspace->arrivals[number], feed);
	return layers_set_vaults(&workspace->stack, layers_of_feeds[number],
				 &answer);
}

bool workspace_take_entry(struct workspace *workspace,
			  const struct cache_entry *entry)
{
	bool agent = workspace->host->settings->mode == MODE_AGENT;
	bool changed = false;

	for (size_t i = 0; i < VAULT_FEEDS; i++)
		if (agent || layers_of_feeds[i] == LAYER_VAULT)
			changed = set_feed(workspace, (enum vault_feed)i,
					   &entry->feeds[i]) ||
				  changed;
	log_info("vaults-from-cache", LOG_TEXT("workspace", workspace->name),
		 LOG_INT("age",
			 (clock_boot_ms() - workspace->last_good.good_ms) /
				 1000));
	return changed;
}

/* --- the snapshots --- */

/* The snapshot that @docs come to by the rules of the mode; not published. */
static struct snapshot *merge_docs(const struct workspace *workspace,
				   struct stack_docs *docs,
				   const struct env *env)
{
	struct snapshot *snapshot;

	if (workspace->host->settings->mode == MODE_AGENT)
		agent_derive(docs, env);
	snapshot = snapshot_new(docs);
	snapshot->locks = locks_ref(workspace->host->locks);
	return snapshot;
}

/* Losers are secret too. What a caller brings is never learned: it would mask
 * what others see. @later (NULL: none) has taught what it shares. */
static void learn_secrets(const struct workspace *workspace,
			  const struct stack_docs *docs,
			  const struct snapshot *later)
{
	for (size_t i = 0; i < docs->count; i++)
		if (!later || !snapshot_has_doc(later, docs->items[i].doc))
			secrets_learn(workspace->host->secrets,
				      docs->items[i].doc->root);
}

void workspace_learn_snapshot(const struct workspace *workspace,
			      const struct snapshot *snapshot)
{
	learn_secrets(workspace, &snapshot->docs, NULL);
	secrets_learn_patterns(workspace->host->secrets, snapshot->root);
}

void workspace_learn_secrets(const struct workspace *workspace)
{
	struct secrets *secrets = workspace->host->secrets;
	const struct snapshot *snapshot, *later = NULL;

	if (workspace->upstream)
		upstream_learn_secrets(workspace->upstream, secrets);
	if (workspace->candidate)
		upstream_learn_secrets(workspace->candidate, secrets);
	if (workspace->hold.candidate)
		workspace_learn_snapshot(workspace, workspace->hold.candidate);
	for (size_t i = 0; (snapshot = history_get(&workspace->history, i));
	     i++, later = snapshot) {
		learn_secrets(workspace, &snapshot->docs, later);
		secrets_learn_patterns(secrets, snapshot->root);
	}
}

/* What the newest one before it holds has been learned. */
static struct snapshot *make_snapshot(const struct workspace *workspace)
{
	struct stack_docs docs = stack_get_docs(&workspace->stack, LAYER_KINDS);
	struct snapshot *snapshot;

	learn_secrets(workspace, &docs,
		      workspace->hold.candidate ? workspace->hold.candidate
						: workspace->snapshot);
	snapshot = merge_docs(workspace, &docs, workspace->host->env);
	secrets_learn_patterns(workspace->host->secrets, snapshot->root);
	return snapshot;
}

static void set_snapshot(struct workspace *workspace, struct snapshot *snapshot)
{
	for (size_t i = 0; i < PROJECTIONS; i++)
		workspace->projected[i] =
			snapshot_unref(workspace->projected[i]);
	snapshot_unref(workspace->snapshot);
	workspace->snapshot = snapshot ? snapshot_ref(snapshot) : NULL;
	if (!snapshot)
		return;
	snapshot->edition = ++workspace->editions;
	if (workspace->estranged && !hold_is_on(&workspace->hold)) {
		workspace->estranged = false;
		workspace->ours_since = snapshot->generation;
	}
}

struct snapshot *workspace_project(struct workspace *workspace,
				   enum projection projection)
{
	struct snapshot **projected = &workspace->projected[projection];

	if (!*projected)
		*projected = snapshot_project(workspace->snapshot, projection);
	return *projected;
}

static void publish(struct workspace *workspace, struct snapshot *snapshot,
		    enum snapshot_cause cause)
{
	_cleanup_(snapshot_unrefp) struct snapshot *before =
		workspace->snapshot ? snapshot_ref(workspace->snapshot) : NULL;

	snapshot->cause = cause;
	snapshot->generation =
		workspace->host->next_generation(workspace->host->data);
	set_snapshot(workspace, snapshot);
	history_add(&workspace->history, snapshot);
	workspace_keep_history(workspace, before);
	log_info("snapshot", LOG_TEXT("workspace", workspace->name),
		 LOG_INT("generation", (int64_t)snapshot->generation),
		 LOG_TEXT("cause", snapshot_cause_name(cause)));
	workspace->host->on_snapshot(workspace->host->data, workspace);
}

/* The same values: nobody hears of it but who watches the documents. But lines
 * may have moved, and what is overridden may be another: who asks why is told
 * from the newest documents. */
static void replace_equal(struct workspace *workspace,
			  struct snapshot *snapshot)
{
	snapshot->cause = workspace->snapshot->cause;
	snapshot->time = workspace->snapshot->time;
	snapshot->generation = workspace->snapshot->generation;
	set_snapshot(workspace, snapshot);
	history_renew(&workspace->history, snapshot);
	workspace->host->on_snapshot(workspace->host->data, workspace);
}

void workspace_serve(struct workspace *workspace, struct snapshot *snapshot,
		     enum snapshot_cause cause)
{
	if (workspace->snapshot &&
	    snapshot_equal(snapshot, workspace->snapshot))
		replace_equal(workspace, snapshot);
	else
		publish(workspace, snapshot, cause);
}

static void publish_changes(struct workspace *workspace,
			    enum snapshot_cause cause)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot =
		make_snapshot(workspace);

	if (hold_is_on(&workspace->hold))
		workspace_keep(workspace, snapshot, cause);
	else
		workspace_serve(workspace, snapshot, cause);
}

void workspace_renew(struct workspace *workspace)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot =
		hold_is_on(&workspace->hold)
			? snapshot_again(workspace->snapshot)
			: make_snapshot(workspace);

	publish(workspace, snapshot, CAUSE_WORKSPACE);
}

bool workspace_read(struct workspace *workspace)
{
	const struct workspace_host *host = workspace->host;
	struct layer_context context =
		layers_context(host->settings, host->env, host->vault_env);

	context.secrets = host->secrets;
	return stack_read(&workspace->stack, &context);
}

void workspace_publish(struct workspace *workspace, bool changed,
		       enum snapshot_cause cause)
{
	/* A reload may have changed what is masked. */
	changed = workspace_read(workspace) || changed ||
		  cause == CAUSE_RELOAD || !workspace->snapshot;
	if (changed)
		publish_changes(workspace, cause);
}

void workspace_close_layers(struct workspace *workspace)
{
	stack_deinit(&workspace->stack);
	history_deinit(&workspace->history);
	set_snapshot(workspace, NULL);
}
