#include "engine/engine.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/env.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/access.h"
#include "config/lock.h"
#include "config/secret.h"
#include "config/vault_env.h"
#include "engine/local.h"
#include "engine/rotation.h"
#include "engine/site.h"
#include "engine/watched.h"
#include "fetch/cache.h"
#include "fetch/http.h"
#include "fetch/watch.h"
#include "front/front.h"
#include "front/task.h"
#include "read/variables.h"
#include "serve/server.h"
#include "settings/startup.h"
#include "value/value.h"

#define SETTLE_MS     40   /* of quiet after a change of a file */
#define RELOAD_ROUNDS 4    /* of files that name files that name files */
#define SECRETS_MIN   1024 /* that are known before any are forgotten */
#define STOP_MS       2000 /* for answers in flight */

static void set_state(struct daemon *daemon, enum daemon_state state)
{
	daemon->state = state;
}

struct workspace *daemon_workspace(const struct daemon *daemon,
				   const char *name)
{
	if (!name)
		return daemon->active;
	for (size_t i = 0; i < daemon->workspace_count; i++)
		if (!strcmp(daemon->workspaces[i]->name, name))
			return daemon->workspaces[i];
	return NULL;
}

static void add_workspace(struct daemon *daemon,
			  const struct workspace_settings *declared)
{
	daemon->workspaces = mem_grow(daemon->workspaces,
				      (daemon->workspace_count + 1) *
					      sizeof(daemon->workspaces[0]));
	daemon->workspaces[daemon->workspace_count++] =
		workspace_new(&daemon->host, declared);
}

static struct workspace *declared_active(const struct daemon *daemon)
{
	const struct settings *settings = daemon->settings;

	for (size_t i = 0; i < settings->workspace_count; i++)
		if (settings->workspaces[i].active)
			return daemon->workspaces[i];
	return daemon->workspaces[0];
}

/* The one that somebody chose, else the one declared active, else the first. */
void daemon_choose_active(struct daemon *daemon)
{
	_cleanup_(mem_freep) char *chosen = chosen_read(&daemon->chosen);

	daemon->active = chosen ? daemon_workspace(daemon, chosen) : NULL;
	if (!daemon->active)
		daemon->active = declared_active(daemon);
}

void daemon_make_active(struct daemon *daemon, struct workspace *workspace)
{
	log_info("workspace-used", LOG_TEXT("workspace", workspace->name));
	daemon->active = workspace;
	daemon->since = workspace->since;
	workspace_renew(workspace, CAUSE_WORKSPACE);
	daemon->active_since = workspace->snapshot->generation;
}

void daemon_use_workspace(struct daemon *daemon, struct workspace *workspace)
{
	chosen_write(&daemon->chosen, workspace->name);
	if (workspace == daemon->active)
		return;
	daemon_make_active(daemon, workspace);
	front_tell(daemon);
}

static bool make_workspaces(struct daemon *daemon, struct diag *diag)
{
	const struct settings *settings = daemon->settings;
	const char *named = daemon->options->workspace;

	for (size_t i = 0; i < settings->workspace_count; i++)
		add_workspace(daemon, &settings->workspaces[i]);
	if (!settings->workspace_count)
		add_workspace(daemon, NULL);
	daemon_choose_active(daemon);
	if (named)
		daemon->active = daemon_workspace(daemon, named);
	return daemon->active || diag_set(diag, "--workspace",
					  "no workspace is called %s", named);
}

static void close_workspaces(struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->workspace_count; i++)
		workspace_close(daemon->workspaces[i]);
	mem_free(daemon->workspaces);
	daemon->workspaces = NULL;
	daemon->workspace_count = 0;
	daemon->active = NULL;
}

static bool all_settled(const struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->workspace_count; i++)
		if (!workspace_is_settled(daemon->workspaces[i]))
			return false;
	return true;
}

static void tell_status(struct daemon *daemon)
{
	const struct workspace *active = daemon->active;
	const char *problem;

	if (daemon->state == DAEMON_STOPPING || !active || !active->snapshot)
		return;
	problem = workspace_problem(active);
	manager_tell_status(&daemon->manager,
			    "%s, workspace %s, generation %llu%s%s",
			    workspace_state_name(active->state), active->name,
			    (unsigned long long)active->snapshot->generation,
			    problem ? ": " : "", problem ? problem : "");
}

static void become_ready(struct daemon *daemon)
{
	if (daemon->state != DAEMON_STARTING)
		return;
	set_state(daemon, DAEMON_READY);
	(void)uv_timer_stop(&daemon->patience);
	log_info("ready", LOG_TEXT("state", workspace_state_name(
						    daemon->active->state)));
	manager_tell_ready(&daemon->manager);
	tell_status(daemon);
}

