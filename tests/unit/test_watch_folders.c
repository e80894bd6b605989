#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/wait.h>

#include "../support/watching.h"

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
		{"a/one", "../b/two"},
		{"b/two", "../c/three"},
		{"c/three", "file"},
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		WATCH_TEST(file_behind_a_chain_of_links_is_told),
		WATCH_TEST(each_link_of_a_chain_is_told),
		WATCH_TEST(where_a_link_leads_now_is_watched),
		WATCH_TEST(linked_parent_pointed_elsewhere_is_told),
		WATCH_TEST(kubernetes_swap_is_told_once),
		WATCH_TEST(loop_of_links_is_a_missing_file),
		WATCH_TEST(file_below_missing_folders_is_told),
		WATCH_TEST(folders_that_appear_one_by_one_are_followed),
		WATCH_TEST(file_is_not_lost_between_its_folder_and_the_watch),
		WATCH_TEST(folder_moved_away_and_back_is_told),
		WATCH_TEST(folder_deleted_and_made_anew_is_watched_again),
		WATCH_TEST(folder_deleted_while_somebody_is_in_it_is_told),
		WATCH_TEST(folder_put_in_the_place_of_another_is_told),
		WATCH_TEST(entries_of_a_folder_are_told),
		WATCH_TEST(file_behind_a_link_in_a_folder_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
