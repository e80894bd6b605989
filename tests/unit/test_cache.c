#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <time.h>

#include "../support/cache_entries.h"
#include "../support/pool.h"
#include "../support/scratch.h"
#include "fetch/cache.h"

#define FILE_NAME "state/cache/research.cache"

struct fixture {
	uv_loop_t loop;
	struct cache *cache;
	struct cache_entry entry; /* what is set next */
	int changes;              /* inotify on the folder */
	int log;                  /* stderr as it was */

	struct pool pool;
};

static int enter(void **state)
{
	struct fixture *fixture = mem_alloc(sizeof(*fixture));

	scratch_enter();
	scratch_folder("state/cache");
	assert_int_equal(uv_loop_init(&fixture->loop), 0);
	fixture->changes = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	/* IN_CREATE of temporary files keeps two that are the same apart. */
	assert_true(inotify_add_watch(fixture->changes, "state/cache",
				      IN_CREATE | IN_MOVED_TO | IN_DELETE) >=
		    0);
	fixture->cache =
		cache_new(&fixture->loop, scratch_at("state"), "research");
	fixture->entry = entry_full();
	*state = fixture;
	return 0;
}

static void end(struct fixture *fixture)
{
	cache_close(fixture->cache);
	fixture->cache = NULL;
	assert_int_equal(uv_run(&fixture->loop, UV_RUN_DEFAULT), 0);
}

static int leave(void **state)
{
	struct fixture *fixture = *state;

	end(fixture);
	assert_int_equal(uv_loop_close(&fixture->loop), 0);
	assert_int_equal(close(fixture->changes), 0);
	mem_free(fixture);
	scratch_leave();
	return 0;
}

static bool exists(const char *name)
{
	return access(name, F_OK) == 0;
}

/* How often the file was replaced or removed since the last question. */
static unsigned int changes(struct fixture *fixture)
{
	_Alignas(struct inotify_event) char events[16384];
	ssize_t len = read(fixture->changes, events, sizeof(events));
	const struct inotify_event *event;
	unsigned int count = 0;

	for (ssize_t at = 0; at < len;
	     at += (ssize_t)(sizeof(*event) + event->len)) {
		event = (const struct inotify_event *)(events + at);
		count += !strcmp(event->name, "research.cache");
	}
	return count;
}

/* Until nothing is left to do. */
static void run(struct fixture *fixture)
{
	assert_int_equal(uv_run(&fixture->loop, UV_RUN_DEFAULT), 0);
}

static void set(struct fixture *fixture)
{
	struct cache_entry entry = fixture->entry;

	cache_set(fixture->cache, &entry);
}

static void set_and_run(struct fixture *fixture)
{
	set(fixture);
	run(fixture);
}

static void assert_on_disk(const struct cache_entry *expected)
{
	const struct cache_query query = {.state_dir = scratch_at("state"),
					  .workspace = "research"};
	struct cache_entry found;

	assert_int_equal(cache_file_read(&found, &query, NULL), 0);
	entry_assert_same(expected, &found);
	cache_entry_deinit(&found);
}

/* --- the log --- */

static void log_begin(struct fixture *fixture)
{
	int file = open("log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	assert_true(file >= 0);
	fixture->log = dup(STDERR_FILENO);
	assert_true(dup2(file, STDERR_FILENO) >= 0);
	assert_int_equal(close(file), 0);
}

static void log_end(struct fixture *fixture)
{
	assert_true(dup2(fixture->log, STDERR_FILENO) >= 0);
	assert_int_equal(close(fixture->log), 0);
}

/* Lines of the log that hold @text; none shows a secret. */
static unsigned int logged(const char *text)
{
	FILE *file = fopen("log", "re");
	unsigned int count = 0;
	char line[1024];

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		assert_null(strstr(line, ENTRY_SECRET));
		count += strstr(line, text) != NULL;
	}
	assert_int_equal(fclose(file), 0);
	return count;
}

/* --- writing --- */

static void what_is_set_is_on_disk(void **state)
{
	struct fixture *fixture = *state;

	set_and_run(fixture);
	assert_on_disk(&fixture->entry);
	assert_int_equal(changes(fixture), 1);
}

