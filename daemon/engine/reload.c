/* The reload half of engine.h: SIGHUP. */

#include <string.h>

#include "base/env.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/access.h"
#include "config/lock.h"
#include "config/secret.h"
#include "config/vault_env.h"
#include "engine/engine.h"
#include "front/front.h"
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
static struct workspace *take_or_make(struct daemon *daemon,
				      const struct workspace_settings *declared)
{
	struct workspace *old, *new;

	for (size_t i = 0; i < daemon->workspace_count; i++) {
		old = daemon->workspaces[i];
		if (!is_same(old, declared))
			continue;
		workspace_set_settings(old, declared);
		return old;
	}
	new = workspace_new(&daemon->host, declared);
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
static void swap_workspaces(struct daemon *daemon)
{
	const struct settings *settings = daemon->settings;
	size_t count = settings->workspace_count;
	size_t old_count = daemon->workspace_count;
	_cleanup_(mem_freep) char *active = mem_strdup(daemon->active->name);
	struct workspace **old = daemon->workspaces, **new;

	new = mem_alloc((count ? count : 1) * sizeof(struct workspace *));
	for (size_t i = 0; i < count; i++)
		new[i] = take_or_make(daemon, &settings->workspaces[i]);
	if (!count)
		new[count++] = take_or_make(daemon, NULL);
	daemon->workspaces = new;
	daemon->workspace_count = count;
	daemon->active = daemon_workspace(daemon, active);
	if (!daemon->active) {
		daemon_choose_active(daemon);
		daemon_make_active(daemon, daemon->active);
	}
	for (size_t i = 0; i < old_count; i++)
		if (!is_among(old[i], new, count))
			workspace_close(old[i]);
	mem_free(old);
}

static void use_settings(struct daemon *daemon, struct settings *settings)
{
	struct workspace_host *host = &daemon->host;
	struct settings *old = daemon->settings;

	if (settings_need_restart(old, settings))
		log_warning("restart-needed",
			    LOG_TEXT("reason",
				     "[daemon] socket, state_dir and mode, and "
				     "[limits] history and history_bytes are "
				     "read at the start only"));
	/* It is asked for everywhere: a mixture would be of neither mode. */
	settings->mode = old->mode;
	daemon->settings = settings;
	host->settings = host->upstream.settings = settings;
	host->vault_env = env_unref(host->vault_env);
	host->vault_env = env_for_vaults(host->env, settings->vault_environment,
					 daemon->places.system);
	secrets_set_patterns(host->secrets, settings->mask_add);
	locks_unref(host->locks);
	host->locks =
		locks_new(settings->mode == MODE_AGENT, settings->lock_keys);
	access_free(daemon->access);
	daemon->access =
		access_new(settings->read, settings->secrets, settings->admin);
	daemon_open_site(daemon);
	swap_workspaces(daemon);
	settings_free(old);
	log_set_level((enum log_level)settings->log_level);
}

static void note_problem(struct daemon *daemon, struct diag *diag)
{
	diag_deinit(&daemon->settings_problem);
	daemon->settings_problem = diag_take(diag);
	if (diag_failed(&daemon->settings_problem))
		log_warning("settings-refused",
			    LOG_TEXT("file", daemon->settings_problem.source),
			    LOG_INT("line", daemon->settings_problem.pos.line),
			    LOG_TEXT("reason", daemon->settings_problem.text));
}

void daemon_reload(struct daemon *daemon)
{
	struct diag diag = DIAG_INIT;
	struct settings *settings;

	if (daemon->state == DAEMON_STOPPING)
		return;
	log_info("reload");
	/* While starting it is not ready, and must not become so by this. */
	if (daemon->state == DAEMON_READY)
		manager_tell_reloading(&daemon->manager);
	daemon->reloads++;
	settings = startup_settings(daemon->options, &daemon->places, &diag);
	if (settings)
		use_settings(daemon, settings);
	note_problem(daemon, &diag);
	daemon_start_recheck(daemon);
	front_listen_again(daemon);
	daemon_reload_workspaces(daemon);
	front_tell(daemon);
	if (daemon->state == DAEMON_READY)
		manager_tell_ready(&daemon->manager);
}
