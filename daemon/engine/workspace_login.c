/* The login half of workspace.h. */

#include "base/arena.h"
#include "base/diag.h"
#include "base/env.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/layers.h"
#include "engine/workspace_parts.h"
#include "read/doc.h"
#include "settings/settings.h"

static void close_upstream(struct workspace *workspace)
{
	if (!workspace->upstream)
		return;
	workspace->host->on_logout(workspace->host->data, workspace);
	upstream_close(TAKE(workspace->upstream));
}

void workspace_close_upstreams(struct workspace *workspace)
{
	upstream_close(TAKE(workspace->candidate));
	close_upstream(workspace);
}

bool workspace_set_declared(struct workspace *workspace,
			    const struct login *login)
{
	const struct upstream *upstream = workspace->upstream;

	return layers_set_declared(&workspace->stack, workspace->host->settings,
				   workspace->declared->inject,
				   upstream ? &upstream->login : login);
}

/* Do two logins, as far as they have told, get the same vaults? */
static bool is_same_user(const struct upstream *a, const struct upstream *b)
{
	const struct whois_names *one = &a->whois.names;
	const struct whois_names *other = &b->whois.names;

	return str_same(a->login.api_server, b->login.api_server) &&
	       one->company_id &&
	       str_same(one->company_id, other->company_id) &&
	       str_same(one->user_id, other->user_id);
}

/* The candidate has proved itself: it takes over. True when the vaults of
 * before were given to somebody else. */
static bool promote(struct workspace *workspace)
{
	bool moved = !is_same_user(workspace->upstream, workspace->candidate);

	log_info("login-replaced", LOG_TEXT("workspace", workspace->name));
	close_upstream(workspace);
	workspace->upstream = TAKE(workspace->candidate);
	last_good_forgive(&workspace->last_good);
	workspace->last_good.unsaved =
		true; /* the cache is of the login in force */
	return moved;
}

static bool is_proof(const struct vault_answer *answer)
{
	return answer->outcome == VAULT_FETCHED ||
	       answer->outcome == VAULT_UNSUPPORTED;
}

static void on_answer(void *data, struct upstream *upstream,
		      const struct vault_answer *answer)
{
	struct workspace *workspace = data;
	bool moved = false;

	if (is_proof(answer))
		workspace->host->fetched++;
	else
		workspace->host->failed++;
	if (upstream == workspace->candidate && is_proof(answer))
		moved = promote(workspace);
	if (upstream == workspace->upstream)
		workspace_take_answer(workspace, answer, moved);
	workspace_set_state(workspace);
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

/* Logged when it is news. */
static void take_problem(struct workspace *workspace, char **place,
			 const char *event, char *problem)
{
	if (problem && !str_same(problem, *place))
		log_warning(event, LOG_TEXT("workspace", workspace->name),
			    LOG_TEXT("reason", problem));
	mem_free(*place);
	*place = problem;
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
	struct upstream_config config = workspace->host->upstream;
	struct upstream *upstream;

	/* Vaults of the cache; those of a login that is replaced are another's.
	 */
	config.may_wait = workspace->last_good.kept && !workspace->upstream &&
			  !workspace->host->read_only;
	config.no_vaults = vaults_are_off(workspace->host);
	upstream = upstream_new(&config, login, on_answer, workspace);

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
	workspace_close_upstreams(workspace);
	workspace_forget_login(workspace);
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
	const struct workspace_host *host = workspace->host;

	workspace->unasked =
		host->offline
			? "clearconfd runs with --offline: start it without"
			: login_lack(login, workspace->declared != NULL);
	/* Who only prints needs no login but for the vaults. */
	if (host->offline || (host->read_only && vaults_are_off(host)))
		return;
	if (workspace->unasked)
		log_out(workspace);
	else if (!is_in_use(workspace, login))
		ask_with(workspace, login);
}

static bool restore_at_first(struct workspace *workspace,
			     const struct login *login)
{
	if (workspace->snapshot || vaults_are_off(workspace->host))
		return false;
	return workspace_restore(workspace, login);
}

/* False when the secret cannot be read for the moment: what it was stands. */
static bool read_declared(struct workspace *workspace, struct login *login)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	const struct settings *settings = workspace->host->settings;
	bool fine = login_from_settings(login, settings, workspace->declared,
					&diag);

	take_problem(workspace, &workspace->login_error, "no-login",
		     fine ? NULL
			  : mem_printf("%s: %s", diag.source, diag.text));
	take_problem(workspace, &workspace->login_warning, "login-warning",
		     login_secret_warning(settings, workspace->declared));
	return fine;
}

void workspace_refresh_declared(struct workspace *workspace, bool changed,
				enum snapshot_cause cause)
{
	_cleanup_(login_deinit) struct login login = {0};
	bool fine = read_declared(workspace, &login);

	changed = workspace_set_declared(workspace, fine ? &login : NULL) ||
		  changed;
	changed = restore_at_first(workspace, &login) || changed;
	workspace_publish(workspace, changed, cause);
	if (fine)
		refresh_login(workspace, &login);
}

void workspace_refresh_implicit(struct workspace *workspace, bool changed,
				enum snapshot_cause cause)
{
	_cleanup_(login_deinit) struct login login = {0};

	changed = workspace_read(workspace) || changed;
	login_of_tree(workspace, &login);
	changed = restore_at_first(workspace, &login) || changed;
	workspace_publish(workspace, changed, cause);
	refresh_login(workspace, &login);
}
