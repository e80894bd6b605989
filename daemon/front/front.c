#include "front/front.h"

#include <stddef.h>

#include "base/log.h"
#include "base/mem.h"
#include "config/callers.h"
#include "config/lock.h"
#include "config/resolver.h"
#include "config/secrets.h"
#include "engine/engine.h"
#include "engine/layers.h"
#include "engine/local.h"
#include "engine/report.h"
#include "front/arrivals.h"
#include "front/server_call.h"
#include "front/status.h"
#include "serve/consumer.h"
#include "serve/peer.h"
#include "serve/server.h"

#define STOP_MS 2000 /* for answers in flight */

/* --- what the server asks ------------------------------------------------- */

static struct engine *engine_of(void *data)
{
	const struct front *front = data;

	return front->engine;
}

static const struct access *access_of(const struct engine *engine,
				      const struct workspace *workspace)
{
	return workspace->access ? workspace->access : engine->access;
}

/* Each Get asks: a struct whose every field is given need not be cleared. */
static void view_of(const struct engine *engine, struct workspace *workspace,
		    const struct caller_rule *own, struct view *view)
{
	*view = (struct view){
		.workspace = workspace->name,
		.snapshot = workspace->snapshot,
		.history = &workspace->history,
		.candidate = workspace->hold.candidate,
		.held = hold_generation(&workspace->hold),
		.access = access_of(engine, workspace),
		.env = workspace->host->env,
		.secrets = workspace->host->secrets,
		.state = workspace_state_name(workspace->state),
		.shown = workspace_state_shown(workspace),
		.stale = workspace_stale(workspace),
		.active_since = engine->active_since,
		.own = own,
	};
}

static bool serve_view(void *data, const char *name, struct view *view)
{
	const struct engine *engine = engine_of(data);
	struct workspace *workspace = engine_workspace(engine, name);

	if (!workspace)
		return false;
	view_of(engine, workspace, NULL, view);
	if (name)
		view->active_since = 0;
	return true;
}

static void serve_own_view(void *data, struct peer *peer, struct view *view)
{
	const struct engine *engine = engine_of(data);
	const struct caller_rule *own = peer_own(peer, engine->callers);

	view_of(engine, engine_workspace(engine, own ? own->workspace : NULL),
		own, view);
}

static const char *serve_vaults_lack(void *data, const char *name,
				     bool *expected)
{
	return workspace_vaults_lack(engine_workspace(engine_of(data), name),
				     expected);
}

static struct snapshot *serve_project(void *data, const char *name,
				      enum projection projection,
				      const struct diag **broken)
{
	struct workspace *workspace = engine_workspace(engine_of(data), name);
	const struct layer *lost = workspace_find_lost(workspace);

	*broken = lost ? &lost->problem : NULL;
	return lost ? NULL : workspace_project(workspace, projection);
}

static uint64_t clearance_of(unsigned int rights)
{
	return (rights & ACCESS_READ ? SERVICE_MAY_READ : 0) |
	       (rights & ACCESS_SECRETS ? SERVICE_MAY_REVEAL : 0);
}

static uint64_t serve_clearance(void *data, const struct peer *peer)
{
	const struct engine *engine = engine_of(data);
	uint64_t clearance = 0;

	for (size_t i = 0;
	     i < engine->workspace_count && i < SERVICE_CLEARANCES; i++)
		clearance |= clearance_of(access_rights(
				     access_of(engine, engine->workspaces[i]),
				     &peer->user))
			     << SERVICE_BITS * i;
	return clearance;
}

static void serve_status(void *data, uint64_t clearance,
			 const struct caller_rule *own, struct buf *json)
{
	const struct front *front = data;
	const struct status_reader reader = {clearance, own};

	status_write(front->engine, front->server, &reader, json);
}

static void serve_workspaces(void *data, uint64_t clearance,
			     const struct caller_rule *own, struct buf *json)
{
	const struct status_reader reader = {clearance, own};

	status_write_workspaces(engine_of(data), &reader, json);
}

static struct resolver *serve_resolver(void *data, const char *name,
				       bool candidate, enum layer_kind below)
{
	const struct engine *engine = engine_of(data);
	const struct workspace *workspace = engine_workspace(engine, name);
	const struct settings *settings = engine->settings;
	struct resolver *resolver = mem_alloc(sizeof(*resolver));

	workspace_copy_stack(workspace, candidate, below, &resolver->stack);
	resolver->context = layers_context(settings, NULL, NULL);
	if (settings->vault_environment)
		resolver->vault_environment =
			mem_strdup(settings->vault_environment);
	resolver->agent = settings->mode == MODE_AGENT;
	resolver->system = engine->places.system;
	resolver->document = (size_t)settings->limits.document;
	resolver->locks = locks_ref(candidate ? engine->host.locks
					      : workspace->snapshot->locks);
	resolver->secrets = secrets_pin(engine->host.secrets);
	return resolver;
}

static struct resolver *serve_arriving(void *data, const char *name,
				       struct buf *fields, const char **why_not)
{
	const struct workspace *workspace =
		engine_workspace(engine_of(data), name);
	struct resolver *resolver;

	*why_not = workspace_arrivals_lack(workspace, NULL);
	arrivals_write(workspace, NULL, fields);
	if (!arrivals_exist(workspace, NULL))
		return NULL;
	resolver = serve_resolver(data, name, true,
				  projection_below(PROJECTION_SERVED));
	arrivals_put(workspace, &resolver->stack);
	return resolver;
}

