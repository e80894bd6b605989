#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "../support/scratch.h"

#include "base/mem.h"
#include "fetch/watch.h"

/* Real files under a real loop. Waits for what must come are long, so that a
 * busy machine fails nothing; waits for what must not come are short. */
#define SETTLE_MS   20
#define NOTHING_MS  (3 * SETTLE_MS)
#define DEADLINE_MS 10000

struct fixture {
	uv_loop_t loop;
	uv_timer_t timer;
	bool timed_out;
	struct watch *watch;
	unsigned int told;
	void (*when_told)(struct fixture *fixture); /* NULL: count only */
};

static void on_change(void *data)
{
	struct fixture *fixture = data;

	fixture->told++;
	if (fixture->when_told)
		fixture->when_told(fixture);
}

static void watch_with(struct fixture *fixture, uint64_t settle_ms)
{
	watch_close(fixture->watch);
	fixture->watch =
		watch_new(&fixture->loop, settle_ms, on_change, fixture);
}

static int enter(void **state)
{
	struct fixture *fixture = mem_alloc(sizeof(*fixture));

	scratch_enter();
	assert_int_equal(uv_loop_init(&fixture->loop), 0);
	uv_timer_init(&fixture->loop, &fixture->timer);
	fixture->timer.data = fixture;
	watch_with(fixture, SETTLE_MS);
	*state = fixture;
	return 0;
}

static int leave(void **state)
{
	struct fixture *fixture = *state;

	watch_close(fixture->watch);
	uv_close((uv_handle_t *)&fixture->timer, NULL);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&fixture->loop), 0);
	mem_free(fixture);
	scratch_leave();
	return 0;
}

static void on_time_out(uv_timer_t *timer)
{
	struct fixture *fixture = timer->data;

	fixture->timed_out = true;
}

/* Run the loop until it was told @times in all or @ms are over. */
static void run(struct fixture *fixture, unsigned int times, uint64_t ms)
{
	fixture->timed_out = false;
	uv_update_time(&fixture->loop);
	uv_timer_start(&fixture->timer, on_time_out, ms, 0);
	while (fixture->told < times && !fixture->timed_out)
		uv_run(&fixture->loop, UV_RUN_ONCE);
	uv_timer_stop(&fixture->timer);
}

static void run_for(struct fixture *fixture, uint64_t ms)
{
	run(fixture, UINT32_MAX, ms);
}

static void assert_told(struct fixture *fixture)
{
	run(fixture, 1, DEADLINE_MS);
	assert_true(fixture->told >= 1);
}

static void assert_not_told(struct fixture *fixture)
{
	run_for(fixture, NOTHING_MS);
	assert_int_equal(fixture->told, 0);
}

/* Since the last time; and then forget it. */
static void assert_told_once(struct fixture *fixture)
{
	assert_told(fixture);
	run_for(fixture, NOTHING_MS);
	assert_int_equal(fixture->told, 1);
	fixture->told = 0;
}

static void watch_one(struct fixture *fixture, const char *name)
{
	const char *path = scratch_at(name);

	watch_set_paths(fixture->watch, &path, 1);
}

static unsigned int descriptors(void)
{
	DIR *folder = opendir("/proc/self/fd");
	unsigned int count = 0;

	assert_non_null(folder);
	while (readdir(folder))
		count++;
	assert_int_equal(closedir(folder), 0);
	return count;
}

/* --- files ---------------------------------------------------------------- */

static void write_in_place_is_told_once(void **state)
{
	scratch_write("clearml.conf", "x");
	watch_one(*state, "clearml.conf");
	scratch_write("clearml.conf", "xx");
	assert_told_once(*state);
	scratch_write("clearml.conf", "xxx");
	assert_told_once(*state);
}

static void editor_save_by_rename_is_told_once(void **state)
{
	scratch_write("clearml.conf", "x");
	watch_one(*state, "clearml.conf");
	for (int i = 0; i < 3; i++) {
		scratch_write(".clearml.conf.swp", "xx");
		scratch_rename(".clearml.conf.swp", "clearml.conf");
		assert_told_once(*state);
	}
}

