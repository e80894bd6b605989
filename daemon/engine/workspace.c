#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/access.h"
#include "config/agent.h"
#include "config/lock.h"
#include "config/secrets.h"
#include "engine/layers.h"
#include "engine/rotation.h"
#include "engine/site.h"
#include "engine/workspace_parts.h"
#include "read/doc.h"
#include "settings/settings.h"

const char *workspace_state_name(enum workspace_state state)
{
	static const char *const names[] = {
		[WORKSPACE_STARTING] = "starting",
		[WORKSPACE_READY] = "ready",
		[WORKSPACE_DEGRADED] = "degraded",
		[WORKSPACE_OFFLINE] = "offline",
	};

	return names[state];
}

const char *workspace_state_shown(const struct workspace *workspace)
{
	return workspace->refused ? "refused"
				  : workspace_state_name(workspace->state);
}

static bool any_layer_broken(const struct workspace *workspace)
{
	struct layer *layer;

	for (stack_each(&workspace->stack, layer))
		if (layer->state == LAYER_BROKEN)
			return true;
	return false;
}

/* The server no longer offers vaults though it has given some: they stay, but
 * somebody should look. */
static bool gate_closed(const struct workspace *workspace)
{
	return workspace->had_vaults && workspace->upstream &&
	       upstream_outcome(workspace->upstream) == VAULT_UNSUPPORTED;
}

static bool is_site_troubled(const struct site *site)
{
	return site_has_asked(site) && !site_is_well(site);
}

static bool is_unproved(const struct upstream *candidate)
{
	return candidate && upstream_is_answered(candidate);
}

/* Who wants no vaults depends on no server. */
static const struct upstream *source_of_vaults(
	const struct workspace *workspace)
{
	const struct upstream *upstream = workspace->upstream;

	return upstream && !upstream->poll.no_vaults ? upstream : NULL;
}

static enum workspace_state state_of(const struct workspace *workspace)
{
	const struct upstream *upstream = source_of_vaults(workspace);
	bool answered = upstream && upstream_is_answered(upstream);

	if (workspace->host->offline)
		return WORKSPACE_OFFLINE;
	if (upstream && !answered && !workspace->last_good.kept)
		return WORKSPACE_STARTING;
	if (site_is_starting(workspace->host->site))
		return WORKSPACE_STARTING;
	if (answered && upstream_outcome(upstream) == VAULT_UNREACHABLE)
		return WORKSPACE_OFFLINE;
	if ((answered && !upstream_is_well(upstream)) ||
	    workspace->last_good.refused || workspace->login_error ||
	    is_unproved(workspace->candidate) || gate_closed(workspace) ||
	    any_layer_broken(workspace) ||
	    is_site_troubled(workspace->host->site))
		return WORKSPACE_DEGRADED;
	return WORKSPACE_READY;
}

static bool key_runs_out(const struct workspace *workspace)
{
	return workspace->upstream &&
	       key_life_runs_out(&workspace->upstream->key_life, time(NULL));
}

/* Once for each key: who it concerns has time. True when it is news. */
static bool note_key_life(struct workspace *workspace)
{
	bool runs_out = key_runs_out(workspace);

	if (runs_out == workspace->runs_out)
		return false;
	workspace->runs_out = runs_out;
	if (runs_out)
		log_warning("key-runs-out",
			    LOG_TEXT("workspace", workspace->name),
			    LOG_INT("seconds_left",
				    workspace->upstream->key_life.expires -
					    time(NULL)));
	return true;
}

void workspace_set_state(struct workspace *workspace)
{
	bool refused = workspace->last_good.refused;
	enum workspace_state state = state_of(workspace);

	if (note_key_life(workspace) && workspace->since)
		workspace->host->on_state(workspace->host->data, workspace);
	if (state == workspace->state && refused == workspace->refused &&
	    workspace->since)
		return;
	workspace->state = state;
	workspace->refused = refused;
	workspace->since = time(NULL);
	log_info("workspace-state", LOG_TEXT("workspace", workspace->name),
		 LOG_TEXT("state", workspace_state_shown(workspace)));
	workspace->host->on_state(workspace->host->data, workspace);
}

