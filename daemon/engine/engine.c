#include "engine/engine_parts.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/env.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/access.h"
#include "config/callers.h"
#include "config/lock.h"
#include "config/secrets.h"
#include "config/vault_env.h"
#include "engine/local.h"
#include "engine/report.h"
#include "engine/rotation.h"
#include "engine/watch_paths.h"
#include "fetch/http.h"
#include "fetch/watch.h"
#include "read/variables.h"
#include "settings/startup.h"
#include "value/value.h"

#define SETTLE_MS     40   /* of quiet after a change of a file */
#define RELOAD_ROUNDS 4    /* of files that name files that name files */
#define SECRETS_MIN   1024 /* that are known before any are forgotten */

static void ignore(void *data)
{
	(void)data;
}

static void ignore_of(void *data, struct workspace *workspace)
{
	(void)data;
	(void)workspace;
}

void engine_listen(struct engine *engine, const struct engine_events *events)
{
	static const struct engine_events nobody = {
		.on_snapshot = ignore_of,
		.on_state = ignore,
		.on_progress = ignore,
		.on_logout = ignore_of,
		.on_settings = ignore,
		.on_reload = ignore,
		.on_ready = ignore,
		.on_recheck = ignore,
	};

	engine->events = events ? *events : nobody;
}

struct workspace *engine_workspace(const struct engine *engine,
				   const char *name)
{
	if (!name)
		return engine->active;
	for (size_t i = 0; i < engine->workspace_count; i++)
		if (!strcmp(engine->workspaces[i]->name, name))
			return engine->workspaces[i];
	return NULL;
}

static void add_workspace(struct engine *engine,
			  const struct workspace_settings *declared)
{
	engine->workspaces = mem_grow(engine->workspaces,
				      (engine->workspace_count + 1) *
					      sizeof(engine->workspaces[0]));
	engine->workspaces[engine->workspace_count++] =
		workspace_new(&engine->host, declared);
}

static struct workspace *declared_active(const struct engine *engine)
{
	const struct settings *settings = engine->settings;

	for (size_t i = 0; i < settings->workspace_count; i++)
		if (settings->workspaces[i].active)
			return engine->workspaces[i];
	return engine->workspaces[0];
}

/* The workspace that somebody chose, else the one declared active, else the
 * first. */
void engine_choose_active(struct engine *engine)
{
	_cleanup_(mem_freep) char *chosen =
		active_workspace_read(&engine->kept_active);

	engine->active = chosen ? engine_workspace(engine, chosen) : NULL;
	if (!engine->active)
		engine->active = declared_active(engine);
}

void engine_make_active(struct engine *engine, struct workspace *workspace)
{
	log_info("workspace-used", LOG_TEXT("workspace", workspace->name));
	engine->active = workspace;
	engine->since = workspace->since;
	workspace_renew(workspace);
	engine->active_since = workspace->snapshot->generation;
	report_look(engine->report);
}

void engine_renew_workspaces(struct engine *engine)
{
	for (size_t i = engine->workspace_count; i-- > 0;)
		workspace_renew(engine->workspaces[i]);
	engine->active_since = engine->workspaces[engine->workspace_count - 1]
				       ->snapshot->generation;
}

void engine_use_workspace(struct engine *engine, struct workspace *workspace)
{
	active_workspace_write(&engine->kept_active, workspace->name);
	if (workspace == engine->active)
		return;
	engine_make_active(engine, workspace);
	engine->events.on_settings(engine->events.data);
}

struct callers *engine_make_callers(const struct engine *engine)
{
	const struct settings *settings = engine->settings;
	struct callers *callers = callers_new(engine->reloads + 1);

	for (size_t i = 0; i < settings->workspace_count; i++)
		callers_add(callers, settings->workspaces[i].name,
			    settings->workspaces[i].callers);
	return callers;
}

static bool make_workspaces(struct engine *engine, struct diag *diag)
{
	const struct settings *settings = engine->settings;
	const char *named = engine->options->workspace;

	for (size_t i = 0; i < settings->workspace_count; i++)
		add_workspace(engine, &settings->workspaces[i]);
	if (!settings->workspace_count)
		add_workspace(engine, NULL);
	engine_choose_active(engine);
	if (named)
		engine->active = engine_workspace(engine, named);
	return engine->active || diag_set(diag, "--workspace",
					  "no workspace is called %s", named);
}

