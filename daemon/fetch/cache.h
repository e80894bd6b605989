#ifndef FETCH_CACHE_H
#define FETCH_CACHE_H

/*
 * Cache: keeps the last known good vaults of one workspace on disk.
 *
 *   IDLE --set, flush, forget--> WORKING --done--> IDLE
 *    |                            |  ^ |
 *    |                            |  +-+ done, and something newer came
 *    +--cache_close--> freed <----+ CLOSING, once all is on disk
 *
 * The work is done on libuv's thread pool, one piece at a time, also to find
 * out whether there is any: what comes meanwhile is not queued, only the newest
 * is done next. An entry that differs
 * from the one on disk by nothing but its times is written once an hour, and
 * when flushed or closed. A failure is logged once, until it works again; it
 * is tried again with each entry. Reading is cache_file_read.
 */

#include <stdbool.h>
#include <uv.h>

#include "fetch/cache_file.h"

struct cache;

/* Touches no disk yet. */
struct cache *cache_new(uv_loop_t *loop, const char *state_dir,
			const char *workspace);

/* @on_settled: what was set last is on disk, or that has failed. */
void cache_listen(struct cache *cache, void (*on_settled)(void *data),
		  void *data);

/* Is something being written, or about to be? Did the last attempt fail? */
bool cache_is_busy(const struct cache *cache);
bool cache_is_failing(const struct cache *cache);

/* Takes @entry over, which is empty then. Only its own words are copied: what
 * its vaults say is looked at by another thread, so it is to lie in its arena
 * or in what it holds. Which workspace it is of, the cache knows. */
void cache_set(struct cache *cache, struct cache_entry *entry);

/* What was set last is to be on disk soon, to the second. */
void cache_flush(struct cache *cache);

/* There is to be no file any more, also none that was set aside. */
void cache_forget(struct cache *cache);

/* Flushes, and frees itself when that is done or has failed; until then the
 * loop lives. NULL is allowed. */
void cache_close(struct cache *cache);

/* cache_file_sweep on the thread pool; @sweep is copied. */
void cache_sweep(uv_loop_t *loop, const struct cache_sweep *sweep);

#endif
