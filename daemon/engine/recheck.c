/* The recheck half of engine.h: what nobody tells us of, or only time makes of
 * files and caches. */

#include "base/clock.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "engine/site.h"
#include "fetch/cache.h"
#include "fetch/uv_compat.h"
#include "fetch/watch.h"
#include "front/front.h"

#define SWEEP_MS 3600000

/* Of workspaces that are no longer declared. */
void daemon_sweep_caches(struct daemon *daemon)
{
	size_t count = daemon->workspace_count;
	_cleanup_(mem_freep) const char **names =
		mem_alloc((count + 1) * sizeof(*names));

	for (size_t i = 0; i < count; i++)
		names[i] = daemon->workspaces[i]->name;
	if (daemon->site)
		names[count++] = site_cache_name;
	daemon->swept_at = clock_boot_ms();
	cache_sweep(&daemon->loop,
		    &(struct cache_sweep){
			    .state_dir = daemon->state_dir,
			    .workspaces = names,
			    .count = count,
			    .max_age = daemon->settings->stale_limit / 1000,
		    });
}

static void recheck(struct daemon *daemon)
{
	int64_t since = clock_boot_ms() - daemon->swept_at;
	int64_t limit = daemon->settings->stale_limit;

	watch_check(daemon->watch);
	front_listen_again(daemon);
	if (since >= SWEEP_MS || (limit && since >= limit))
		daemon_sweep_caches(daemon);
}

static void on_recheck(uv_timer_t *timer)
{
	recheck(timer->data);
}

/* The timer then waits a little longer than until the next poll; while it does,
 * other answers of the same poll are no occasion. */
void daemon_recheck_on_occasion(struct daemon *daemon)
{
	uint64_t interval = (uint64_t)daemon->settings->interval;

	if (!uv_is_active((uv_handle_t *)&daemon->recheck) ||
	    uv_timer_get_due_in(&daemon->recheck) > interval)
		return;
	recheck(daemon);
	(void)uv_timer_start(&daemon->recheck, on_recheck,
			     interval + interval / 4, interval);
}

void daemon_start_recheck(struct daemon *daemon)
{
	uint64_t interval = (uint64_t)daemon->settings->interval;

	(void)uv_timer_start(&daemon->recheck, on_recheck, interval, interval);
}