static void close_workspaces(struct engine *engine)
{
	for (size_t i = 0; i < engine->workspace_count; i++)
		workspace_close(engine->workspaces[i]);
	mem_free(engine->workspaces);
	engine->workspaces = NULL;
	engine->workspace_count = 0;
	engine->active = NULL;
}

static bool all_settled(const struct engine *engine)
{
	for (size_t i = 0; i < engine->workspace_count; i++)
		if (!workspace_is_settled(engine->workspaces[i]))
			return false;
	return true;
}

static void become_ready(struct engine *engine)
{
	if (engine->state != ENGINE_STARTING)
		return;
	engine->state = ENGINE_READY;
	report_look(engine->report);
	(void)uv_timer_stop(&engine->patience);
	log_info("ready", LOG_TEXT("state", workspace_state_name(
						    engine->active->state)));
	engine->events.on_ready(engine->events.data);
}

void engine_ready_when_settled(struct engine *engine)
{
	if (engine->state == ENGINE_STARTING && all_settled(engine))
		become_ready(engine);
}

static void on_patience_end(uv_timer_t *timer)
{
	become_ready(timer->data);
}

/* True when there is a file to watch that was not watched before. */
static bool watch_files(struct engine *engine)
{
	const struct local_rule rule = engine_local_rule(engine);
	struct watch_paths watched = {0};
	bool more;

	for (size_t i = 0; i < engine->workspace_count; i++)
		watch_paths_add_stack(&watched, &engine->workspaces[i]->stack);
	watch_paths_add_folders(&watched, &rule);
	watch_paths_add_secrets(&watched, engine->settings);
	watch_set_paths(engine->watch, (const char *const *)watched.paths,
			watched.count);
	more = !watch_paths_cover(&engine->watched, &watched);
	watch_paths_deinit(&engine->watched);
	engine->watched = watched;
	return more;
}

/* What changes while it is read must be noticed, so files are watched before
 * they are read; those that only reading names, by an include, are read again.
 */
static void reload_workspaces(struct engine *engine, enum snapshot_cause cause)
{
	size_t rounds = 0;

	(void)watch_files(engine);
	do
		for (size_t i = 0; i < engine->workspace_count; i++)
			workspace_reload(engine->workspaces[i], cause);
	while (watch_files(engine) && ++rounds < RELOAD_ROUNDS);
	engine_judge_rollouts(engine, engine->generation.last);
}

static void lapse(struct engine *engine)
{
	for (size_t i = 0; i < engine->workspace_count; i++)
		workspace_lapse(engine->workspaces[i]);
	engine_expect_lapse(engine);
}

static void on_lapse(uv_timer_t *timer)
{
	lapse(timer->data);
}

void engine_expect_lapse(struct engine *engine)
{
	int64_t first = -1, ms;

	for (size_t i = 0; i < engine->workspace_count; i++) {
		ms = workspace_lapses_in(engine->workspaces[i]);
		if (ms >= 0 && (first < 0 || ms < first))
			first = ms;
	}
	if (first < 0)
		(void)uv_timer_stop(&engine->lapse);
	else
		(void)uv_timer_start(&engine->lapse, on_lapse,
				     (uint64_t)first + 1, 0);
}

void engine_reload_workspaces(struct engine *engine)
{
	reload_workspaces(engine, CAUSE_RELOAD);
	for (size_t i = 0; i < engine->workspace_count; i++)
		workspace_prove_now(engine->workspaces[i]);
	engine_expect_lapse(engine);
	engine_sweep_caches(engine);
}

static void on_files_changed(void *data)
{
	reload_workspaces(data, CAUSE_FILE);
}

static uint64_t next_generation(void *data)
{
	struct engine *engine = data;

	return generation_next(&engine->generation);
}

/* What was a secret once stays one as long as the history may show it; tokens
 * that change each hour must not add up for ever. */
static void forget_old_secrets(struct engine *engine)
{
	struct secrets *secrets = engine->host.secrets;

	if (secrets_count(secrets) <= engine->secrets_max)
		return;
	secrets_forget(secrets);
	for (size_t i = 0; i < engine->workspace_count; i++)
		workspace_learn_secrets(engine->workspaces[i]);
	engine->secrets_max = 2 * secrets_count(secrets) + SECRETS_MIN;
}

static void on_snapshot(void *data, struct workspace *workspace)
{
	struct engine *engine = data;

	forget_old_secrets(engine);
	report_look(engine->report);
	engine->events.on_snapshot(engine->events.data, workspace);
}

