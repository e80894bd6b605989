/* The site half of engine.h: its documents go into every workspace. */

#include "base/mem.h"
#include "base/share.h"
#include "engine/engine_parts.h"
#include "engine/report.h"
#include "settings/settings.h"
#include "site/site.h"

void engine_judge_rollouts(struct engine *engine, uint64_t since)
{
	if (!engine->active || !engine->active->snapshot ||
	    !site_judge_rollouts(engine->site, &engine->active->stack, since))
		return;
	report_look(engine->report);
	engine->events.on_state(engine->events.data);
}

void engine_complain(struct engine *engine, bool left, uint64_t generation,
		     const char *reason)
{
	if (!engine->site ||
	    !site_blame_rollouts(engine->site, left, generation, reason))
		return;
	report_look(engine->report);
	engine->events.on_state(engine->events.data);
}

static void on_documents(void *data, enum snapshot_cause cause)
{
	struct engine *engine = data;
	uint64_t since = engine->generation.last + 1;

	for (size_t i = 0; i < engine->workspace_count; i++)
		workspace_take_site(engine->workspaces[i], cause);
	/* What is called bad does not come, and comes when it is not any more.
	 */
	engine_expect_lapse(engine);
	site_save_soon(engine->site);
	engine_judge_rollouts(engine, since);
	report_look(engine->report);
	engine->events.on_state(engine->events.data);
}

static void on_site_save(void *data)
{
	struct engine *engine = data;

	site_save(engine->site, &engine->active->stack);
}

static void on_site_health(void *data)
{
	struct engine *engine = data;

	/* Vaults may have waited for etcd's first answer. */
	for (size_t i = 0; i < engine->workspace_count; i++) {
		workspace_lapse(engine->workspaces[i]);
		workspace_set_state(engine->workspaces[i]);
	}
	engine_expect_lapse(engine);
	engine_ready_when_settled(engine);
	report_look(engine->report);
	engine->events.on_state(engine->events.data);
	engine->events.on_progress(engine->events.data);
}

static bool wants_machine(const struct settings *settings)
{
	return settings->stage.share != SHARE_WHOLE || site_is_named(settings);
}

/* Which machine this is, if the settings need to know. */
static void learn_machine(struct engine *engine)
{
	if (!wants_machine(engine->settings) || engine->machine.id[0])
		return;
	machine_learn(&engine->machine, MACHINE_ID_FILE, engine->state_dir,
		      !engine->host.read_only);
	engine->host.machine = engine->machine.id;
}

void engine_open_site(struct engine *engine)
{
	const struct settings *settings = engine->settings;
	struct site_host host = {
		.loop = &engine->loop,
		.http = engine->http,
		.state_dir = engine->state_dir,
		.read_only = engine->host.read_only,
		.offline = engine->options->offline,
		.data = engine,
		.on_documents = on_documents,
		.on_health = on_site_health,
		.on_save = on_site_save,
	};
	bool wanted = site_is_named(settings);

	report_close(TAKE(engine->report));
	learn_machine(engine);
	host.machine = engine->machine.id;
	if (engine->site && wanted) {
		site_set_settings(engine->site, settings);
	} else if (engine->site) {
		site_forget(engine->site);
		site_close(TAKE(engine->site));
	} else {
		engine->site = site_new(&host, settings);
	}
	engine->host.site = engine->site;
	engine->report = host.read_only ? NULL : report_new(engine);
}

void engine_close_site(struct engine *engine)
{
	if (engine->site && engine->active)
		on_site_save(engine);
	report_close(TAKE(engine->report));
	site_close(TAKE(engine->site));
}
