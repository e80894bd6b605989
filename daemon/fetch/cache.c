#include "fetch/cache.h"

#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

/* How old the times on disk may become, in seconds. */
#define TIMES_SECONDS 3600

enum cache_state { CACHE_IDLE, CACHE_WORKING, CACHE_CLOSING };

enum disk_job { JOB_NONE, JOB_WRITE, JOB_REMOVE };

struct cache {
	enum cache_state state;
	uv_loop_t *loop;
	char *state_dir, *workspace, *file;
	void (*on_settled)(void *data); /* NULL: nobody listens */
	void *data;

	struct cache_entry entry; /* what was set last, if the disk lacks it */
	enum disk_job owed;       /* what it lacks, besides what is under way */
	bool again;               /* and it cannot wait */
	bool flushes;             /* to the second */
	bool failing;
	int64_t written_at[VAULT_FEEDS]; /* the times on disk */

	uv_work_t work; /* not while IDLE; from here on the thread's */
	enum disk_job job;
	struct cache_entry written;
	bool must;          /* though nothing but the times is another */
	bool same;          /* and so it was not written */
	struct buf content; /* on disk; empty: not known, or forgotten */
	int result;
};

static void cache_free(struct cache *cache)
{
	buf_deinit(&cache->content);
	cache_entry_deinit(&cache->entry);
	mem_free(cache->state_dir);
	mem_free(cache->workspace);
	mem_free(cache->file);
	mem_free(cache);
}

/* --- on the thread pool --- */

static void read_times(int64_t times[VAULT_FEEDS],
		       const struct cache_entry *entry)
{
	for (size_t i = 0; i < VAULT_FEEDS; i++)
		times[i] = entry->feeds[i].fetched_at;
}

static int write_content(const struct cache *cache, struct str content)
{
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
	int64_t times[VAULT_FEEDS];

	read_times(times, &cache->written);
	cache_entry_compose(&bytes, content, times);
	cache_entry_seal(&bytes);
	return cache_file_write(cache->state_dir, cache->file, buf_str(&bytes));
}

static int do_write(struct cache *cache)
{
	_cleanup_(buf_deinit) struct buf content = BUF_INIT;
	int r;

	cache_entry_describe(&cache->written, &content);
	cache->same = !cache->must &&
		      str_equal(buf_str(&content), buf_str(&cache->content));
	if (cache->same)
		return 0;
	r = write_content(cache, buf_str(&content));
	if (r == 0) {
		buf_deinit(&cache->content);
		cache->content = content;
		content = BUF_INIT;
	}
	return r;
}

static int do_job(struct cache *cache)
{
	if (cache->job == JOB_WRITE)
		return do_write(cache);
	buf_deinit(&cache->content);
	return cache_file_remove(cache->state_dir, cache->file);
}

static void on_work(uv_work_t *work)
{
	struct cache *cache = work->data;

	cache->result = do_job(cache);
}

/* --- on the loop --- */

static void on_done(uv_work_t *work, int status);

static void cache_enter(struct cache *cache, enum cache_state state)
{
	assert(cache->state != CACHE_CLOSING || state == CACHE_CLOSING);
	cache->state = state;
}

/* A clock that was set back makes them old too. */
static bool times_are_old(const struct cache *cache)
{
	int64_t age;

	for (size_t i = 0; i < VAULT_FEEDS; i++) {
		age = cache->entry.feeds[i].fetched_at - cache->written_at[i];
		if (age < 0 || age >= TIMES_SECONDS)
			return true;
	}
	return false;
}

/* Do what is owed. */
static void cache_work(struct cache *cache)
{
	cache->job = cache->owed;
	cache->must = cache->flushes || cache->failing || times_are_old(cache);
	cache->written = cache->entry;
	cache->entry = (struct cache_entry){0};
	cache->owed = JOB_NONE;
	cache->again = cache->flushes = cache->same = false;
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
		log_warning(cache->job == JOB_WRITE ? "cache-not-written"
						    : "cache-not-removed",
			    LOG_TEXT("folder", cache->state_dir),
			    LOG_TEXT("file", cache->file),
			    LOG_TEXT("error", strerror(-r)));
	else if (r == 0 && cache->failing)
		log_info("cache-recovered", LOG_TEXT("file", cache->file));
	cache->failing = r < 0;
}

/* Has the disk got all of the entry, its times too? */
static bool is_on_disk(struct cache *cache)
{
	int64_t times[VAULT_FEEDS];

	read_times(times, &cache->written);
	if (!cache->failing && !cache->same)
		memcpy(cache->written_at, times, sizeof(times));
	return !cache->failing &&
	       memcmp(cache->written_at, times, sizeof(times)) == 0;
}

/* What the disk lacks is still owed, unless something newer is; it is not tried
 * again by itself. */
static void note_job(struct cache *cache)
{
	note_result(cache);
	if (!is_on_disk(cache) && cache->owed == JOB_NONE) {
		cache->owed = cache->job;
		cache->entry = cache->written;
		cache->written = (struct cache_entry){0};
	}
	cache_entry_deinit(&cache->written);
}

static void cache_settle(struct cache *cache)
{
	cache_enter(cache, CACHE_IDLE);
	if (cache->on_settled)
		cache->on_settled(cache->data);
}

static void cache_go_on(struct cache *cache)
{
	note_job(cache);
	if (cache->again && cache->owed != JOB_NONE)
		cache_work(cache);
	else if (cache->state == CACHE_CLOSING)
		cache_free(cache);
	else
		cache_settle(cache);
}

static void on_done(uv_work_t *work, int status)
{
	(void)status;
	cache_go_on(work->data);
}

/* --- what the owner says --- */

/* The entry's own words; its vaults are held as they are. */
static void own_words(struct cache_entry *entry)
{
	const char **words[] = {&entry->api_server, &entry->company_id,
				&entry->access_key, &entry->user_id,
				&entry->user_name,  &entry->company_name};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (*words[i])
			*words[i] = arena_strdup(&entry->arena, *words[i]);
}

void cache_listen(struct cache *cache, void (*on_settled)(void *data),
		  void *data)
{
	cache->on_settled = on_settled;
	cache->data = data;
}

bool cache_is_busy(const struct cache *cache)
{
	return cache->state != CACHE_IDLE;
}

bool cache_is_failing(const struct cache *cache)
{
	return cache->failing;
}

void cache_set(struct cache *cache, struct cache_entry *entry)
{
	assert(cache->state != CACHE_CLOSING);
	cache_entry_deinit(&cache->entry);
	cache->entry = *entry;
	cache->entry.workspace = cache->workspace;
	own_words(&cache->entry);
	*entry = (struct cache_entry){0};
	cache->owed = JOB_WRITE;
	cache_work_soon(cache);
}

void cache_flush(struct cache *cache)
{
	if (cache->owed == JOB_NONE && cache->state != CACHE_WORKING)
		return;
	cache->flushes = true;
	cache_work_soon(cache);
}

void cache_forget(struct cache *cache)
{
	cache_entry_deinit(&cache->entry);
	cache->owed = JOB_REMOVE;
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

	const struct cache_sweep *sweep = &sweeping->sweep;

	sweeping->removed = cache_file_sweep(sweep);
	if (sweep->others)
		sweeping->removed += sweep->others(sweep);
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
		.others = sweep->others,
	};
	(void)uv_queue_work(loop, &sweeping->work, on_sweep, on_swept);
}