static void let_go(void *held)
{
	(*(int *)held)++;
}

/* Its vaults where they are, and its own words by copies. */
static void the_entry_is_held_until_it_is_on_disk(void **state)
{
	struct fixture *fixture = *state;
	char server[] = "https://api.example.com";
	int gone = 0;

	fixture->entry.held = &gone;
	fixture->entry.release = let_go;
	fixture->entry.api_server = server;
	pool_stop(&fixture->pool, &fixture->loop);
	for (int i = 0; i < 3; i++)
		set(fixture);
	memset(server, 'x', strlen(server));
	assert_int_equal(gone, 1);
	pool_go(&fixture->pool, &fixture->loop);
	assert_int_equal(gone, 3);
	fixture->entry.api_server = "https://api.example.com";
	assert_on_disk(&fixture->entry);
}

static void the_cache_knows_its_workspace(void **state)
{
	struct fixture *fixture = *state;

	fixture->entry.workspace = NULL;
	set_and_run(fixture);
	fixture->entry.workspace = "research";
	assert_on_disk(&fixture->entry);
}

static void nothing_set_means_no_file(void **state)
{
	struct fixture *fixture = *state;

	cache_flush(fixture->cache);
	end(fixture);
	assert_false(exists(FILE_NAME));
}

static void the_loop_does_no_writing(void **state)
{
	struct fixture *fixture = *state;

	pool_stop(&fixture->pool, &fixture->loop);
	set(fixture);
	cache_flush(fixture->cache);
	assert_false(exists(FILE_NAME));
	pool_go(&fixture->pool, &fixture->loop);
	assert_on_disk(&fixture->entry);
}

static void the_newest_of_those_that_wait_wins(void **state)
{
	struct fixture *fixture = *state;

	pool_stop(&fixture->pool, &fixture->loop);
	for (int i = 0; i < 50; i++) {
		fixture->entry.refused_at = i;
		set(fixture);
	}
	pool_go(&fixture->pool, &fixture->loop);
	assert_on_disk(&fixture->entry);
	assert_int_equal(changes(fixture), 2);
}

static void the_same_again_is_not_written(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < 5; i++)
		set_and_run(fixture);
	cache_flush(fixture->cache);
	run(fixture);
	end(fixture);
	assert_int_equal(changes(fixture), 1);
}

static void the_same_again_is_not_written_while_it_is_being_written(
	void **state)
{
	struct fixture *fixture = *state;

	pool_stop(&fixture->pool, &fixture->loop);
	for (int i = 0; i < 5; i++)
		set(fixture);
	pool_go(&fixture->pool, &fixture->loop);
	end(fixture);
	assert_int_equal(changes(fixture), 1);
}

/* --- times --- */

static void later(struct fixture *fixture, int64_t seconds)
{
	for (size_t i = 0; i < VAULT_FEEDS; i++)
		fixture->entry.feeds[i].fetched_at += seconds;
}

static void times_alone_are_written_once_an_hour(void **state)
{
	struct fixture *fixture = *state;

	set_and_run(fixture);
	for (int i = 0; i < 240; i++) {
		later(fixture, 60);
		set_and_run(fixture);
	}
	assert_int_equal(changes(fixture), 1 + 4);
}

static void a_flush_writes_the_times_once(void **state)
{
	struct fixture *fixture = *state;

	set_and_run(fixture);
	later(fixture, 60);
	set_and_run(fixture);
	assert_int_equal(changes(fixture), 1);
	for (int i = 0; i < 3; i++) {
		cache_flush(fixture->cache);
		run(fixture);
	}
	assert_int_equal(changes(fixture), 1);
	assert_on_disk(&fixture->entry);
}

static void closing_writes_the_times(void **state)
{
	struct fixture *fixture = *state;

	set_and_run(fixture);
	later(fixture, 60);
	set_and_run(fixture);
	end(fixture);
	assert_on_disk(&fixture->entry);
	assert_int_equal(changes(fixture), 2);
}

