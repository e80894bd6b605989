/* The login part of workspace_parts.h. */

#include <time.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/env.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/workspace_parts.h"
#include "fetch/cache_file.h"
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

/* Do two logins, as far as they have told, get the same vaults? */
static bool is_same_user(const struct upstream *a, const struct upstream *b)
{
	const struct principal_names *one = &a->principal.names;
	const struct principal_names *other = &b->principal.names;

	return str_same(a->login.api_server, b->login.api_server) &&
	       one->company_id &&
	       str_same(one->company_id, other->company_id) &&
	       str_same(one->user_id, other->user_id);
}

/* The candidate has proved itself: it takes over. True when the vaults of
 * before were given to somebody else. */
bool workspace_promote(struct workspace *workspace)
{
	bool moved = !is_same_user(workspace->upstream, workspace->candidate);

	log_info("login-replaced", LOG_TEXT("workspace", workspace->name));
	close_upstream(workspace);
	workspace->upstream = TAKE(workspace->candidate);
	last_good_forgive(&workspace->last_good);
	/* The file of vaults belongs to the login in force. */
	workspace->last_good.unsaved = true;
	return moved;
}

bool workspace_vaults_are_off(const struct workspace *workspace)
{
	const struct workspace_host *host = workspace->host;
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

void workspace_login_of_tree(struct workspace *workspace, struct login *login)
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
static void ask_with(struct workspace *workspace, struct login *login,
		     upstream_answer_fn on_answer)
{
	struct upstream_config config = workspace->host->upstream;
	struct upstream *upstream;

	/* Vaults of the cache; those of a login that is replaced are another's.
	 */
	config.may_wait = workspace->last_good.kept && !workspace->upstream &&
			  !workspace->host->read_only;
	config.no_vaults = workspace_vaults_are_off(workspace);
	upstream = upstream_new(&config, login, on_answer, workspace);

	upstream_close(workspace->candidate);
	workspace->candidate = NULL;
	if (workspace->upstream)
		workspace->candidate = upstream;
	else
		workspace->upstream = upstream;
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

static bool log_out(struct workspace *workspace)
{
	if (!workspace->upstream)
		return false;
	log_info("logged-out", LOG_TEXT("workspace", workspace->name));
	workspace_close_upstreams(workspace);
	return true;
}

/* Of one that the settings declare no other file has a say. */
static const char *why_unasked(const struct workspace *workspace,
			       const struct login *login)
{
	bool declared = workspace->declared != NULL;
	const char *lack = login_lack(login, declared);

	if (workspace->host->offline)
		return "clearconfd runs with --offline: start it without";
	if (lack && !declared && stack_find_lost(&workspace->stack))
		return "a local file that may name it, or the keys, is broken: "
		       "mend it";
	return lack;
}

bool workspace_refresh_login(struct workspace *workspace, struct login *login,
			     upstream_answer_fn on_answer)
{
	const struct workspace_host *host = workspace->host;

	workspace->unasked = why_unasked(workspace, login);
	/* --print needs no login but for the vaults. */
	if (host->offline ||
	    (host->read_only && workspace_vaults_are_off(workspace)))
		return false;
	if (workspace->unasked)
		return log_out(workspace);
	if (!is_in_use(workspace, login))
		ask_with(workspace, login, on_answer);
	return false;
}

/* False when the secret cannot be read for the moment: then the login stays. */
bool workspace_read_declared(struct workspace *workspace, struct login *login)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	const struct settings *settings = workspace->host->settings;
	bool fine = login_from_settings(login, settings, workspace->declared,
					&diag);

	take_problem(workspace, &workspace->login_error, "no-login",
		     fine ? NULL : diag_line(&diag));
	take_problem(workspace, &workspace->login_warning, "login-warning",
		     login_secret_warning(settings, workspace->declared));
	return fine;
}

const char *workspace_candidate_problem(const struct workspace *workspace)
{
	return workspace->candidate ? upstream_error(workspace->candidate)
				    : NULL;
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

int64_t workspace_key_ends_in(const struct workspace *workspace)
{
	const struct upstream *upstream = workspace->upstream;
	int64_t seconds = -1;

	if (upstream)
		seconds = key_expiry_ends_in(&upstream->key_expiry, time(NULL));
	return seconds < 0 ? -1 : seconds * 1000;
}

/* A token outlives its key: whether the server still takes that is asked when
 * it is said to end. */
void workspace_prove_ended_key(struct workspace *workspace)
{
	struct upstream *upstream = workspace->upstream;

	if (upstream && key_expiry_take_end(&upstream->key_expiry, time(NULL)))
		workspace_prove_now(workspace);
}

static const char *or_empty(const char *text)
{
	return text ? text : "";
}

static char *copy(const char *text)
{
	return text && *text ? mem_strdup(text) : NULL;
}

void workspace_keep_names(struct workspace *workspace,
			  const struct cache_entry *entry)
{
	workspace->kept = (struct principal_names){
		.user_id = copy(entry->user_id),
		.user_name = copy(entry->user_name),
		.company_id = copy(entry->company_id),
		.company_name = copy(entry->company_name),
	};
}

/* A token says whose it is, and unlike a key not in its name. */
bool workspace_name_owner(struct cache_query *query, struct arena *arena,
			  const struct login *login)
{
	struct api_claims claims;

	*query = (struct cache_query){.api_server = login->api_server};
	query->access_key = or_empty(login->access_key);
	if (!login->token)
		return login->api_server != NULL;
	if (!api_parse_claims(&claims, arena, login->token))
		return false;
	query->company_id = or_empty(claims.company_id);
	query->user_id = or_empty(claims.user_id);
	return login->api_server != NULL;
}

char *workspace_owner_text(const struct login *login)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct cache_query query;

	if (!workspace_name_owner(&query, &arena, login))
		return mem_strdup("");
	return mem_printf("%s\n%s\n%s\n%s", query.api_server, query.access_key,
			  or_empty(query.company_id), or_empty(query.user_id));
}

static bool is_other(const char *kept, const char *claimed)
{
	return kept && claimed && !str_same(kept, claimed);
}

bool workspace_has_moved(struct workspace *workspace)
{
	const struct api_claims *claims =
		session_claims(workspace->upstream->session);
	struct principal_names *kept = &workspace->kept;
	bool moved;

	if (!claims || !claims->company_id)
		return false;
	moved = is_other(kept->company_id, claims->company_id) ||
		is_other(kept->user_id, claims->user_id);
	if (moved)
		principal_names_deinit(kept);
	return moved;
}

const struct principal_names *workspace_names(const struct workspace *workspace)
{
	const struct upstream *upstream = workspace->upstream;

	if (upstream && (upstream->principal.names.user_id ||
			 upstream->principal.names.company_id))
		return &upstream->principal.names;
	return &workspace->kept;
}

void workspace_describe_owner(const struct workspace *workspace,
			      struct cache_entry *entry)
{
	const struct login *login = &workspace->upstream->login;
	const struct principal_names *names = workspace_names(workspace);

	*entry = (struct cache_entry){
		.api_server = login->api_server,
		.company_id = or_empty(names->company_id),
		.access_key = or_empty(login->access_key),
		.user_id = names->user_id,
		.user_name = names->user_name,
		.company_name = names->company_name,
	};
}