static void editor_save_with_backup_is_told_once(void **state)
{
	scratch_write("clearml.conf", "x");
	watch_one(*state, "clearml.conf");
	scratch_rename("clearml.conf", "clearml.conf~");
	scratch_write("clearml.conf", "xx");
	assert_told_once(*state);
}

static void deletion_and_return_are_told(void **state)
{
	scratch_write("clearml.conf", "x");
	watch_one(*state, "clearml.conf");
	assert_int_equal(unlink("clearml.conf"), 0);
	assert_told_once(*state);
	scratch_write("clearml.conf", "x");
	assert_told_once(*state);
}

static void change_of_permissions_is_told(void **state)
{
	scratch_write("clearml.conf", "x");
	watch_one(*state, "clearml.conf");
	assert_not_told(*state);
	assert_int_equal(chmod("clearml.conf", 0600), 0);
	assert_told_once(*state);
}

static void unrelated_file_is_not_told(void **state)
{
	scratch_write("clearml.conf", "x");
	scratch_write("unrelated", "x");
	watch_one(*state, "clearml.conf");
	scratch_write("unrelated", "xx");
	scratch_write("another", "x");
	assert_int_equal(unlink("unrelated"), 0);
	assert_not_told(*state);
	assert_int_equal(access("clearml.conf", R_OK), 0);
	assert_not_told(*state);
}

static void folder_in_the_place_of_the_file_is_told(void **state)
{
	scratch_write("clearml.conf", "x");
	watch_one(*state, "clearml.conf");
	assert_int_equal(unlink("clearml.conf"), 0);
	scratch_folder("clearml.conf");
	assert_told_once(*state);
	assert_int_equal(rmdir("clearml.conf"), 0);
	scratch_write("clearml.conf", "x");
	assert_told_once(*state);
}

static void relative_path_is_watched(void **state)
{
	struct fixture *fixture = *state;
	const char *path = "a/clearml.conf";

	watch_set_paths(fixture->watch, &path, 1);
	scratch_folder("a");
	scratch_write("a/clearml.conf", "x");
	assert_told_once(fixture);
}

/* --- bursts --------------------------------------------------------------- */

#define SLOW_SETTLE_MS 300

/* Truncate, let the loop see it, write. Whether on_change has to wait for the
 * writing is a question only if that comes before the quiet is over, which a
 * busy machine does not promise. */
static bool truncate_then_write(struct fixture *fixture)
{
	uint64_t start = uv_hrtime();

	scratch_write("clearml.conf", "");
	run_for(fixture, SLOW_SETTLE_MS / 2);
	scratch_write("clearml.conf", "x");
	return uv_hrtime() - start < (uint64_t)SLOW_SETTLE_MS * 1000000;
}

static void truncated_file_is_not_told_before_it_is_written(void **state)
{
	struct fixture *fixture = *state;

	scratch_write("clearml.conf", "xx");
	watch_with(fixture, SLOW_SETTLE_MS);
	watch_one(fixture, "clearml.conf");
	while (!truncate_then_write(fixture)) {
		assert_told(fixture);
		fixture->told = 0;
	}
	assert_int_equal(fixture->told, 0);
	assert_told(fixture);
	run_for(fixture, SLOW_SETTLE_MS * 2);
	assert_int_equal(fixture->told, 1);
}

/* Ten writes, each seen by a look of its own, longer than one quiet in all. */
static bool write_in_a_burst(struct fixture *fixture)
{
	uint64_t last = uv_hrtime(), now, gap = 0;
	char text[16] = "";

	for (int i = 0; i < 10; i++) {
		text[i] = 'x';
		scratch_write("clearml.conf", text);
		run_for(fixture, SLOW_SETTLE_MS / 6);
		now = uv_hrtime();
		gap = now - last > gap ? now - last : gap;
		last = now;
	}
	return gap < (uint64_t)SLOW_SETTLE_MS / 2 * 1000000;
}