static void closing_waits_for_what_is_under_way(void **state)
{
	struct fixture *fixture = *state;

	pool_stop(&fixture->pool, &fixture->loop);
	set(fixture);
	later(fixture, 60);
	set(fixture);
	cache_close(fixture->cache);
	cache_close(fixture->cache);
	fixture->cache = NULL;
	pool_go(&fixture->pool, &fixture->loop);
	assert_on_disk(&fixture->entry);
	assert_int_equal(changes(fixture), 2);
}

static void a_clock_set_back_is_written_at_once(void **state)
{
	struct fixture *fixture = *state;

	set_and_run(fixture);
	later(fixture, -60);
	set_and_run(fixture);
	assert_on_disk(&fixture->entry);
	assert_int_equal(changes(fixture), 2);
}

static void a_first_answer_is_written_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct cache_vaults answer = {0};

	fixture->entry.feeds[VAULT_MONITORING] = answer;
	set_and_run(fixture);
	answer.fetched_at = 1795499000;
	fixture->entry.feeds[VAULT_MONITORING] = answer;
	set_and_run(fixture);
	assert_on_disk(&fixture->entry);
}

/* --- forgetting --- */

static void what_is_forgotten_is_gone(void **state)
{
	struct fixture *fixture = *state;

	set_and_run(fixture);
	scratch_write(FILE_NAME ".bad", "");
	cache_forget(fixture->cache);
	run(fixture);
	assert_false(exists(FILE_NAME));
	assert_false(exists(FILE_NAME ".bad"));
	end(fixture);
	assert_false(exists(FILE_NAME));
}

static void forgetting_comes_after_what_is_being_written(void **state)
{
	struct fixture *fixture = *state;

	pool_stop(&fixture->pool, &fixture->loop);
	set(fixture);
	cache_forget(fixture->cache);
	cache_flush(fixture->cache);
	pool_go(&fixture->pool, &fixture->loop);
	assert_false(exists(FILE_NAME));
	assert_int_equal(changes(fixture), 2);
}

static void what_comes_after_forgetting_is_kept(void **state)
{
	struct fixture *fixture = *state;

	set_and_run(fixture);
	pool_stop(&fixture->pool, &fixture->loop);
	cache_forget(fixture->cache);
	set(fixture);
	pool_go(&fixture->pool, &fixture->loop);
	assert_on_disk(&fixture->entry);
}

static void forgetting_at_the_end_is_done(void **state)
{
	struct fixture *fixture = *state;

	set_and_run(fixture);
	cache_forget(fixture->cache);
	end(fixture);
	assert_false(exists(FILE_NAME));
}

/* --- failing --- */

/* No folder can be made where a file is: nothing can be written, also by root.
 */
static void block(void)
{
	scratch_rename("state/cache", "state/aside");
	scratch_write("state/cache", "");
}

static void unblock(void)
{
	assert_int_equal(unlink("state/cache"), 0);
	scratch_rename("state/aside", "state/cache");
}

static void a_failure_is_logged_until_it_works_again(void **state)
{
	struct fixture *fixture = *state;

	log_begin(fixture);
	block();
	for (int i = 0; i < 5; i++)
		set_and_run(fixture);
	assert_int_equal(logged("event=cache-not-written"), 1);
	assert_int_equal(logged("error=\"Not a directory\""), 1);
	unblock();
	set_and_run(fixture);
	assert_int_equal(logged("event=cache-recovered"), 1);
	set_and_run(fixture);
	log_end(fixture);
	assert_on_disk(&fixture->entry);
	assert_int_equal(changes(fixture), 1);
	assert_int_equal(logged(""), 2);
}

static void a_flush_makes_up_for_a_failure(void **state)
{
	struct fixture *fixture = *state;

	log_begin(fixture);
	block();
	set_and_run(fixture);
	unblock();
	cache_flush(fixture->cache);
	run(fixture);
	log_end(fixture);
	assert_on_disk(&fixture->entry);
	assert_int_equal(logged("event=cache-not-written"), 1);
}