const char *workspace_candidate_problem(const struct workspace *workspace)
{
	return workspace->candidate ? upstream_error(workspace->candidate)
				    : NULL;
}

const char *workspace_problem(const struct workspace *workspace)
{
	const struct upstream *upstream = workspace->upstream;

	if (workspace->login_error)
		return workspace->login_error;
	if (upstream && upstream_error(upstream))
		return upstream_error(upstream);
	if (workspace_candidate_problem(workspace))
		return workspace_candidate_problem(workspace);
	if (gate_closed(workspace))
		return "the server no longer offers vaults; those it gave "
		       "before stay in force";
	return NULL;
}

const char *workspace_vaults_lack(const struct workspace *workspace,
				  bool *expected)
{
	const struct upstream *upstream = source_of_vaults(workspace);
	const char *problem = workspace_problem(workspace);

	*expected = upstream || workspace->login_error;
	if (workspace->last_good.kept ||
	    (upstream && upstream_is_well(upstream)))
		return NULL;
	if (*expected)
		return problem ? problem : "the server has not answered yet";
	return workspace->unasked
		       ? workspace->unasked
		       : "clearconfd's environment switches vaults off";
}

/* Who is not going to stay wants the server's own word. */
static bool wants_an_answer(const struct workspace *workspace)
{
	return workspace->host->read_only &&
	       (!site_has_asked(workspace->host->site) ||
		(workspace->upstream &&
		 !upstream_is_answered(workspace->upstream)));
}

bool workspace_is_settled(const struct workspace *workspace)
{
	return workspace->state != WORKSPACE_STARTING &&
	       !wants_an_answer(workspace);
}

int64_t workspace_stale(const struct workspace *workspace)
{
	int64_t age = last_good_age(&workspace->last_good, clock_boot_ms());

	return age > 2 * workspace->host->settings->interval ? age / 1000 : -1;
}

struct snapshot *workspace_merge(const struct workspace *workspace,
				 struct stack_docs *docs, const struct env *env)
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

void workspace_learn_secrets(const struct workspace *workspace)
{
	struct secrets *secrets = workspace->host->secrets;
	const struct snapshot *snapshot, *later = NULL;

	if (workspace->upstream)
		upstream_learn_secrets(workspace->upstream, secrets);
	if (workspace->candidate)
		upstream_learn_secrets(workspace->candidate, secrets);
	for (size_t i = 0; (snapshot = history_get(&workspace->history, i));
	     i++, later = snapshot) {
		learn_secrets(workspace, &snapshot->docs, later);
		secrets_learn_patterns(secrets, snapshot->root);
	}
}

static struct snapshot *make_snapshot(const struct workspace *workspace)
{
	struct stack_docs docs = stack_get_docs(&workspace->stack, LAYER_KINDS);
	struct snapshot *snapshot;

	learn_secrets(workspace, &docs, workspace->snapshot);
	snapshot = workspace_merge(workspace, &docs, workspace->host->env);
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
	if (snapshot)
		snapshot->edition = ++workspace->editions;
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
	snapshot->cause = cause;
	snapshot->generation =
		workspace->host->next_generation(workspace->host->data);
	set_snapshot(workspace, snapshot);
	history_add(&workspace->history, snapshot);
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

static void publish_changes(struct workspace *workspace,
			    enum snapshot_cause cause)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot =
		make_snapshot(workspace);

	if (workspace->snapshot &&
	    snapshot_equal(snapshot, workspace->snapshot))
		replace_equal(workspace, snapshot);
	else
		publish(workspace, snapshot, cause);
}

