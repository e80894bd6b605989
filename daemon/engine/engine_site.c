/* The site half of engine.h: its documents go into every workspace. */

#include "base/mem.h"
#include "engine/engine.h"
#include "engine/site.h"
#include "front/task.h"
#include "serve/server.h"
#include "settings/settings.h"

static void on_documents(void *data, enum snapshot_cause cause)
{
	struct daemon *daemon = data;

	for (size_t i = 0; i < daemon->workspace_count; i++)
		workspace_take_site(daemon->workspaces[i], cause);
	site_save_soon(daemon->site);
}

static void on_site_save(void *data)
{
	struct daemon *daemon = data;

	site_save(daemon->site, &daemon->active->stack);
}

static void on_site_health(void *data)
{
	struct daemon *daemon = data;

	for (size_t i = 0; i < daemon->workspace_count; i++)
		workspace_set_state(daemon->workspaces[i]);
	if (daemon->server)
		server_notify_status(daemon->server);
	daemon_ready_when_settled(daemon);
	tasks_look(daemon);
}

void daemon_open_site(struct daemon *daemon)
{
	const struct settings *settings = daemon->settings;
	const struct site_host host = {
		.loop = &daemon->loop,
		.http = daemon->http,
		.state_dir = daemon->state_dir,
		.read_only = daemon->options->action != ACTION_SERVE,
		.offline = daemon->options->offline,
		.data = daemon,
		.on_documents = on_documents,
		.on_health = on_site_health,
		.on_save = on_site_save,
	};
	bool wanted = settings->etcd.etcd && *settings->etcd.etcd;

	if (daemon->site && wanted) {
		site_set_settings(daemon->site, settings);
	} else if (daemon->site) {
		site_forget(daemon->site);
		site_close(TAKE(daemon->site));
	} else {
		daemon->site = site_new(&host, settings);
	}
	daemon->host.site = daemon->site;
}

void daemon_close_site(struct daemon *daemon)
{
	if (daemon->site && daemon->active)
		on_site_save(daemon);
	site_close(TAKE(daemon->site));
}