static void serve_begin(void *data, struct pending *pending)
{
	server_call_begin(data, pending);
}

static void serve_consumers(void *data)
{
	const struct front *front = data;
	struct consumer_count count;

	if (!front->engine->report || !front->server)
		return;
	count = server_count_consumers(front->server);
	report_set_consumers(front->engine->report, count.reports,
			     count.behind);
}

static void serve_complain(void *data, const struct service_verdict *verdict)
{
	struct engine *engine = engine_of(data);

	/* What is held has nothing to do with what has come since. */
	if (!hold_is_on(&engine_workspace(engine, verdict->workspace)->hold))
		engine_complain(engine, verdict->left, verdict->generation,
				verdict->reason);
}

static void serve_unreachable(void *data)
{
	front_listen_again(data);
}

/* --- what the engine tells ------------------------------------------------ */

/* While starting nothing is known yet. */
static void tell_manager(struct front *front)
{
	const struct engine *engine = front->engine;
	const struct workspace *active = engine->active;
	const char *problem;

	if (engine->state == ENGINE_STOPPING || !active || !active->snapshot)
		return;
	problem = workspace_problem(active);
	manager_tell_status(&front->manager,
			    "%s, workspace %s, generation %llu%s%s%s",
			    workspace_state_name(active->state), active->name,
			    (unsigned long long)active->snapshot->generation,
			    hold_generation(&active->hold) ? ", held" : "",
			    problem ? ": " : "", problem ? problem : "");
}

static void on_snapshot(void *data, struct workspace *workspace)
{
	struct front *front = data;

	server_notify(front->server);
	serve_consumers(front);
	if (workspace == front->engine->active)
		tell_manager(front);
}

static void on_state(void *data)
{
	struct front *front = data;

	server_notify_status(front->server);
	tell_manager(front);
}

static void on_progress(void *data)
{
	tell_manager(data);
	server_calls_look(data);
}

static void on_logout(void *data, struct workspace *workspace)
{
	server_calls_log_out(data, workspace);
}

static void on_settings(void *data)
{
	struct front *front = data;

	front_listen_again(front);
	server_set_limits(front->server, &front->engine->settings->limits);
	serve_consumers(front);
	server_notify(front->server);
	server_notify_status(front->server);
}

static void on_reload(void *data)
{
	const struct front *front = data;

	manager_tell_reloading(&front->manager);
}

static void on_ready(void *data)
{
	struct front *front = data;

	manager_tell_ready(&front->manager);
	tell_manager(front);
}

static void on_recheck(void *data)
{
	front_listen_again(data);
}

/* --- beginning and end ---------------------------------------------------- */

void front_init(struct front *front, struct engine *engine)
{
	*front = (struct front){
		.engine = engine,
		.service =
			{
				.data = front,
				.view = serve_view,
				.own_view = serve_own_view,
				.project = serve_project,
				.vaults_lack = serve_vaults_lack,
				.clearance = serve_clearance,
				.status = serve_status,
				.workspaces = serve_workspaces,
				.begin = serve_begin,
				.resolver = serve_resolver,
				.arriving = serve_arriving,
				.consumers = serve_consumers,
				.complain = serve_complain,
				.unreachable = serve_unreachable,
			},
	};
	list_init(&front->server_calls);
	manager_init(&front->manager, &engine->loop);
}

/* What nobody finds who looks for it in the wrong place. */
static void log_start(const struct front *front)
{
	const struct engine *engine = front->engine;
	const struct local_rule rule = engine_local_rule(engine);
	_cleanup_(mem_freep) char *files = local_describe(&rule);
	const char *settings = engine->settings->path;
	_cleanup_(mem_freep) char *missing =
		mem_printf("%s (missing)", engine->places.settings);

	log_info(
		"started", LOG_TEXT("version", CLEARCONF_VERSION),
		LOG_TEXT("instance", engine->places.system ? "system" : "user"),
		LOG_TEXT("socket", front->socket ? front->socket : "systemd's"),
		LOG_TEXT("settings", settings ? settings : missing),
		LOG_TEXT("files", files));
}

bool front_open(struct front *front)
{
	const struct engine_events events = {
		.data = front,
		.on_snapshot = on_snapshot,
		.on_state = on_state,
		.on_progress = on_progress,
		.on_logout = on_logout,
		.on_settings = on_settings,
		.on_reload = on_reload,
		.on_ready = on_ready,
		.on_recheck = on_recheck,
	};

	front->server = server_new(&front->engine->loop, &front->service,
				   &front->engine->settings->limits);
	engine_listen(front->engine, &events);
	if (!front_listen(front))
		return false;
	log_start(front);
	manager_start(&front->manager);
	return true;
}

static void on_server_stopped(void *data)
{
	struct front *front = data;

	engine_listen(front->engine, NULL);
	uv_stop(&front->engine->loop);
}

void front_stop(struct front *front)
{
	if (!engine_stop(front->engine))
		return;
	manager_tell_stopping(&front->manager);
	server_stop(front->server, STOP_MS, on_server_stopped, front);
}

void front_close(struct front *front)
{
	manager_deinit(&front->manager);
	mem_free(TAKE(front->socket));
}