void workspace_renew(struct workspace *workspace, enum snapshot_cause cause)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot =
		make_snapshot(workspace);

	publish(workspace, snapshot, cause);
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

static void refresh(struct workspace *workspace, bool changed,
		    enum snapshot_cause cause)
{
	if (workspace->declared)
		workspace_refresh_declared(workspace, changed, cause);
	else
		workspace_refresh_implicit(workspace, changed, cause);
	workspace_set_state(workspace);
}

void workspace_reload(struct workspace *workspace, enum snapshot_cause cause)
{
	refresh(workspace, layers_set_local(&workspace->stack, workspace->host),
		cause);
}

void workspace_take_site(struct workspace *workspace, enum snapshot_cause cause)
{
	refresh(workspace,
		layers_set_documents(&workspace->stack, workspace->host->site),
		cause);
}

void workspace_start(struct workspace *workspace)
{
	workspace_reload(workspace, CAUSE_START);
	rotation_resume(workspace);
}

void workspace_prove_now(struct workspace *workspace)
{
	if (workspace->upstream)
		upstream_prove_now(workspace->upstream);
	if (workspace->candidate)
		upstream_prove_now(workspace->candidate);
}

bool workspace_is_asking(const struct workspace *workspace)
{
	return (workspace->upstream &&
		upstream_is_asking(workspace->upstream)) ||
	       (workspace->candidate &&
		upstream_is_asking(workspace->candidate));
}

bool workspace_can_serve(const struct workspace *workspace)
{
	if (workspace->login_error || workspace->candidate)
		return false;
	return !workspace->upstream || upstream_is_well(workspace->upstream);
}

static bool has_rights_of_its_own(const struct workspace_settings *declared)
{
	return declared &&
	       (declared->read || declared->secrets || declared->admin);
}

/* What a [workspace X] does not say of rights, [access] says. */
static void set_access(struct workspace *workspace)
{
	const struct workspace_settings *own = workspace->declared;
	const struct settings *all = workspace->host->settings;

	access_free(workspace->access);
	workspace->access = NULL;
	if (has_rights_of_its_own(own))
		workspace->access =
			access_new(own->read ? own->read : all->read,
				   own->secrets ? own->secrets : all->secrets,
				   own->admin ? own->admin : all->admin,
				   all->root == ROOT_HOST);
}

void workspace_set_settings(struct workspace *workspace,
			    const struct workspace_settings *declared)
{
	workspace->declared = declared;
	set_access(workspace);
}

static void open_last_good(struct workspace *workspace)
{
	const struct workspace_host *host = workspace->host;
	const struct last_good_place place = {
		.loop = host->upstream.loop,
		.state_dir = host->state_dir,
		.name = workspace->name,
		.read_only = host->read_only,
		.kinds = {LAYER_VAULT, LAYER_MONITORING},
	};

	last_good_init(&workspace->last_good, &place);
}

struct workspace *workspace_new(struct workspace_host *host,
				const struct workspace_settings *declared)
{
	struct workspace *workspace = mem_alloc(sizeof(*workspace));

	workspace->host = host;
	workspace_set_settings(workspace, declared);
	workspace->name = mem_strdup(declared ? declared->name : "default");
	stack_init(&workspace->stack);
	history_init(&workspace->history, (size_t)host->settings->history,
		     (size_t)host->settings->history_bytes);
	open_last_good(workspace);
	return workspace;
}

void workspace_close(struct workspace *workspace)
{
	if (!workspace)
		return;
	workspace_close_cache(workspace);
	rotation_close(TAKE(workspace->rotation));
	workspace_close_upstreams(workspace);
	stack_deinit(&workspace->stack);
	history_deinit(&workspace->history);
	set_snapshot(workspace, NULL);
	access_free(workspace->access);
	mem_free(workspace->login_error);
	mem_free(workspace->login_warning);
	whois_names_deinit(&workspace->kept);
	mem_free(workspace->name);
	mem_free(workspace);
}
