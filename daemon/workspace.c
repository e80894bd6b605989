#include "workspace.h"

#include <time.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/env.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/agent.h"
#include "config/secret.h"
#include "layers.h"
#include "read/doc.h"
#include "serve/access.h"
#include "settings.h"

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

static bool is_unproved(const struct upstream *candidate)
{
	return candidate && upstream_is_answered(candidate);
}

static enum workspace_state state_of(const struct workspace *workspace)
{
	const struct upstream *upstream = workspace->upstream;

	if (workspace->host->offline)
		return WORKSPACE_OFFLINE;
	if (upstream && !upstream_is_answered(upstream))
		return WORKSPACE_STARTING;
	if (upstream && upstream_outcome(upstream) == VAULT_UNREACHABLE)
		return WORKSPACE_OFFLINE;
	if ((upstream && !upstream_is_well(upstream)) ||
	    workspace->login_error || is_unproved(workspace->candidate) ||
	    gate_closed(workspace) || any_layer_broken(workspace))
		return WORKSPACE_DEGRADED;
	return WORKSPACE_READY;
}

static bool is_refused(const struct upstream *upstream)
{
	return upstream && upstream_is_answered(upstream) &&
	       upstream_outcome(upstream) == VAULT_REFUSED;
}

static void set_state(struct workspace *workspace)
{
	enum workspace_state state = state_of(workspace);
	bool refused = is_refused(workspace->upstream);

	if (state == workspace->state && refused == workspace->refused &&
	    workspace->since)
		return;
	log_info("workspace-state", LOG_TEXT("workspace", workspace->name),
		 LOG_TEXT("state", workspace_state_name(state)));
	workspace->state = state;
	workspace->refused = refused;
	workspace->since = time(NULL);
	workspace->host->on_state(workspace->host->data, workspace);
}

const char *workspace_problem(const struct workspace *workspace)
{
	const struct upstream *upstream = workspace->upstream;
	const struct upstream *candidate = workspace->candidate;

	if (workspace->login_error)
		return workspace->login_error;
	if (upstream && upstream_error(upstream))
		return upstream_error(upstream);
	if (candidate && upstream_error(candidate))
		return upstream_error(candidate);
	if (gate_closed(workspace))
		return "the server no longer offers vaults; those it gave "
		       "before stay in force";
	return NULL;
}

bool workspace_is_settled(const struct workspace *workspace)
{
	return workspace->state != WORKSPACE_STARTING;
}

int64_t workspace_stale(const struct workspace *workspace)
{
	const struct upstream *upstream = workspace->upstream;
	int64_t age;

	if (!upstream || !upstream->last_success)
		return -1;
	age = time(NULL) - upstream->last_success;
	return age * 1000 > 2 * workspace->host->settings->interval ? age : -1;
}

struct snapshot *workspace_merge(const struct workspace *workspace,
				 struct stack_docs *docs, const struct env *env)
{
	if (workspace->host->settings->mode == MODE_AGENT)
		agent_derive(docs, env);
	return snapshot_new(docs, workspace->host->secrets);
}

/* Losers are secret too. What a caller brings is never learned: it would mask
 * what others see. */
static void learn_secrets(const struct workspace *workspace,
			  const struct stack_docs *docs)
{
	for (size_t i = 0; i < docs->count; i++)
		secrets_learn(workspace->host->secrets,
			      docs->items[i].doc->root);
}

static struct snapshot *make_snapshot(const struct workspace *workspace)
{
	struct stack_docs docs = stack_get_docs(&workspace->stack, LAYER_KINDS);

	learn_secrets(workspace, &docs);
	return workspace_merge(workspace, &docs, workspace->host->env);
}

static void publish(struct workspace *workspace, struct snapshot *snapshot,
		    enum snapshot_cause cause)
{
	snapshot->cause = cause;
	snapshot->generation =
		workspace->host->next_generation(workspace->host->data);
	snapshot_unref(workspace->snapshot);
	workspace->snapshot = snapshot_ref(snapshot);
	history_add(&workspace->history, snapshot);
	log_info("snapshot", LOG_TEXT("workspace", workspace->name),
		 LOG_INT("generation", (int64_t)snapshot->generation),
		 LOG_TEXT("cause", snapshot_cause_name(cause)));
	workspace->host->on_snapshot(workspace->host->data, workspace);
}

/* What equals the current snapshot is dropped, and nobody hears of it. */
static void publish_changes(struct workspace *workspace,
			    enum snapshot_cause cause)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot =
		make_snapshot(workspace);

	if (!workspace->snapshot ||
	    !snapshot_equal(snapshot, workspace->snapshot))
		publish(workspace, snapshot, cause);
}