static void burst_is_told_once(void **state)
{
	struct fixture *fixture = *state;

	scratch_write("clearml.conf", "");
	watch_with(fixture, SLOW_SETTLE_MS);
	watch_one(fixture, "clearml.conf");
	while (!write_in_a_burst(fixture)) {
		run_for(fixture, SLOW_SETTLE_MS * 2);
		fixture->told = 0;
	}
	assert_int_equal(fixture->told, 0);
	assert_told(fixture);
	run_for(fixture, SLOW_SETTLE_MS * 2);
	assert_int_equal(fixture->told, 1);
}

static void on_more(uv_timer_t *timer)
{
	(void)timer;
	scratch_write("log.new", "");
	scratch_rename("log.new", "clearml.conf");
}

static void burst_that_never_pauses_is_told_all_the_same(void **state)
{
	struct fixture *fixture = *state;
	uv_timer_t writer;

	watch_one(fixture, "clearml.conf");
	uv_timer_init(&fixture->loop, &writer);
	uv_timer_start(&writer, on_more, 0, 1);
	run(fixture, 2, DEADLINE_MS);
	assert_true(fixture->told >= 2);
	uv_close((uv_handle_t *)&writer, NULL);
	fixture->told = 0;
	assert_told(fixture); /* of its end */
}

/* --- links ---------------------------------------------------------------- */

static void make_chain_of_links(void)
{
	scratch_folder("a");
	scratch_folder("b");
	scratch_folder("c");
	scratch_write("c/file", "x");
	scratch_write("other", "xx");
	scratch_link("../b/two", "a/one");
	scratch_link("../c/three", "b/two");
	scratch_link("file", "c/three");
}

static void file_behind_a_chain_of_links_is_told(void **state)
{
	make_chain_of_links();
	watch_one(*state, "a/one");
	scratch_write("c/file", "xxx");
	assert_told_once(*state);
}

static void each_link_of_a_chain_is_told(void **state)
{
	static const struct {
		const char *link, *target;
	} links[] = {
		{"a/one",   "../b/two"  },
		{"b/two",   "../c/three"},
		{"c/three", "file"      },
	};

	make_chain_of_links();
	watch_one(*state, "a/one");
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		scratch_relink("../other", links[i].link);
		assert_told_once(*state);
		scratch_relink(links[i].target, links[i].link);
		assert_told_once(*state);
	}
}

static void where_a_link_leads_now_is_watched(void **state)
{
	scratch_folder("away");
	scratch_write("away/file", "x");
	make_chain_of_links();
	watch_one(*state, "a/one");
	scratch_relink("../away/file", "b/two");
	assert_told_once(*state);
	scratch_write("away/file", "xxx");
	assert_told_once(*state);
	scratch_write("c/file", "xxxx");
	assert_not_told(*state);
}

static void linked_parent_pointed_elsewhere_is_told(void **state)
{
	scratch_folder("versions/1/conf");
	scratch_folder("versions/2/conf");
	scratch_write("versions/1/conf/clearml.conf", "x");
	scratch_write("versions/2/conf/clearml.conf", "xx");
	scratch_link("versions/1", "current");
	watch_one(*state, "current/conf/clearml.conf");
	scratch_relink("versions/2", "current");
	assert_told_once(*state);
	scratch_write("versions/2/conf/clearml.conf", "xxx");
	assert_told_once(*state);
}

/* As the kubelet does: write a new version beside, swap ..data, remove the old.
 */
