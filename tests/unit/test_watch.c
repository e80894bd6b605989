#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <sys/resource.h>

#include "../support/watching.h"

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

#define SLOW_SETTLE_MS UINT64_C(300)

/* Truncate, let the loop see it, write. Whether on_change has to wait for the
 * writing is a question only if that comes before the quiet is over, which a
 * busy machine does not promise. */
static bool truncate_then_write(struct fixture *fixture)
{
	uint64_t start = uv_hrtime();

	scratch_write("clearml.conf", "");
	run_for(fixture, SLOW_SETTLE_MS / 2);
	scratch_write("clearml.conf", "x");
	return uv_hrtime() - start < SLOW_SETTLE_MS * 1000000;
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
	return gap < SLOW_SETTLE_MS / 2 * 1000000;
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

static void new_sets_of_paths_leave_no_descriptor(void **state)
{
	struct fixture *fixture = *state;
	const char *paths[] = {"a/one", "conf.d", "missing/clearml.conf"};
	unsigned int before;

	scratch_folder("a");
	scratch_folder("b");
	scratch_folder("conf.d");
	scratch_link("../b/two", "a/one");
	watch_set_paths(fixture->watch, paths, ARRAY_SIZE(paths));
	run_for(fixture, 1);
	before = descriptors();
	for (size_t i = 0; i < 300; i++) {
		watch_set_paths(fixture->watch, paths + i % 3, 1);
		uv_run(&fixture->loop, UV_RUN_NOWAIT);
	}
	assert_int_equal(descriptors(), before);
}

static void on_handle(uv_handle_t *handle, void *count)
{
	(void)handle;
	++*(unsigned int *)count;
}

static void folders_of_no_path_are_let_go(void **state)
{
	struct fixture *fixture = *state;
	unsigned int handles = 0;

	watch_one(fixture, "clearml.conf");
	watch_set_paths(fixture->watch, NULL, 0);
	run_for(fixture, 1);
	uv_walk(&fixture->loop, on_handle, &handles);
	assert_int_equal(handles, 2); /* the watch's timer and ours */
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
	assert_int_equal(truncate("clearml.conf", 5), 0);
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

static long events_kept(void)
{
	FILE *file = fopen("/proc/sys/fs/inotify/max_queued_events", "re");
	char text[32];

	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	assert_int_equal(fclose(file), 0);
	return strtol(text, NULL, 10);
}

/* More events than the kernel keeps, so that it drops what comes next. */
static void overflow_events(const char *one, const char *two)
{
	for (long i = events_kept() / 2; i >= 0; i--) {
		assert_int_equal(chmod(one, 0600), 0);
		assert_int_equal(chmod(two, 0600), 0);
	}
}

/* The end of the folder is among the dropped events, and the new one may have
 * its inode. */
static void check_renews_a_watch_that_ended_unheard(void **state)
{
	struct fixture *fixture = *state;

	scratch_folder("a");
	scratch_write("a/clearml.conf", "x");
	scratch_write("a/unrelated", "x");
	watch_one(fixture, "a/clearml.conf");
	overflow_events("a/clearml.conf", "a/unrelated");
	scratch_remove("a");
	scratch_folder("a");
	assert_told_once(fixture);
	watch_check(fixture->watch);
	scratch_write("a/clearml.conf", "x");
	assert_told_once(fixture);
	scratch_write("a/clearml.conf", "xx");
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
	for (uint64_t i = 0; uv_backend_timeout(&fixture->loop) != -1; i++) {
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		WATCH_TEST(write_in_place_is_told_once),
		WATCH_TEST(editor_save_by_rename_is_told_once),
		WATCH_TEST(editor_save_with_backup_is_told_once),
		WATCH_TEST(deletion_and_return_are_told),
		WATCH_TEST(change_of_permissions_is_told),
		WATCH_TEST(unrelated_file_is_not_told),
		WATCH_TEST(folder_in_the_place_of_the_file_is_told),
		WATCH_TEST(relative_path_is_watched),
		WATCH_TEST(truncated_file_is_not_told_before_it_is_written),
		WATCH_TEST(burst_is_told_once),
		WATCH_TEST(burst_that_never_pauses_is_told_all_the_same),
		WATCH_TEST(each_of_very_many_paths_is_told),
		WATCH_TEST(what_a_new_path_looks_like_counts_as_known),
		WATCH_TEST(path_that_stays_is_told_of_what_came_before),
		WATCH_TEST(path_taken_away_is_not_told),
		WATCH_TEST(new_sets_of_paths_leave_no_descriptor),
		WATCH_TEST(folders_of_no_path_are_let_go),
		WATCH_TEST(paths_may_be_set_when_told),
		WATCH_TEST(without_inotify_it_warns_once_and_lives_on_checks),
		WATCH_TEST(inotify_that_comes_back_is_used_from_the_next_look),
		WATCH_TEST(check_renews_a_watch_that_ended_unheard),
		WATCH_TEST(check_never_tells_before_it_returns),
		WATCH_TEST(check_tells_nothing_when_nothing_changed),
		WATCH_TEST(watch_comes_to_rest),
		WATCH_TEST(two_watches_may_share_a_folder),
		WATCH_TEST(watch_may_be_closed_when_told),
		WATCH_TEST(closed_watch_tells_nothing_more),
		WATCH_TEST(watch_without_paths_closes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
