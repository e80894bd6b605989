#include "front/front.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "front/caller.h"
#include "front/status.h"
#include "front/task.h"
#include "serve/peer.h"
#include "serve/server.h"

static const struct access *access_of(const struct daemon *daemon,
				      const struct workspace *workspace)
{
	return workspace->access ? workspace->access : daemon->access;
}

static bool serve_view(void *data, const char *name, struct view *view)
{
	struct daemon *daemon = data;
	struct workspace *workspace = daemon_workspace(daemon, name);

	if (!workspace)
		return false;
	*view = (struct view){
		.workspace = workspace->name,
		.snapshot = workspace->snapshot,
		.history = &workspace->history,
		.access = access_of(daemon, workspace),
		.env = workspace->host->env,
		.secrets = workspace->host->secrets,
		.state = workspace_state_name(workspace->state),
		.shown = workspace_state_shown(workspace),
		.stale = workspace_stale(workspace),
		.active_since = name ? 0 : daemon->active_since,
	};
	view->vaults_lack =
		workspace_vaults_lack(workspace, &view->vaults_expected);
	return true;
}

static struct snapshot *serve_project(void *data, const char *name,
				      enum projection projection,
				      const struct diag **broken)
{
	struct workspace *workspace = daemon_workspace(data, name);
	const struct layer *lost = stack_find_lost(&workspace->stack);

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
	struct daemon *daemon = data;
	uint64_t clearance = 0;

	for (size_t i = 0;
	     i < daemon->workspace_count && i < SERVICE_CLEARANCES; i++)
		clearance |= clearance_of(access_rights(
				     access_of(daemon, daemon->workspaces[i]),
				     &peer->user))
			     << SERVICE_BITS * i;
	return clearance;
}

static void serve_status(void *data, uint64_t clearance, struct buf *json)
{
	status_write(data, clearance, json);
}

static void serve_workspaces(void *data, uint64_t clearance, struct buf *json)
{
	status_write_workspaces(data, clearance, json);
}

static void serve_begin(void *data, struct errand *errand)
{
	if (errand->kind == ERRAND_GET || errand->kind == ERRAND_STORAGE)
		caller_begin(data, errand);
	else
		task_begin(data, errand);
}

static void serve_call_off(void *data, struct errand *errand)
{
	(void)data;
	task_call_off(errand);
}

static void serve_deaf(void *data)
{
	front_listen_again(data);
}

static struct server_limits limits_of(const struct settings *settings)
{
	return (struct server_limits){
		.message = (size_t)settings->message,
		.connections = (unsigned int)settings->connections_per_user,
		.watchers = (unsigned int)settings->watchers_per_user,
		.bytes = (size_t)settings->bytes_per_user,
		.environment_calls = (unsigned int)settings->environment_calls,
	};
}

void front_tell(struct daemon *daemon)
{
	const struct server_limits limits = limits_of(daemon->settings);

	server_set_limits(daemon->server, &limits);
	server_notify(daemon->server);
	server_notify_status(daemon->server);
}

bool front_open(struct daemon *daemon)
{
	const struct server_limits limits = limits_of(daemon->settings);

	daemon->service = (struct service){
		.data = daemon,
		.view = serve_view,
		.project = serve_project,
		.clearance = serve_clearance,
		.status = serve_status,
		.workspaces = serve_workspaces,
		.begin = serve_begin,
		.call_off = serve_call_off,
		.deaf = serve_deaf,
	};
	daemon->server = server_new(&daemon->loop, &daemon->service, &limits);
	return front_listen(daemon);
}
