#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/resource.h>

#include "../support/watching.h"

/* Files that are written slowly, as a watch takes them. */

#define HOLD_MS (125 * SETTLE_MS)

static int open_watched(struct fixture *fixture, int flags)
{
	int fd;

	scratch_write("clearml.conf", "a = 1\n");
	watch_one(fixture, "clearml.conf");
	fd = open("clearml.conf", O_WRONLY | flags);
	assert_true(fd >= 0);
	return fd;
}

static void put(int fd, const char *text)
{
	size_t len = strlen(text);

	assert_int_equal(write(fd, text, len), (ssize_t)len);
}

static void a_slow_writer_is_told_of_once_it_has_closed(void **state)
{
	struct fixture *fixture = *state;
	int fd = open_watched(fixture, O_TRUNC);

	run_for(fixture, 10 * SETTLE_MS);
	put(fd, "a = 2\n");
	run_for(fixture, 10 * SETTLE_MS);
	put(fd, "b = 3\n");
	run_for(fixture, 10 * SETTLE_MS);
	assert_int_equal(fixture->told, 0);
	assert_int_equal(close(fd), 0);
	assert_told_once(fixture);
}

static void one_who_never_closes_is_told_of_in_the_end(void **state)
{
	struct fixture *fixture = *state;
	uint64_t start = uv_hrtime();
	int fd = open_watched(fixture, O_TRUNC);

	put(fd, "a = 2\n");
	assert_told(fixture);
	assert_true(uv_hrtime() - start >= HOLD_MS * 1000000);
	assert_int_equal(close(fd), 0);
}

static void one_who_only_opens_it_holds_nothing_up(void **state)
{
	struct fixture *fixture = *state;
	int fd = open_watched(fixture, O_APPEND);

	run_for(fixture, 3 * SETTLE_MS);
	scratch_write("clearml.conf", "a = 2\n");
	run(fixture, 1, HOLD_MS / 2);
	assert_int_equal(fixture->told, 1);
	assert_int_equal(close(fd), 0);
}

static void another_file_in_its_place_is_not_waited_for(void **state)
{
	struct fixture *fixture = *state;
	int fd = open_watched(fixture, O_TRUNC);

	run_for(fixture, 3 * SETTLE_MS);
	scratch_write("new.conf", "a = 2\n");
	scratch_rename("new.conf", "clearml.conf");
	run(fixture, 1, HOLD_MS / 2);
	assert_int_equal(fixture->told, 1);
	put(fd, "nobody reads this\n");
	fixture->told = 0;
	assert_not_told(fixture);
	assert_int_equal(close(fd), 0);
}

static void its_next_writer_is_waited_for_too(void **state)
{
	struct fixture *fixture = *state;
	int fd;

	assert_int_equal(close(open_watched(fixture, O_TRUNC)), 0);
	assert_told_once(fixture);
	scratch_write("new.conf", "a = 2\n");
	scratch_rename("new.conf", "clearml.conf");
	assert_told_once(fixture);
	fd = open("clearml.conf", O_WRONLY | O_TRUNC);
	assert_true(fd >= 0);
	run_for(fixture, 10 * SETTLE_MS);
	assert_int_equal(fixture->told, 0);
	put(fd, "a = 3\n");
	assert_int_equal(close(fd), 0);
	assert_told_once(fixture);
}

static void a_path_that_stays_is_still_waited_for(void **state)
{
	struct fixture *fixture = *state;
	int fd = open_watched(fixture, O_TRUNC);
	char both[2][PATH_MAX];
	const char *paths[] = {both[0], both[1]};

	(void)snprintf(both[0], PATH_MAX, "%s", scratch_at("other.conf"));
	(void)snprintf(both[1], PATH_MAX, "%s", scratch_at("clearml.conf"));
	run_for(fixture, 3 * SETTLE_MS);
	watch_set_paths(fixture->watch, paths, 2);
	run_for(fixture, 10 * SETTLE_MS);
	assert_int_equal(fixture->told, 0);
	put(fd, "a = 2\n");
	assert_int_equal(close(fd), 0);
	assert_told_once(fixture);
}

static void two_paths_to_one_file_are_both_waited_for(void **state)
{
	struct fixture *fixture = *state;
	int fd = open_watched(fixture, 0);
	char both[2][PATH_MAX];
	const char *paths[] = {both[0], both[1]};

	assert_int_equal(symlink("clearml.conf", "link.conf"), 0);
	(void)snprintf(both[0], PATH_MAX, "%s", scratch_at("link.conf"));
	(void)snprintf(both[1], PATH_MAX, "%s", scratch_at("clearml.conf"));
	watch_set_paths(fixture->watch, paths, 2);
	watch_set_paths(fixture->watch, paths, 1); /* one of them goes */
	assert_int_equal(ftruncate(fd, 0), 0);
	run_for(fixture, 10 * SETTLE_MS);
	put(fd, "a = 2\n");
	run_for(fixture, 10 * SETTLE_MS);
	assert_int_equal(fixture->told, 0);
	assert_int_equal(close(fd), 0);
	assert_told_once(fixture);
}

/* Nothing tells of closing: what is empty now is waited for. */
static void without_inotify_an_emptied_file_is_waited_for(void **state)
{
	struct fixture *fixture = *state;
	int fd = open_watched(fixture, 0), free_fd;
	struct rlimit limit, none;

	watch_with(fixture, SETTLE_MS);
	run_for(fixture, SETTLE_MS); /* the old one closes */
	free_fd = dup(fd);
	assert_int_equal(close(free_fd), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = (rlim_t)free_fd;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	watch_one(fixture, "clearml.conf");
	assert_int_equal(ftruncate(fd, 0), 0);
	watch_check(fixture->watch);
	run_for(fixture, 10 * SETTLE_MS);
	assert_int_equal(fixture->told, 0);
	put(fd, "a = 2\n");
	run(fixture, 1, HOLD_MS / 2);
	assert_int_equal(fixture->told, 1);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(close(fd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WATCH_TEST(a_slow_writer_is_told_of_once_it_has_closed),
		WATCH_TEST(one_who_never_closes_is_told_of_in_the_end),
		WATCH_TEST(one_who_only_opens_it_holds_nothing_up),
		WATCH_TEST(another_file_in_its_place_is_not_waited_for),
		WATCH_TEST(its_next_writer_is_waited_for_too),
		WATCH_TEST(a_path_that_stays_is_still_waited_for),
		WATCH_TEST(two_paths_to_one_file_are_both_waited_for),
		WATCH_TEST(without_inotify_an_emptied_file_is_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
