/* The reload half of engine.h: SIGHUP. */

#include <string.h>

#include "base/env.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/access.h"
#include "config/callers.h"
#include "config/lock.h"
#include "config/secrets.h"
#include "config/vault_env.h"
#include "engine/engine_parts.h"
#include "settings/startup.h"

/* Is @old what the settings now declare (NULL: the implicit workspace)? */
static bool is_same(const struct workspace *old,
		    const struct workspace_settings *declared)
{
	if (!declared || !old->declared)
		return !declared && !old->declared;
	return !strcmp(old->name, declared->name);
}

/* The workspace as it is, or a new one that has its first snapshot: nobody
 * may ever see one without. */
static struct workspace *take_or_make(struct engine *engine,
				      const struct workspace_settings *declared)
{
	struct workspace *old, *new;

	for (size_t i = 0; i < engine->workspace_count; i++) {
		old = engine->workspaces[i];
		if (!is_same(old, declared))
			continue;
		workspace_set_settings(old, declared);
		return old;
	}
	new = workspace_new(&engine->host, declared);
	workspace_start(new);
	return new;
}

static bool is_among(const struct workspace *workspace,
		     struct workspace *const *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == workspace)
			return true;
	return false;
}

/* Those that are still declared keep what they serve. The old list is in force
 * until the new one is complete. */
static void swap_workspaces(struct engine *engine)
{
	const struct settings *settings = engine->settings;
	size_t count = settings->workspace_count;
	size_t old_count = engine->workspace_count;
	_cleanup_(mem_freep) char *active = mem_strdup(engine->active->name);
	struct workspace **old = engine->workspaces, **new;

	new = mem_alloc((count ? count : 1) * sizeof(struct workspace *));
	for (size_t i = 0; i < count; i++)
		new[i] = take_or_make(engine, &settings->workspaces[i]);
	if (!count)
		new[count++] = take_or_make(engine, NULL);
	engine->workspaces = new;
	engine->workspace_count = count;
	engine->active = engine_workspace(engine, active);
	if (!engine->active) {
		engine_choose_active(engine);
		engine_make_active(engine, engine->active);
	}
	for (size_t i = 0; i < old_count; i++)
		if (!is_among(old[i], new, count))
			workspace_close(old[i]);
	mem_free(old);
}

/* Who names no workspace may have another than before: as of a switch of the
 * active one, what is told from here on must not be taken for older. */
static void use_callers(struct engine *engine)
{
	struct callers *old = engine->callers;

	engine->callers = engine_make_callers(engine);
	if (!callers_equal(old, engine->callers))
		engine_renew_workspaces(engine);
	callers_free(old);
}

static void use_settings(struct engine *engine, struct settings *settings)
{
	struct workspace_host *host = &engine->host;
	struct settings *old = engine->settings;

	if (settings_need_restart(old, settings))
		log_warning("restart-needed",
			    LOG_TEXT("reason",
				     "[daemon] socket, state_dir and mode, and "
				     "[limits] history and history_bytes are "
				     "read at the start only"));
	/* The mode is asked for everywhere: a mixture would be of neither. */
	settings->mode = old->mode;
	engine->settings = settings;
	host->settings = host->upstream.settings = settings;
	host->vault_env = env_unref(host->vault_env);
	host->vault_env = env_for_vaults(host->env, settings->vault_environment,
					 engine->places.system);
	secrets_set_patterns(host->secrets, settings->mask_add);
	locks_unref(host->locks);
	host->locks =
		locks_new(settings->mode == MODE_AGENT, settings->lock_keys);
	access_free(engine->access);
	engine->access =
		access_new(settings->read, settings->secrets, settings->admin,
			   settings->root == ROOT_HOST);
	engine_open_site(engine);
	swap_workspaces(engine);
	use_callers(engine);
	settings_free(old);
	log_set_level((enum log_level)settings->log_level);
}

static void note_problem(struct engine *engine, struct diag *diag)
{
	diag_deinit(&engine->settings_problem);
	engine->settings_problem = diag_take(diag);
	if (diag_failed(&engine->settings_problem))
		log_warning("settings-refused",
			    LOG_TEXT("file", engine->settings_problem.source),
			    LOG_INT("line", engine->settings_problem.pos.line),
			    LOG_TEXT("reason", engine->settings_problem.text));
}

void engine_reload(struct engine *engine)
{
	struct diag diag = DIAG_INIT;
	struct settings *settings;

	if (engine->state == ENGINE_STOPPING)
		return;
	log_info("reload");
	/* A daemon that is starting is not ready, and must not become so by a
	 * reload. */
	if (engine->state == ENGINE_READY)
		engine->events.on_reload(engine->events.data);
	engine->reloads++;
	settings = startup_settings(engine->options, &engine->places, &diag);
	if (settings)
		use_settings(engine, settings);
	note_problem(engine, &diag);
	engine_start_recheck(engine);
	engine_reload_workspaces(engine);
	engine->events.on_settings(engine->events.data);
	if (engine->state == ENGINE_READY)
		engine->events.on_ready(engine->events.data);
}