static void on_state(void *data, struct workspace *workspace)
{
	struct engine *engine = data;

	if (workspace == engine->active)
		engine->since = workspace->since;
	engine_ready_when_settled(engine);
	report_look(engine->report);
	engine->events.on_state(engine->events.data);
}

static void on_answer(void *data, struct workspace *workspace)
{
	struct engine *engine = data;

	rotation_look(workspace->rotation);
	engine_recheck_on_occasion(engine);
	engine_expect_lapse(engine);
	engine_ready_when_settled(engine);
	engine->events.on_progress(engine->events.data);
}

static void on_saved(void *data, struct workspace *workspace)
{
	struct engine *engine = data;

	(void)workspace;
	engine->events.on_progress(engine->events.data);
}

static void on_logout(void *data, struct workspace *workspace)
{
	struct engine *engine = data;

	rotation_log_out(workspace->rotation);
	engine->events.on_logout(engine->events.data, workspace);
}

static void on_rotation(void *data, struct workspace *workspace)
{
	struct engine *engine = data;

	(void)workspace;
	engine->events.on_state(engine->events.data);
	engine->events.on_progress(engine->events.data);
}

/* Who watches states is told of holds; who waits for one may look. */
static void on_hold(void *data, struct workspace *workspace)
{
	struct engine *engine = data;

	engine_expect_lapse(engine);
	report_look(engine->report);
	engine->events.on_snapshot(engine->events.data, workspace);
	engine->events.on_state(engine->events.data);
	engine->events.on_progress(engine->events.data);
}

static bool uses_key(const struct upstream *upstream, const char *key,
		     const char *source)
{
	return upstream && str_same(upstream->login.access_key, key) &&
	       (!source || !str_same(upstream->login.key_source, source));
}

bool engine_uses_key(void *data, const char *key, const char *source)
{
	const struct engine *engine = data;

	for (size_t i = 0; i < engine->workspace_count; i++)
		if (uses_key(engine->workspaces[i]->upstream, key, source) ||
		    uses_key(engine->workspaces[i]->candidate, key, source))
			return true;
	return false;
}

static void init_host(struct engine *engine, struct env *env)
{
	engine->host = (struct workspace_host){
		.upstream = {.loop = &engine->loop,
			     .http = engine->http,
			     .settings = engine->settings},
		.settings = engine->settings,
		.places = &engine->places,
		.env = engine->settings->mode == MODE_AGENT
			       ? variables_agent_env(env)
			       : env_ref(env),
		.secrets = secrets_new(engine->settings->mask_add),
		.locks = locks_new(engine->settings->mode == MODE_AGENT,
				   engine->settings->lock_keys),
		.state_dir = engine->state_dir,
		.read_only = engine->options->action != ACTION_SERVE,
		.offline = engine->options->offline,
		.data = engine,
		.next_generation = next_generation,
		.on_snapshot = on_snapshot,
		.on_state = on_state,
		.on_answer = on_answer,
		.on_rotation = on_rotation,
		.on_hold = on_hold,
		.uses_key = engine_uses_key,
		.on_logout = on_logout,
		.on_saved = on_saved,
	};
	engine->host.vault_env = env_for_vaults(
		engine->host.env, engine->settings->vault_environment,
		engine->places.system);
	engine->host.upstream.secrets = engine->host.secrets;
	engine->secrets_max = SECRETS_MIN;
}

static void init_handles(struct engine *engine)
{
	assert(uv_loop_init(&engine->loop) == 0);
	turn_clock_init(&engine->turn_clock, &engine->loop);
	engine->http = http_new(&engine->loop);
	engine->watch =
		watch_new(&engine->loop, SETTLE_MS, on_files_changed, engine);
	(void)uv_timer_init(&engine->loop, &engine->recheck);
	(void)uv_timer_init(&engine->loop, &engine->patience);
	(void)uv_timer_init(&engine->loop, &engine->lapse);
	engine->recheck.data = engine->patience.data = engine;
	engine->lapse.data = engine;
}

static void init_generation(struct engine *engine)
{
	const char *folder = engine->state_dir;
	int r = file_make_folder(folder, 0700);

	if (r < 0)
		log_warning("no-state-folder", LOG_TEXT("folder", folder),
			    LOG_TEXT("error", strerror(-r)));
	generation_init(&engine->generation, &engine->loop,
			r < 0 ? NULL : folder);
}

struct engine *engine_new(const struct options *options, struct diag *diag)
{
	_cleanup_(env_unrefp) struct env *env = env_from_process();
	struct engine *engine = mem_alloc(sizeof(*engine));