void daemon_ready_when_settled(struct daemon *daemon)
{
	if (daemon->state == DAEMON_STARTING && all_settled(daemon))
		become_ready(daemon);
}

static void on_patience_end(uv_timer_t *timer)
{
	become_ready(timer->data);
}

/* True when there is a file to watch that was not watched before. */
static bool watch_files(struct daemon *daemon)
{
	const struct local_rule rule = {daemon->settings, &daemon->places,
					daemon->host.env};
	struct watched watched = {0};
	bool more;

	for (size_t i = 0; i < daemon->workspace_count; i++)
		watched_add_stack(&watched, &daemon->workspaces[i]->stack);
	watched_add_folders(&watched, &rule);
	watched_add_secrets(&watched, daemon->settings);
	watch_set_paths(daemon->watch, (const char *const *)watched.paths,
			watched.count);
	more = !watched_covers(&daemon->watched, &watched);
	watched_deinit(&daemon->watched);
	daemon->watched = watched;
	return more;
}

/* What changes while it is read must be noticed, so files are watched before
 * they are read; those that only reading names, by an include, are read again.
 */
static void reload_workspaces(struct daemon *daemon, enum snapshot_cause cause)
{
	size_t rounds = 0;

	(void)watch_files(daemon);
	do
		for (size_t i = 0; i < daemon->workspace_count; i++)
			workspace_reload(daemon->workspaces[i], cause);
	while (watch_files(daemon) && ++rounds < RELOAD_ROUNDS);
}

static void expect_lapse(struct daemon *daemon);

static void lapse(struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->workspace_count; i++)
		workspace_lapse(daemon->workspaces[i]);
	expect_lapse(daemon);
}

static void on_lapse(uv_timer_t *timer)
{
	lapse(timer->data);
}

/* Of the workspace whose vaults may be too old first. */
static void expect_lapse(struct daemon *daemon)
{
	int64_t first = -1, ms;

	for (size_t i = 0; i < daemon->workspace_count; i++) {
		ms = workspace_lapses_in(daemon->workspaces[i]);
		if (ms >= 0 && (first < 0 || ms < first))
			first = ms;
	}
	if (first < 0)
		(void)uv_timer_stop(&daemon->lapse);
	else
		(void)uv_timer_start(&daemon->lapse, on_lapse,
				     (uint64_t)first + 1, 0);
}

void daemon_reload_workspaces(struct daemon *daemon)
{
	reload_workspaces(daemon, CAUSE_RELOAD);
	for (size_t i = 0; i < daemon->workspace_count; i++)
		workspace_prove_now(daemon->workspaces[i]);
	expect_lapse(daemon);
	daemon_sweep_caches(daemon);
}

static void on_files_changed(void *data)
{
	reload_workspaces(data, CAUSE_FILE);
}

static uint64_t next_generation(void *data)
{
	struct daemon *daemon = data;

	return generation_next(&daemon->generation);
}

/* What was a secret once stays one as long as the history may show it; tokens
 * that change each hour must not add up for ever. */
static void forget_old_secrets(struct daemon *daemon)
{
	struct secrets *secrets = daemon->host.secrets;

	if (secrets_count(secrets) <= daemon->secrets_max)
		return;
	secrets_forget(secrets);
	for (size_t i = 0; i < daemon->workspace_count; i++)
		workspace_learn_secrets(daemon->workspaces[i]);
	daemon->secrets_max = 2 * secrets_count(secrets) + SECRETS_MIN;
}

static void on_snapshot(void *data, struct workspace *workspace)
{
	struct daemon *daemon = data;

	forget_old_secrets(daemon);
	if (daemon->server)
		server_notify(daemon->server);
	if (workspace == daemon->active)
		tell_status(daemon);
}

static void on_state(void *data, struct workspace *workspace)
{
	struct daemon *daemon = data;

	if (workspace == daemon->active)
		daemon->since = workspace->since;
	if (daemon->server)
		server_notify_status(daemon->server);
	daemon_ready_when_settled(daemon);
	tell_status(daemon);
}

static void on_answer(void *data, struct workspace *workspace)
{
	rotation_look(workspace->rotation);
	daemon_recheck_on_occasion(data);
	expect_lapse(data);
	daemon_ready_when_settled(data);
	tell_status(data);
	tasks_look(data);
}

static void on_logout(void *data, struct workspace *workspace)
{
	rotation_log_out(workspace->rotation);
	tasks_log_out(data, workspace);
}

static void on_rotation(void *data, struct workspace *workspace)
{
	struct daemon *daemon = data;

	(void)workspace;
	if (daemon->server)
		server_notify_status(daemon->server);
	tasks_look(daemon);
}