static void closing_tries_what_failed_once_more(void **state)
{
	struct fixture *fixture = *state;

	log_begin(fixture);
	set_and_run(fixture);
	block();
	cache_forget(fixture->cache);
	run(fixture);
	assert_int_equal(logged("event=cache-not-removed"), 1);
	unblock();
	end(fixture);
	log_end(fixture);
	assert_false(exists(FILE_NAME));
}

static void closing_ends_though_nothing_works(void **state)
{
	struct fixture *fixture = *state;

	log_begin(fixture);
	block();
	set(fixture);
	fixture->entry.refused_at = 0;
	set(fixture);
	end(fixture);
	log_end(fixture);
	unblock();
	assert_false(exists(FILE_NAME));
}

static void limit_file_size(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* No room for the new file, but for the log. */
static void a_full_disk_leaves_the_old_file_whole(void **state)
{
	struct fixture *fixture = *state;
	struct cache_entry old = fixture->entry;
	struct vault big = {.id = "big", .description = ""};
	char *data = mem_alloc(100000);

	memset(data, 'x', 100000);
	big.data = (struct str){data, 100000};
	set_and_run(fixture);
	log_begin(fixture);
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	limit_file_size(50000);
	fixture->entry.feeds[VAULT_CONFIG] = (struct cache_vaults){9, &big, 1};
	for (int i = 0; i < 3; i++)
		set_and_run(fixture);
	assert_int_equal(logged("error=\"File too large\""), 1);
	assert_on_disk(&old);
	limit_file_size(RLIM_INFINITY);
	assert_int_equal(changes(fixture), 1);
	set_and_run(fixture);
	log_end(fixture);
	assert_on_disk(&fixture->entry);
	mem_free(data);
}

/* --- sweeping --- */

static void sweeping_is_done_by_the_pool(void **state)
{
	struct fixture *fixture = *state;
	char *name = mem_strdup("kept");
	const char *workspaces[] = {name};
	const struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	const struct cache_sweep sweep = {scratch_at("state"), workspaces, 1,
					  100};

	scratch_write("state/cache/kept.cache", "");
	scratch_write("state/cache/gone.cache", "");
	assert_int_equal(utimensat(AT_FDCWD, "state/cache/kept.cache", old, 0),
			 0);
	assert_int_equal(utimensat(AT_FDCWD, "state/cache/gone.cache", old, 0),
			 0);
	log_begin(fixture);
	pool_stop(&fixture->pool, &fixture->loop);
	cache_sweep(&fixture->loop, &sweep);
	mem_free(name);
	assert_true(exists("state/cache/gone.cache"));
	pool_go(&fixture->pool, &fixture->loop);
	log_end(fixture);
	assert_false(exists("state/cache/gone.cache"));
	assert_true(exists("state/cache/kept.cache"));
	assert_int_equal(logged("event=cache-swept"), 1);
	assert_int_equal(logged("removed=1"), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
	const struct CMUnitTest tests[] = {
		TEST(what_is_set_is_on_disk),
		TEST(the_entry_is_held_until_it_is_on_disk),
		TEST(the_cache_knows_its_workspace),
		TEST(nothing_set_means_no_file),
		TEST(the_loop_does_no_writing),
		TEST(the_newest_of_those_that_wait_wins),
		TEST(the_same_again_is_not_written),
		TEST(the_same_again_is_not_written_while_it_is_being_written),
		TEST(times_alone_are_written_once_an_hour),
		TEST(a_flush_writes_the_times_once),
		TEST(closing_writes_the_times),
		TEST(closing_waits_for_what_is_under_way),
		TEST(a_clock_set_back_is_written_at_once),
		TEST(a_first_answer_is_written_at_once),
		TEST(what_is_forgotten_is_gone),
		TEST(forgetting_comes_after_what_is_being_written),
		TEST(what_comes_after_forgetting_is_kept),
		TEST(forgetting_at_the_end_is_done),
		TEST(a_failure_is_logged_until_it_works_again),
		TEST(a_flush_makes_up_for_a_failure),
		TEST(closing_tries_what_failed_once_more),
		TEST(closing_ends_though_nothing_works),
		TEST(a_full_disk_leaves_the_old_file_whole),
		TEST(sweeping_is_done_by_the_pool),
	};

	pool_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
