#include "fetch/cache.h"

#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

/* How old the times on disk may become, in seconds. */
#define TIMES_SECONDS 3600

enum cache_state { CACHE_IDLE, CACHE_WORKING, CACHE_CLOSING };

enum deed { DEED_NONE, DEED_WRITE, DEED_REMOVE };

struct cache {
	enum cache_state state;
	uv_loop_t *loop;
	char *state_dir, *workspace, *file;

	struct buf content; /* what was set last; empty: nothing, or forgotten
			     */
	int64_t fetched_at[VAULT_FEEDS];
	enum deed owed; /* what the disk lacks, besides what is under way */
	bool again;     /* and it cannot wait */

	uv_work_t work; /* not while IDLE; from here on the thread's */
	enum deed deed;
	struct buf bytes;
	int result;
	/* the loop's again */

	int64_t written_at[VAULT_FEEDS]; /* the times on disk */
	bool failing;
};

static void cache_free(struct cache *cache)
{
	buf_deinit(&cache->content);
	buf_deinit(&cache->bytes);
	mem_free(cache->state_dir);
	mem_free(cache->workspace);
	mem_free(cache->file);
	mem_free(cache);
}

/* --- on the thread pool --- */

static int do_deed(struct cache *cache)
{
	if (cache->deed == DEED_REMOVE)
		return cache_file_remove(cache->state_dir, cache->file);
	cache_entry_seal(&cache->bytes);
	return cache_file_write(cache->state_dir, cache->file,
				buf_str(&cache->bytes));
}

static void on_work(uv_work_t *work)
{
	struct cache *cache = work->data;

	cache->result = do_deed(cache);
}

/* --- on the loop --- */

static void on_done(uv_work_t *work, int status);

static void cache_enter(struct cache *cache, enum cache_state state)
{
	assert(cache->state != CACHE_CLOSING || state == CACHE_CLOSING);
	cache->state = state;
}

/* Do what is owed. */
static void cache_work(struct cache *cache)
{
	cache->deed = cache->owed;
	cache->owed = DEED_NONE;
	cache->again = false;
	if (cache->deed == DEED_WRITE) {
		cache_entry_compose(&cache->bytes, buf_str(&cache->content),
				    cache->fetched_at);
		memcpy(cache->written_at, cache->fetched_at,
		       sizeof(cache->written_at));
	}
	(void)uv_queue_work(cache->loop, &cache->work, on_work, on_done);
}

static void cache_work_soon(struct cache *cache)
{
	if (cache->state == CACHE_IDLE) {
		cache_enter(cache, CACHE_WORKING);
		cache_work(cache);
	} else {
		cache->again = true;
	}
}

/* Logged when it begins and when it is over, not at each entry. */
static void note_result(struct cache *cache)
{
	int r = cache->result;

	if (r < 0 && !cache->failing)
		log_warning(cache->deed == DEED_WRITE ? "cache-not-written"
						      : "cache-not-removed",
			    LOG_TEXT("folder", cache->state_dir),
			    LOG_TEXT("file", cache->file),
			    LOG_TEXT("error", strerror(-r)));
	else if (r == 0 && cache->failing)
		log_info("cache-recovered", LOG_TEXT("file", cache->file));
	cache->failing = r < 0;
}

/* What failed is still owed, unless something newer is; it is not tried again
 * by itself. */
static void cache_go_on(struct cache *cache)
{
	bool again = cache->again;

	buf_deinit(&cache->bytes);
	note_result(cache);
	if (cache->failing && cache->owed == DEED_NONE)
		cache->owed = cache->deed;
	if (again)
		cache_work(cache);
	else if (cache->state == CACHE_CLOSING)
		cache_free(cache);
	else
		cache_enter(cache, CACHE_IDLE);
}

static void on_done(uv_work_t *work, int status)
{
	(void)status;
	cache_go_on(work->data);
}

/* --- what the owner says --- */

/* A clock that was set back makes them old too. */
static bool times_are_old(const struct cache *cache)
{
	int64_t age;

	for (size_t i = 0; i < VAULT_FEEDS; i++) {
		age = cache->fetched_at[i] - cache->written_at[i];
		if (age < 0 || age >= TIMES_SECONDS)
			return true;
	}
	return false;
}