static bool uses_key(const struct upstream *upstream, const char *key,
		     const char *source)
{
	return upstream && str_same(upstream->login.access_key, key) &&
	       (!source || !str_same(upstream->login.key_source, source));
}

bool daemon_uses_key(void *data, const char *key, const char *source)
{
	const struct daemon *daemon = data;

	for (size_t i = 0; i < daemon->workspace_count; i++)
		if (uses_key(daemon->workspaces[i]->upstream, key, source) ||
		    uses_key(daemon->workspaces[i]->candidate, key, source))
			return true;
	return false;
}

static void on_hangup(uv_signal_t *signal, int number)
{
	(void)number;
	daemon_reload(signal->data);
}

static void on_terminate(uv_signal_t *signal, int number)
{
	(void)number;
	daemon_stop(signal->data);
}

static void init_host(struct daemon *daemon, struct env *env)
{
	daemon->host = (struct workspace_host){
		.upstream = {.loop = &daemon->loop,
			     .http = daemon->http,
			     .settings = daemon->settings},
		.settings = daemon->settings,
		.places = &daemon->places,
		.env = daemon->settings->mode == MODE_AGENT
			       ? variables_agent_env(env)
			       : env_ref(env),
		.secrets = secrets_new(daemon->settings->mask_add),
		.locks = locks_new(daemon->settings->mode == MODE_AGENT,
				   daemon->settings->lock_keys),
		.state_dir = daemon->state_dir,
		.read_only = daemon->options->action != ACTION_SERVE,
		.offline = daemon->options->offline,
		.data = daemon,
		.next_generation = next_generation,
		.on_snapshot = on_snapshot,
		.on_state = on_state,
		.on_answer = on_answer,
		.on_rotation = on_rotation,
		.uses_key = daemon_uses_key,
		.on_logout = on_logout,
	};
	daemon->host.vault_env = env_for_vaults(
		daemon->host.env, daemon->settings->vault_environment,
		daemon->places.system);
	daemon->host.upstream.secrets = daemon->host.secrets;
	daemon->secrets_max = SECRETS_MIN;
}

static void init_handles(struct daemon *daemon)
{
	assert(uv_loop_init(&daemon->loop) == 0);
	turn_clock_init(&daemon->turn_clock, &daemon->loop);
	daemon->http = http_new(&daemon->loop);
	daemon->watch =
		watch_new(&daemon->loop, SETTLE_MS, on_files_changed, daemon);
	(void)uv_timer_init(&daemon->loop, &daemon->recheck);
	(void)uv_timer_init(&daemon->loop, &daemon->patience);
	(void)uv_timer_init(&daemon->loop, &daemon->lapse);
	manager_init(&daemon->manager, &daemon->loop);
	(void)uv_signal_init(&daemon->loop, &daemon->hangup);
	(void)uv_signal_init(&daemon->loop, &daemon->terminate);
	(void)uv_signal_init(&daemon->loop, &daemon->interrupt);
	daemon->recheck.data = daemon->patience.data = daemon;
	daemon->lapse.data = daemon;
	daemon->hangup.data = daemon->terminate.data = daemon;
	daemon->interrupt.data = daemon;
}

static void init_generation(struct daemon *daemon)
{
	const char *folder = daemon->state_dir;
	int r = file_make_folder(folder, 0700);

	if (r < 0)
		log_warning("no-state-folder", LOG_TEXT("folder", folder),
			    LOG_TEXT("error", strerror(-r)));
	generation_init(&daemon->generation, &daemon->loop,
			r < 0 ? NULL : folder);
}

struct daemon *daemon_new(const struct options *options, struct diag *diag)
{
	_cleanup_(env_unrefp) struct env *env = env_from_process();
	struct daemon *daemon = mem_alloc(sizeof(*daemon));

	daemon->options = options;
	daemon->since = time(NULL);
	daemon->started_at = clock_boot_ms();
	list_init(&daemon->tasks);
	places_init(&daemon->places, options->instance, env);
	init_handles(daemon);
	daemon->settings =
		startup_settings(daemon->options, &daemon->places, diag);
	if (!daemon->settings) {
		daemon_free(daemon);
		return NULL;
	}
	log_set_level((enum log_level)daemon->settings->log_level);
	daemon->state_dir = front_state_dir(daemon);
	init_host(daemon, env);
	daemon_open_site(daemon);
	chosen_init(&daemon->chosen, &daemon->loop, daemon->state_dir);
	daemon->access =
		access_new(daemon->settings->read, daemon->settings->secrets,
			   daemon->settings->admin);
	if (!make_workspaces(daemon, diag)) {
		daemon_free(daemon);
		return NULL;
	}
	return daemon;
}