void workspace_renew(struct workspace *workspace, enum snapshot_cause cause)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot =
		make_snapshot(workspace);

	publish(workspace, snapshot, cause);
}

static void read_and_publish(struct workspace *workspace, bool changed,
			     enum snapshot_cause cause)
{
	const struct workspace_host *host = workspace->host;
	struct layer_context context =
		layers_context(host->settings, host->env, host->vault_env);

	/* A reload may have changed what is masked. */
	changed = stack_read(&workspace->stack, &context) || changed ||
		  cause == CAUSE_RELOAD || !workspace->snapshot;
	if (changed)
		publish_changes(workspace, cause);
}

static void take_vaults(struct workspace *workspace, enum layer_kind kind,
			const struct vault_answer *answer)
{
	bool changed = layers_set_vaults(&workspace->stack, kind, answer);

	workspace->had_vaults = workspace->had_vaults || answer->count;
	read_and_publish(workspace, changed, CAUSE_VAULT);
}

/* They were another login's, or there is no login any more. */
static void forget_vaults(struct workspace *workspace)
{
	const struct vault_answer none = {.outcome = VAULT_FETCHED};

	take_vaults(workspace, LAYER_VAULT, &none);
	take_vaults(workspace, LAYER_MONITORING, &none);
	workspace->had_vaults = false;
}

static void close_upstream(struct workspace *workspace)
{
	if (!workspace->upstream)
		return;
	workspace->host->on_logout(workspace->host->data, workspace);
	upstream_close(TAKE(workspace->upstream));
}

/* As long as a new login is not proved the old one is what is served. */
static bool set_declared_layer(struct workspace *workspace,
			       const struct login *login)
{
	const struct upstream *upstream = workspace->upstream;

	return layers_set_declared(&workspace->stack, workspace->host->settings,
				   workspace->declared->inject,
				   upstream ? &upstream->login : login);
}

/* The candidate has proved itself: it takes over. Its vaults replace the old
 * ones when it is asked again, at once. */
static void promote(struct workspace *workspace)
{
	log_info("login-replaced", LOG_TEXT("workspace", workspace->name));
	close_upstream(workspace);
	workspace->upstream = TAKE(workspace->candidate);
	if (workspace->declared)
		read_and_publish(workspace, set_declared_layer(workspace, NULL),
				 CAUSE_FILE);
	if (upstream_outcome(workspace->upstream) == VAULT_UNSUPPORTED)
		forget_vaults(workspace);
	upstream_poll_now(workspace->upstream);
}

static void on_answer(void *data, enum upstream_feed feed,
		      struct upstream *upstream,
		      const struct vault_answer *answer)
{
	static const enum layer_kind kinds[FEEDS] = {
		[FEED_CONFIG] = LAYER_VAULT,
		[FEED_MONITORING] = LAYER_MONITORING,
	};
	struct workspace *workspace = data;

	if (upstream == workspace->candidate && upstream_is_well(upstream))
		promote(workspace);
	else if (upstream == workspace->upstream &&
		 answer->outcome == VAULT_FETCHED)
		take_vaults(workspace, kinds[feed], answer);
	set_state(workspace);
	workspace->host->on_answer(workspace->host->data, workspace);
}

static bool vaults_are_off(const struct workspace_host *host)
{
	const char *name = host->settings->mode == MODE_SDK
				   ? "CLEARML_DISABLE_VAULT_SUPPORT"
				   : "CLEARML_AGENT_DISABLE_VAULT_SUPPORT";
	struct str value;
	bool off = false;

	return env_get(host->env, str_from(name), &value) &&
	       str_to_bool(str_trim(value), &off) && off;
}

static void set_login_error(struct workspace *workspace, const char *error)
{
	if (error && !workspace->login_error)
		log_warning("no-login", LOG_TEXT("workspace", workspace->name),
			    LOG_TEXT("reason", error));
	mem_free(workspace->login_error);
	workspace->login_error = error ? mem_strdup(error) : NULL;
}

/* The strongest file that has the access key. */
static const char *source_of_key(const struct workspace *workspace)
{
	const char *source = "";
	struct layer *layer;

	for (stack_each(&workspace->stack, layer))
		if (layer->doc && layer->kind < LAYER_VAULT &&
		    login_has_key(layer->doc->root))
			source = layer->source;
	return source;
}