static void kubernetes_swap_is_told_once(void **state)
{
	char version[64] = "volume/..2024_0", last[64], file[128];

	scratch_folder(version);
	scratch_write("volume/..2024_0/clearml.conf", "");
	scratch_link("..2024_0", "volume/..data");
	scratch_link("..data/clearml.conf", "volume/clearml.conf");
	watch_one(*state, "volume/clearml.conf");
	for (int i = 1; i <= 3; i++) {
		memcpy(last, version, sizeof(last));
		(void)snprintf(version, sizeof(version), "volume/..2024_%d", i);
		(void)snprintf(file, sizeof(file), "%s/clearml.conf", version);
		scratch_folder(version);
		scratch_write(file, "xxx");
		scratch_relink(version + strlen("volume/"), "volume/..data");
		scratch_remove(last);
		assert_told_once(*state);
	}
}

static void loop_of_links_is_a_missing_file(void **state)
{
	scratch_write("clearml.conf", "x");
	watch_one(*state, "clearml.conf");
	scratch_link("two", "one");
	scratch_link("one", "two");
	scratch_relink("one", "clearml.conf");
	assert_told_once(*state);
	assert_int_equal(unlink("two"), 0);
	scratch_write("two", "x");
	assert_told_once(*state);
}

/* --- folders -------------------------------------------------------------- */

static void file_below_missing_folders_is_told(void **state)
{
	watch_one(*state, "a/b/c/clearml.conf");
	scratch_folder("a/b/c");
	scratch_write("a/b/c/clearml.conf", "x");
	assert_told_once(*state);
	scratch_write("a/b/c/clearml.conf", "xx");
	assert_told_once(*state);
}

static void folders_that_appear_one_by_one_are_followed(void **state)
{
	watch_one(*state, "a/b/clearml.conf");
	scratch_folder("a");
	assert_not_told(*state);
	scratch_folder("a/b");
	assert_not_told(*state);
	scratch_write("a/b/clearml.conf", "x");
	assert_told_once(*state);
}

/* Another process makes the folders and the file while we look. */
static void file_is_not_lost_between_its_folder_and_the_watch(void **state)
{
	struct fixture *fixture = *state;
	int status;
	pid_t pid;

	for (int i = 0; i < 20; i++) {
		fixture->told = 0;
		watch_one(fixture, "a/b/c/d/clearml.conf");
		pid = fork();
		assert_true(pid >= 0);
		if (!pid) {
			scratch_folder("a/b/c/d");
			usleep((useconds_t)i * 500);
			scratch_write("a/b/c/d/clearml.conf", "x");
			_exit(0);
		}
		assert_told(fixture);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		scratch_remove("a");
		watch_set_paths(fixture->watch, NULL, 0);
		run_for(fixture, NOTHING_MS);
	}
}

static void folder_moved_away_and_back_is_told(void **state)
{
	scratch_folder("a/b");
	scratch_write("a/b/clearml.conf", "x");
	watch_one(*state, "a/b/clearml.conf");
	scratch_rename("a/b", "away");
	assert_told_once(*state);
	scratch_rename("away", "a/b");
	assert_told_once(*state);
	scratch_rename("a", "away");
	assert_told_once(*state);
	scratch_rename("away", "a");
	assert_told_once(*state);
	scratch_write("a/b/clearml.conf", "xx");
	assert_told_once(*state);
}

/* The new folder may get the inode of the old one. */
static void folder_deleted_and_made_anew_is_watched_again(void **state)
{
	scratch_folder("a");
	scratch_write("a/clearml.conf", "x");
	watch_one(*state, "a/clearml.conf");
	for (int i = 0; i < 3; i++) {
		scratch_remove("a");
		scratch_folder("a");
		assert_told_once(*state);
		scratch_write("a/clearml.conf", "xx");
		assert_told_once(*state);
		scratch_write("a/clearml.conf", "xxx");
		assert_told_once(*state);
	}
}