void daemon_free(struct daemon *daemon)
{
	daemon_close_site(daemon);
	close_workspaces(daemon);
	chosen_deinit(&daemon->chosen);
	watch_close(daemon->watch);
	http_close(daemon->http);
	uv_close((uv_handle_t *)&daemon->recheck, NULL);
	uv_close((uv_handle_t *)&daemon->patience, NULL);
	uv_close((uv_handle_t *)&daemon->lapse, NULL);
	manager_deinit(&daemon->manager);
	turn_clock_deinit(&daemon->turn_clock);
	uv_close((uv_handle_t *)&daemon->hangup, NULL);
	uv_close((uv_handle_t *)&daemon->terminate, NULL);
	uv_close((uv_handle_t *)&daemon->interrupt, NULL);
	(void)uv_run(&daemon->loop, UV_RUN_DEFAULT);
	assert(uv_loop_close(&daemon->loop) == 0);
	access_free(daemon->access);
	secrets_free(daemon->host.secrets);
	locks_unref(daemon->host.locks);
	env_unref(daemon->host.env);
	env_unref(daemon->host.vault_env);
	generation_deinit(&daemon->generation);
	watched_deinit(&daemon->watched);
	settings_free(daemon->settings);
	diag_deinit(&daemon->settings_problem);
	places_deinit(&daemon->places);
	mem_free(daemon->state_dir);
	mem_free(daemon->socket);
	mem_free(daemon);
}

static void start_workspaces(struct daemon *daemon)
{
	set_state(daemon, DAEMON_STARTING);
	for (size_t i = 0; i < daemon->workspace_count; i++)
		workspace_start(daemon->workspaces[i]);
	(void)uv_timer_start(&daemon->patience, on_patience_end,
			     (uint64_t)daemon->settings->timeout, 0);
	daemon_ready_when_settled(daemon);
}

void daemon_resolve(struct daemon *daemon)
{
	generation_init(&daemon->generation, &daemon->loop, NULL);
	start_workspaces(daemon);
	while (daemon->state == DAEMON_STARTING)
		(void)uv_run(&daemon->loop, UV_RUN_ONCE);
}

static struct local_rule local_rule(const struct daemon *daemon)
{
	return (struct local_rule){daemon->settings, &daemon->places,
				   daemon->host.env};
}

char *daemon_explain_nothing(const struct daemon *daemon)
{
	struct local_rule rule = local_rule(daemon);
	const struct value *root = daemon->active->snapshot->root;

	return root->object.count ? NULL : local_explain_nothing(&rule);
}

/* What nobody finds who looks for it in the wrong place. */
static void log_start(const struct daemon *daemon)
{
	struct local_rule rule = local_rule(daemon);
	_cleanup_(mem_freep) char *files = local_describe(&rule);
	const char *settings = daemon->settings->path;

	log_info(
		"started", LOG_TEXT("version", CLEARCONF_VERSION),
		LOG_TEXT("instance", daemon->places.system ? "system" : "user"),
		LOG_TEXT("socket",
			 daemon->socket ? daemon->socket : "systemd's"),
		LOG_TEXT("settings", settings ? settings : "none"),
		LOG_TEXT("files", files));
	http_log_lack();
}

static void start_handles(struct daemon *daemon)
{
	daemon_start_recheck(daemon);
	manager_start(&daemon->manager);
	(void)uv_signal_start(&daemon->hangup, on_hangup, SIGHUP);
	(void)uv_signal_start(&daemon->terminate, on_terminate, SIGTERM);
	(void)uv_signal_start(&daemon->interrupt, on_terminate, SIGINT);
}

int daemon_serve(struct daemon *daemon)
{
	bool listening = front_open(daemon);

	if (!listening) {
		daemon_stop(daemon);
	} else {
		log_start(daemon);
		start_handles(daemon);
		init_generation(daemon);
		start_workspaces(daemon);
		/* What was saved between the first look and the watch. */
		reload_workspaces(daemon, CAUSE_FILE);
		expect_lapse(daemon);
		daemon_sweep_caches(daemon);
	}
	(void)uv_run(&daemon->loop, UV_RUN_DEFAULT);
	return listening ? 0 : 1;
}

static void on_server_stopped(void *data)
{
	struct daemon *daemon = data;

	uv_stop(&daemon->loop);
}

void daemon_stop(struct daemon *daemon)
{
	if (daemon->state == DAEMON_STOPPING)
		return;
	set_state(daemon, DAEMON_STOPPING);
	log_info("stopping");
	manager_tell_stopping(&daemon->manager);
	server_stop(daemon->server, STOP_MS, on_server_stopped, daemon);
	daemon->server = NULL;
}
