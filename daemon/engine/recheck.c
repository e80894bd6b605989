/* The recheck half of engine.h: what nobody tells us of, or only time makes of
 * files and caches. */

#include "base/clock.h"
#include "base/mem.h"
#include "engine/engine_parts.h"
#include "fetch/cache.h"
#include "fetch/uv_compat.h"
#include "fetch/watch.h"
#include "site/site.h"
#include "state/hold_file.h"

#define SWEEP_MS 3600000

/* Remove the caches and holds of workspaces that are no longer declared. */
void engine_sweep_caches(struct engine *engine)
{
	size_t count = engine->workspace_count;
	_cleanup_(mem_freep) const char **names =
		mem_alloc((count + 1) * sizeof(*names));

	for (size_t i = 0; i < count; i++)
		names[i] = engine->workspaces[i]->name;
	if (engine->site)
		names[count++] = site_cache_name;
	engine->swept_at = clock_boot_ms();
	cache_sweep(&engine->loop,
		    &(struct cache_sweep){
			    .state_dir = engine->state_dir,
			    .workspaces = names,
			    .count = count,
			    .max_age = engine->settings->stale_limit / 1000,
			    .others = hold_file_sweep,
		    });
}

static void recheck(struct engine *engine)
{
	int64_t since = clock_boot_ms() - engine->swept_at;
	int64_t limit = engine->settings->stale_limit;

	watch_check(engine->watch);
	engine_expect_lapse(engine); /* timers do not count a host's sleep */
	engine->events.on_recheck(engine->events.data);
	if (since >= SWEEP_MS || (limit && since >= limit))
		engine_sweep_caches(engine);
}

static void on_recheck(uv_timer_t *timer)
{
	recheck(timer->data);
}

/* The timer then waits a little longer than until the next poll; while it does,
 * other answers of the same poll are no occasion. */
void engine_recheck_on_occasion(struct engine *engine)
{
	uint64_t interval = (uint64_t)engine->settings->interval;

	if (!uv_is_active((uv_handle_t *)&engine->recheck) ||
	    uv_timer_get_due_in(&engine->recheck) > interval)
		return;
	recheck(engine);
	(void)uv_timer_start(&engine->recheck, on_recheck,
			     interval + interval / 4, interval);
}

void engine_start_recheck(struct engine *engine)
{
	uint64_t interval = (uint64_t)engine->settings->interval;

	(void)uv_timer_start(&engine->recheck, on_recheck, interval, interval);
}