/* Then the kernel does not tell the folder itself of its end. */
static void folder_deleted_while_somebody_is_in_it_is_told(void **state)
{
	int fd;

	scratch_folder("a");
	scratch_write("a/clearml.conf", "x");
	watch_one(*state, "a/clearml.conf");
	fd = open("a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	scratch_remove("a");
	assert_told_once(*state);
	scratch_folder("a");
	scratch_write("a/clearml.conf", "x");
	assert_told_once(*state);
	assert_int_equal(close(fd), 0);
}

static void folder_put_in_the_place_of_another_is_told(void **state)
{
	scratch_folder("a/b");
	scratch_folder("new/b");
	scratch_write("a/b/clearml.conf", "x");
	scratch_write("new/b/clearml.conf", "xx");
	watch_one(*state, "a/b/clearml.conf");
	scratch_rename("a", "old");
	scratch_rename("new", "a");
	assert_told_once(*state);
	scratch_write("old/b/clearml.conf", "xxx");
	assert_not_told(*state);
	scratch_write("a/b/clearml.conf", "xxx");
	assert_told_once(*state);
}

static void entries_of_a_folder_are_told(void **state)
{
	scratch_folder("conf.d");
	watch_one(*state, "conf.d");
	scratch_write("conf.d/a.conf", "x");
	assert_told_once(*state);
	scratch_write("conf.d/a.conf", "xx");
	assert_told_once(*state);
	assert_int_equal(unlink("conf.d/a.conf"), 0);
	assert_told_once(*state);
	scratch_write("beside", "x");
	assert_not_told(*state);
}

static void file_behind_a_link_in_a_folder_is_told(void **state)
{
	scratch_folder("conf.d");
	scratch_folder("elsewhere");
	scratch_write("elsewhere/a.conf", "x");
	watch_one(*state, "conf.d");
	scratch_link("../elsewhere/a.conf", "conf.d/a.conf");
	assert_told_once(*state);
	scratch_write("elsewhere/a.conf", "xx");
	assert_told_once(*state);
}

/* --- the set of paths ----------------------------------------------------- */

#define MANY 200

/* Every second one exists. */
static void make_many(char (*names)[32])
{
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "folder%d", i);
		if (i % 2)
			scratch_folder(names[i]);
		(void)snprintf(names[i], sizeof(names[i]), "folder%d/a.conf",
			       i);
		if (i % 2)
			scratch_write(names[i], "x");
	}
}

static void each_of_very_many_paths_is_told(void **state)
{
	struct fixture *fixture = *state;
	char names[MANY][32];
	const char *paths[MANY];

	make_many(names);
	for (int i = 0; i < MANY; i++)
		paths[i] = names[i];
	watch_set_paths(fixture->watch, paths, MANY);
	scratch_write("folder1/a.conf", "xx");
	assert_told_once(fixture);
	scratch_write("folder199/a.conf", "xx");
	assert_told_once(fixture);
	scratch_folder("folder100");
	scratch_write("folder100/a.conf", "xx");
	assert_told_once(fixture);
}

static void what_a_new_path_looks_like_counts_as_known(void **state)
{
	scratch_write("clearml.conf", "x");
	watch_one(*state, "clearml.conf");
	assert_not_told(*state);
}

static void path_that_stays_is_told_of_what_came_before(void **state)
{
	scratch_write("clearml.conf", "x");
	watch_one(*state, "clearml.conf");
	scratch_write("clearml.conf", "xx");
	watch_one(*state, "clearml.conf");
	assert_told_once(*state);
}

static void path_taken_away_is_not_told(void **state)
{
	struct fixture *fixture = *state;

	scratch_write("clearml.conf", "x");
	watch_one(fixture, "clearml.conf");
	watch_one(fixture, "other.conf");
	scratch_write("clearml.conf", "xx");
	assert_not_told(fixture);
	watch_set_paths(fixture->watch, NULL, 0);
	scratch_write("other.conf", "x");
	assert_not_told(fixture);
}

static void new_sets_of_paths_leave_no_descriptor(void **state)
{
	struct fixture *fixture = *state;
	const char *paths[] = {"a/one", "conf.d", "missing/clearml.conf"};
	unsigned int before;

	make_chain_of_links();
	scratch_folder("conf.d");
	watch_set_paths(fixture->watch, paths, ARRAY_SIZE(paths));
	run_for(fixture, 1);
	before = descriptors();
	for (size_t i = 0; i < 300; i++) {
		watch_set_paths(fixture->watch, paths + i % 3, 1);
		uv_run(&fixture->loop, UV_RUN_NOWAIT);
	}
	assert_int_equal(descriptors(), before);
}