/* True if the content is another than before. */
static bool take_content(struct cache *cache, const struct cache_entry *entry)
{
	struct cache_entry ours = *entry;
	struct buf content = BUF_INIT;
	bool changed;

	ours.workspace = cache->workspace;
	cache_entry_describe(&ours, &content);
	changed = !str_equal(buf_str(&content), buf_str(&cache->content));
	buf_deinit(&cache->content);
	cache->content = content;
	for (size_t i = 0; i < VAULT_FEEDS; i++)
		cache->fetched_at[i] = entry->feeds[i].fetched_at;
	return changed;
}

void cache_set(struct cache *cache, const struct cache_entry *entry)
{
	bool changed;

	assert(cache->state != CACHE_CLOSING);
	changed = take_content(cache, entry);
	if (!changed &&
	    !memcmp(cache->fetched_at, cache->written_at,
		    sizeof(cache->fetched_at)) &&
	    !cache->failing)
		return;
	cache->owed = DEED_WRITE;
	if (changed || cache->failing || times_are_old(cache))
		cache_work_soon(cache);
}

void cache_flush(struct cache *cache)
{
	if (cache->owed != DEED_NONE)
		cache_work_soon(cache);
}

void cache_forget(struct cache *cache)
{
	buf_deinit(&cache->content);
	memset(cache->fetched_at, 0, sizeof(cache->fetched_at));
	cache->owed = DEED_REMOVE;
	cache_work_soon(cache);
}

void cache_close(struct cache *cache)
{
	bool idle;

	if (!cache || cache->state == CACHE_CLOSING)
		return;
	cache_flush(cache);
	idle = cache->state == CACHE_IDLE;
	cache_enter(cache, CACHE_CLOSING);
	if (idle)
		cache_free(cache);
}

struct cache *cache_new(uv_loop_t *loop, const char *state_dir,
			const char *workspace)
{
	struct cache *cache = mem_alloc(sizeof(*cache));

	cache->loop = loop;
	cache->state_dir = mem_strdup(state_dir);
	cache->workspace = mem_strdup(workspace);
	cache->file = cache_file_name(workspace);
	cache->work.data = cache;
	return cache;
}

/* --- sweeping --- */

struct sweeping {
	uv_work_t work;
	struct cache_sweep sweep;
	char *state_dir, **workspaces;
	size_t removed;
};

static void on_sweep(uv_work_t *work)
{
	struct sweeping *sweeping = work->data;

	sweeping->removed = cache_file_sweep(&sweeping->sweep);
}

static void sweeping_free(struct sweeping *sweeping)
{
	if (sweeping->removed)
		log_info("cache-swept", LOG_TEXT("folder", sweeping->state_dir),
			 LOG_INT("removed", (int64_t)sweeping->removed));
	for (size_t i = 0; i < sweeping->sweep.count; i++)
		mem_free(sweeping->workspaces[i]);
	mem_free(sweeping->workspaces);
	mem_free(sweeping->state_dir);
	mem_free(sweeping);
}

static void on_swept(uv_work_t *work, int status)
{
	(void)status;
	sweeping_free(work->data);
}

void cache_sweep(uv_loop_t *loop, const struct cache_sweep *sweep)
{
	struct sweeping *sweeping = mem_alloc(sizeof(*sweeping));

	sweeping->work.data = sweeping;
	sweeping->state_dir = mem_strdup(sweep->state_dir);
	sweeping->workspaces =
		mem_alloc(sweep->count * sizeof(*sweeping->workspaces));
	for (size_t i = 0; i < sweep->count; i++)
		sweeping->workspaces[i] = mem_strdup(sweep->workspaces[i]);
	sweeping->sweep = (struct cache_sweep){
		.state_dir = sweeping->state_dir,
		.workspaces = (const char *const *)sweeping->workspaces,
		.count = sweep->count,
		.max_age = sweep->max_age,
	};
	(void)uv_queue_work(loop, &sweeping->work, on_sweep, on_swept);
}