	engine->options = options;
	engine_listen(engine, NULL);
	engine->since = time(NULL);
	engine->started_at = clock_boot_ms();
	places_init(&engine->places, options->instance, env);
	init_handles(engine);
	engine->settings =
		startup_settings(engine->options, &engine->places, diag);
	if (!engine->settings) {
		engine_free(engine);
		return NULL;
	}
	log_set_level((enum log_level)engine->settings->log_level);
	engine->state_dir =
		places_choose(&engine->places, engine->settings->state_dir,
			      engine->places.state_dir);
	init_host(engine, env);
	engine_open_site(engine);
	active_workspace_init(&engine->kept_active, &engine->loop,
			      engine->state_dir);
	engine->access = access_new(
		engine->settings->read, engine->settings->secrets,
		engine->settings->admin, engine->settings->root == ROOT_HOST);
	engine->callers = engine_make_callers(engine);
	if (!make_workspaces(engine, diag)) {
		engine_free(engine);
		return NULL;
	}
	return engine;
}

void engine_free(struct engine *engine)
{
	engine_close_site(engine);
	close_workspaces(engine);
	active_workspace_deinit(&engine->kept_active);
	watch_close(engine->watch);
	http_close(engine->http);
	uv_close((uv_handle_t *)&engine->recheck, NULL);
	uv_close((uv_handle_t *)&engine->patience, NULL);
	uv_close((uv_handle_t *)&engine->lapse, NULL);
	turn_clock_deinit(&engine->turn_clock);
	(void)uv_run(&engine->loop, UV_RUN_DEFAULT);
	assert(uv_loop_close(&engine->loop) == 0);
	access_free(engine->access);
	callers_free(engine->callers);
	secrets_free(engine->host.secrets);
	locks_unref(engine->host.locks);
	env_unref(engine->host.env);
	env_unref(engine->host.vault_env);
	generation_deinit(&engine->generation);
	watch_paths_deinit(&engine->watched);
	settings_free(engine->settings);
	diag_deinit(&engine->settings_problem);
	places_deinit(&engine->places);
	mem_free(engine->state_dir);
	mem_free(engine);
}

static void start_workspaces(struct engine *engine)
{
	engine->state = ENGINE_STARTING;
	for (size_t i = 0; i < engine->workspace_count; i++)
		workspace_start(engine->workspaces[i]);
	(void)uv_timer_start(&engine->patience, on_patience_end,
			     (uint64_t)engine->settings->timeout, 0);
	engine_ready_when_settled(engine);
}

static void on_resolved(void *loop)
{
	uv_stop(loop);
}

/* A timer may be what makes it ready, and before 1.45 libuv waits for something
 * else after timers: it has to be stopped. */
void engine_resolve(struct engine *engine)
{
	engine->events.on_ready = on_resolved;
	engine->events.data = &engine->loop;
	generation_init(&engine->generation, &engine->loop, NULL);
	start_workspaces(engine);
	do
		(void)uv_run(&engine->loop, UV_RUN_DEFAULT);
	while (engine->state == ENGINE_STARTING);
	engine_listen(engine, NULL);
}

struct local_rule engine_local_rule(const struct engine *engine)
{
	return (struct local_rule){engine->settings, &engine->places,
				   engine->host.env};
}

char *engine_explain_nothing(const struct engine *engine)
{
	const struct local_rule rule = engine_local_rule(engine);
	const struct workspace *active = engine->active;

	return active->snapshot->root->object.count ||
			       stack_find_lost(&active->stack)
		       ? NULL
		       : local_explain_nothing(&rule);
}

/* Of which workspace an earlier process told somebody who named none, nobody
 * knows where there may have been several. */
static void forget_who_was_active(struct engine *engine)
{
	_cleanup_(mem_freep) char *chosen =
		active_workspace_read(&engine->kept_active);

	if (chosen || engine->workspace_count > 1)
		engine->active_since = engine->active->snapshot->generation;
}

void engine_start(struct engine *engine)
{
	http_log_lack();
	engine_start_recheck(engine);
	init_generation(engine);
	start_workspaces(engine);
	forget_who_was_active(engine);
	/* Read what was saved between the first look and the watch. */
	reload_workspaces(engine, CAUSE_FILE);
	engine_expect_lapse(engine);
	engine_sweep_caches(engine);
}

bool engine_stop(struct engine *engine)
{
	if (engine->state == ENGINE_STOPPING)
		return false;
	engine->state = ENGINE_STOPPING;
	log_info("stopping");
	return true;
}