static void set_paths_from_the_callback(struct fixture *fixture)
{
	watch_one(fixture, "clearml.conf");
}

static void paths_may_be_set_when_told(void **state)
{
	struct fixture *fixture = *state;

	fixture->when_told = set_paths_from_the_callback;
	watch_one(fixture, "clearml.conf");
	scratch_write("clearml.conf", "x");
	assert_told_once(fixture);
	scratch_write("clearml.conf", "xx");
	assert_told_once(fixture);
}

/* --- without events ------------------------------------------------------- */

/* What was written to stderr meanwhile, in lines with @word. */
static int lines_with(FILE *file, const char *word)
{
	char line[1024];
	int count = 0;

	rewind(file);
	while (fgets(line, sizeof(line), file))
		count += strstr(line, word) != NULL;
	return count;
}

/* No descriptor is to be had meanwhile: inotify cannot even begin. */
static void check_twice_without_inotify(struct fixture *fixture)
{
	int free_fd = dup(STDERR_FILENO);
	struct rlimit limit, none;

	assert_true(free_fd >= 0);
	assert_int_equal(close(free_fd), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = (rlim_t)free_fd;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	watch_one(fixture, "clearml.conf");
	(void)truncate("clearml.conf", 5);
	assert_not_told(fixture);
	watch_check(fixture->watch);
	assert_told_once(fixture);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void without_inotify_it_warns_once_and_lives_on_checks(void **state)
{
	int stderr_fd = dup(STDERR_FILENO);
	FILE *log = tmpfile();

	assert_true(stderr_fd >= 0 && log);
	scratch_write("clearml.conf", "x");
	assert_true(dup2(fileno(log), STDERR_FILENO) >= 0);
	check_twice_without_inotify(*state);
	assert_true(dup2(stderr_fd, STDERR_FILENO) >= 0);
	assert_int_equal(close(stderr_fd), 0);
	assert_int_equal(lines_with(log, "watch-limited"), 1);
	assert_int_equal(fclose(log), 0);
}

static void inotify_that_comes_back_is_used_from_the_next_look(void **state)
{
	struct fixture *fixture = *state;

	scratch_write("clearml.conf", "x");
	check_twice_without_inotify(fixture);
	watch_check(fixture->watch);
	scratch_write("clearml.conf", "xx");
	assert_told_once(fixture);
}

static void check_never_tells_before_it_returns(void **state)
{
	struct fixture *fixture = *state;

	watch_with(fixture, 0);
	watch_one(fixture, "clearml.conf");
	scratch_write("clearml.conf", "x");
	watch_check(fixture->watch);
	watch_check(fixture->watch);
	assert_int_equal(fixture->told, 0);
	assert_told_once(fixture);
}

static void check_tells_nothing_when_nothing_changed(void **state)
{
	struct fixture *fixture = *state;

	scratch_write("clearml.conf", "x");
	watch_one(fixture, "clearml.conf");
	watch_check(fixture->watch);
	assert_not_told(fixture);
}

/* There may be others at work in /tmp, so rest is to be waited for. */
static void watch_comes_to_rest(void **state)
{
	struct fixture *fixture = *state;

	scratch_write("clearml.conf", "x");
	watch_one(fixture, "clearml.conf");
	scratch_write("clearml.conf", "xx");
	scratch_write("unrelated", "x");
	assert_told_once(fixture);
	for (int i = 0; uv_backend_timeout(&fixture->loop) != -1; i++) {
		assert_true(i < DEADLINE_MS);
		run_for(fixture, 1);
	}
}

/* --- life ----------------------------------------------------------------- */

static void two_watches_may_share_a_folder(void **state)
{
	struct fixture *fixture = *state, other = {0};
	const char *path = scratch_at("clearml.conf");

	scratch_write("clearml.conf", "x");
	other.watch = watch_new(&fixture->loop, SETTLE_MS, on_change, &other);
	watch_set_paths(other.watch, &path, 1);
	watch_one(fixture, "clearml.conf");
	scratch_write("clearml.conf", "xx");
	assert_told_once(fixture);
	assert_int_equal(other.told, 1);
	watch_close(other.watch);
	scratch_write("clearml.conf", "xxx");
	assert_told_once(fixture);
	assert_int_equal(other.told, 1);
}

static void close_from_the_callback(struct fixture *fixture)
{
	watch_close(fixture->watch);
	watch_close(fixture->watch);
	fixture->watch = NULL;
}

static void watch_may_be_closed_when_told(void **state)
{
	struct fixture *fixture = *state;

	fixture->when_told = close_from_the_callback;
	watch_one(fixture, "clearml.conf");
	scratch_write("clearml.conf", "x");
	assert_told_once(fixture);
	scratch_write("clearml.conf", "xx");
	assert_not_told(fixture);
}

static void closed_watch_tells_nothing_more(void **state)
{
	struct fixture *fixture = *state;

	watch_one(fixture, "clearml.conf");
	scratch_write("clearml.conf", "x");
	watch_check(fixture->watch);
	watch_close(fixture->watch);
	watch_close(fixture->watch);
	fixture->watch = NULL;
	assert_not_told(fixture);
}

static void watch_without_paths_closes(void **state)
{
	(void)state; /* leave() closes it and finds the loop empty */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(write_in_place_is_told_once),
		TEST(editor_save_by_rename_is_told_once),
		TEST(editor_save_with_backup_is_told_once),
		TEST(deletion_and_return_are_told),
		TEST(change_of_permissions_is_told),
		TEST(unrelated_file_is_not_told),
		TEST(folder_in_the_place_of_the_file_is_told),
		TEST(relative_path_is_watched),
		TEST(truncated_file_is_not_told_before_it_is_written),
		TEST(burst_is_told_once),
		TEST(burst_that_never_pauses_is_told_all_the_same),
		TEST(file_behind_a_chain_of_links_is_told),
		TEST(each_link_of_a_chain_is_told),
		TEST(where_a_link_leads_now_is_watched),
		TEST(linked_parent_pointed_elsewhere_is_told),
		TEST(kubernetes_swap_is_told_once),
		TEST(loop_of_links_is_a_missing_file),
		TEST(file_below_missing_folders_is_told),
		TEST(folders_that_appear_one_by_one_are_followed),
		TEST(file_is_not_lost_between_its_folder_and_the_watch),
		TEST(folder_moved_away_and_back_is_told),
		TEST(folder_deleted_and_made_anew_is_watched_again),
		TEST(folder_deleted_while_somebody_is_in_it_is_told),
		TEST(folder_put_in_the_place_of_another_is_told),
		TEST(entries_of_a_folder_are_told),
		TEST(file_behind_a_link_in_a_folder_is_told),
		TEST(each_of_very_many_paths_is_told),
		TEST(what_a_new_path_looks_like_counts_as_known),
		TEST(path_that_stays_is_told_of_what_came_before),
		TEST(path_taken_away_is_not_told),
		TEST(new_sets_of_paths_leave_no_descriptor),
		TEST(paths_may_be_set_when_told),
		TEST(without_inotify_it_warns_once_and_lives_on_checks),
		TEST(inotify_that_comes_back_is_used_from_the_next_look),
		TEST(check_never_tells_before_it_returns),
		TEST(check_tells_nothing_when_nothing_changed),
		TEST(watch_comes_to_rest),
		TEST(two_watches_may_share_a_folder),
		TEST(watch_may_be_closed_when_told),
		TEST(closed_watch_tells_nothing_more),
		TEST(watch_without_paths_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