static void login_of_tree(struct workspace *workspace, struct login *login)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(stack_docs_deinit) struct stack_docs docs =
		stack_get_docs(&workspace->stack, LAYER_VAULT);

	login_from_tree(login, stack_docs_merge(&docs, &arena),
			workspace->host->env);
	if (login->access_key && !login->key_source)
		login->key_source = mem_strdup(source_of_key(workspace));
}

/* The first upstream is used as it is; a later one has to prove itself. */
static void ask_with(struct workspace *workspace, struct login *login)
{
	struct upstream *upstream = upstream_new(&workspace->host->upstream,
						 login, on_answer, workspace);

	upstream_close(workspace->candidate);
	workspace->candidate = NULL;
	if (workspace->upstream)
		workspace->candidate = upstream;
	else
		workspace->upstream = upstream;
}

/* The host or the keys are gone from where they were: so is what came by them.
 */
static void log_out(struct workspace *workspace)
{
	if (!workspace->upstream)
		return;
	log_info("logged-out", LOG_TEXT("workspace", workspace->name));
	upstream_close(TAKE(workspace->candidate));
	close_upstream(workspace);
	forget_vaults(workspace);
}

static bool is_in_use(const struct workspace *workspace,
		      const struct login *login)
{
	const struct upstream *newest = workspace->candidate
						? workspace->candidate
						: workspace->upstream;

	return newest &&
	       upstream_is_for(newest, &workspace->host->upstream, login);
}

static void refresh_login(struct workspace *workspace, struct login *login)
{
	if (workspace->host->offline || vaults_are_off(workspace->host))
		return;
	if (!login_is_complete(login))
		log_out(workspace);
	else if (!is_in_use(workspace, login))
		ask_with(workspace, login);
}

/* False when the secret cannot be read for the moment: what it was stands. */
static bool read_declared(struct workspace *workspace, struct login *login)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(mem_freep) char *error = NULL;
	bool fine = login_from_settings(login, workspace->host->settings,
					workspace->declared, &diag);

	if (!fine)
		error = mem_printf("%s: %s", diag.source, diag.text);
	set_login_error(workspace, error);
	return fine;
}

static void reload_declared(struct workspace *workspace, bool changed,
			    enum snapshot_cause cause)
{
	_cleanup_(login_deinit) struct login login = {0};
	bool fine = read_declared(workspace, &login);

	changed =
		set_declared_layer(workspace, fine ? &login : NULL) || changed;
	read_and_publish(workspace, changed, cause);
	if (fine)
		refresh_login(workspace, &login);
}

static void reload_implicit(struct workspace *workspace, bool changed,
			    enum snapshot_cause cause)
{
	_cleanup_(login_deinit) struct login login = {0};

	read_and_publish(workspace, changed, cause);
	login_of_tree(workspace, &login);
	refresh_login(workspace, &login);
}

void workspace_reload(struct workspace *workspace, enum snapshot_cause cause)
{
	bool changed = layers_set_local(&workspace->stack, workspace->host);

	if (workspace->declared)
		reload_declared(workspace, changed, cause);
	else
		reload_implicit(workspace, changed, cause);
	set_state(workspace);
}

void workspace_start(struct workspace *workspace)
{
	workspace_reload(workspace, CAUSE_START);
}

void workspace_poll_now(struct workspace *workspace)
{
	if (workspace->upstream)
		upstream_poll_now(workspace->upstream);
	if (workspace->candidate)
		upstream_poll_now(workspace->candidate);
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
				   own->admin ? own->admin : all->admin);
}

void workspace_set_settings(struct workspace *workspace,
			    const struct workspace_settings *declared)
{
	workspace->declared = declared;
	set_access(workspace);
}

struct workspace *workspace_new(struct workspace_host *host,
				const struct workspace_settings *declared)
{
	struct workspace *workspace = mem_alloc(sizeof(*workspace));

	workspace->host = host;
	workspace_set_settings(workspace, declared);
	workspace->name = mem_strdup(declared ? declared->name : "default");
	stack_init(&workspace->stack);
	history_init(&workspace->history, (size_t)host->settings->history);
	return workspace;
}

void workspace_close(struct workspace *workspace)
{
	if (!workspace)
		return;
	upstream_close(workspace->candidate);
	close_upstream(workspace);
	stack_deinit(&workspace->stack);
	history_deinit(&workspace->history);
	snapshot_unref(workspace->snapshot);
	access_free(workspace->access);
	mem_free(workspace->login_error);
	mem_free(workspace->name);
	mem_free(workspace);
}
