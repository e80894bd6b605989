#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/scratch.h"

#include "base/buf.h"
#include "base/mem.h"
#include "fetch/path_dirs.h"

static int enter(void **state)
{
	(void)state;
	scratch_enter();
	return 0;
}

static int leave(void **state)
{
	(void)state;
	scratch_leave();
	return 0;
}

/* Its folders inside the scratch folder, that one being ".". */
static void assert_inside(const struct path_dirs *dirs, const char *expected)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	const struct path_dir *folder;
	size_t root = strlen(scratch_root);

	for (folder = dirs->first; folder; folder = folder->next)
		if (!strcmp(folder->path, scratch_root))
			buf_puts(&text, ".");
		else if (!strncmp(folder->path, scratch_root, root))
			buf_printf(&text, " %s", folder->path + root + 1);
	assert_string_equal(buf_str(&text).ptr, expected);
}

static void assert_folders(const char *name, const char *expected)
{
	struct path_dirs dirs = PATH_DIRS_INIT;

	path_dirs_add(&dirs, scratch_at(name));
	assert_inside(&dirs, expected);
	path_dirs_deinit(&dirs);
}

static void file_is_looked_up_in_its_folder_and_all_above(void **state)
{
	struct path_dirs dirs = PATH_DIRS_INIT;

	(void)state;
	scratch_folder("a/b");
	scratch_write("a/b/clearml.conf", "x");
	assert_folders("a/b/clearml.conf", ". a a/b");
	path_dirs_add(&dirs, scratch_at("a/b/clearml.conf"));
	assert_string_equal(dirs.first->path, "/");
	path_dirs_deinit(&dirs);
}

static void missing_path_ends_at_the_nearest_existing_parent(void **state)
{
	(void)state;
	assert_folders("a/b/clearml.conf", ".");
	scratch_folder("a");
	assert_folders("a/b/clearml.conf", ". a");
	scratch_folder("a/b");
	assert_folders("a/b/clearml.conf", ". a a/b");
}

static void file_in_the_place_of_a_folder_ends_the_way(void **state)
{
	(void)state;
	scratch_write("a", "x");
	assert_folders("a/b/clearml.conf", ".");
	assert_folders("a/", ".");
}

static void every_link_on_the_way_counts(void **state)
{
	(void)state;
	scratch_folder("a");
	scratch_folder("b");
	scratch_folder("c");
	scratch_write("c/file", "x");
	scratch_link("../b/two", "a/one");
	scratch_link(scratch_at("c/three"), "b/two");
	scratch_link("file", "c/three");
	assert_folders("a/one", ". a b c");
}

static void linked_parents_count_by_where_they_lead(void **state)
{
	(void)state;
	scratch_folder("real/inner");
	scratch_write("real/inner/file", "x");
	scratch_link("real", "linked");
	assert_folders("linked/inner/file", ". real real/inner");
	assert_folders("linked/inner/../../x/../file", ". real real/inner");
	assert_folders("../../../../../../../..", ".");
}

static void kubernetes_volume_is_three_folders(void **state)
{
	(void)state;
	scratch_folder("volume/..2024_1");
	scratch_write("volume/..2024_1/clearml.conf", "x");
	scratch_link("..2024_1", "volume/..data");
	scratch_link("..data/clearml.conf", "volume/clearml.conf");
	assert_folders("volume/clearml.conf", ". volume volume/..2024_1");
}

static void dangling_link_waits_where_its_target_would_be(void **state)
{
	(void)state;
	scratch_folder("a");
	scratch_folder("b");
	scratch_link("../b/c/file", "a/link");
	assert_folders("a/link", ". a b");
}

static void loop_of_links_ends(void **state)
{
	(void)state;
	scratch_folder("a");
	scratch_link("../two", "a/one");
	scratch_link("a/one", "two");
	scratch_link("self/x", "self");
	assert_folders("a/one", ". a");
	assert_folders("two/file", ". a");
	assert_folders("self", ".");
}

/* The kernel follows 40 links; so must we, and no more. */
static void as_many_links_are_followed_as_the_kernel_allows(void **state)
{
	char name[32], target[32];

	(void)state;
	scratch_folder("end");
	scratch_write("end/file", "x");
	scratch_link("end/file", "0");
	for (int i = 1; i <= 40; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		(void)snprintf(target, sizeof(target), "%d", i - 1);
		scratch_link(target, name);
	}
	assert_int_equal(access("39", F_OK), 0);
	assert_folders("39", ". end");
	assert_int_equal(access("40", F_OK), -1);
	assert_folders("40", ".");
}

static void folder_counts_itself_and_the_links_in_it(void **state)
{
	(void)state;
	scratch_folder("conf.d/sub");
	scratch_folder("elsewhere");
	scratch_write("conf.d/a.conf", "x");
	scratch_link("../elsewhere/b.conf", "conf.d/b.conf");
	assert_folders("conf.d", ". conf.d elsewhere");
	scratch_link("conf.d", "linked.d");
	assert_folders("linked.d/", ". conf.d elsewhere");
}

static void several_paths_share_their_folders(void **state)
{
	struct path_dirs dirs = PATH_DIRS_INIT;

	(void)state;
	scratch_folder("a");
	scratch_link("a", "same");
	path_dirs_add(&dirs, scratch_at("a/one"));
	path_dirs_add(&dirs, scratch_at("same/two"));
	path_dirs_add(&dirs, scratch_at("three"));
	assert_inside(&dirs, ". a");
	path_dirs_deinit(&dirs);
}

static void relative_path_begins_at_the_working_folder(void **state)
{
	struct path_dirs dirs = PATH_DIRS_INIT;

	(void)state;
	scratch_folder("a");
	path_dirs_add(&dirs, "./a/../a/file");
	assert_inside(&dirs, ". a");
	path_dirs_deinit(&dirs);
}

static void folder_is_known_by_device_and_inode(void **state)
{
	struct path_dirs dirs = PATH_DIRS_INIT;
	struct stat seen;

	(void)state;
	scratch_folder("a");
	assert_int_equal(stat("a", &seen), 0);
	path_dirs_add(&dirs, scratch_at("a/file"));
	assert_true(dirs.last->device == seen.st_dev);
	assert_true(dirs.last->inode == seen.st_ino);
	path_dirs_deinit(&dirs);
}

/* Its folder is a link, and what lies in there may be one, too. */
static void paths_of_one_folder_lead_where_each_alone_does(void **state)
{
	struct path_dirs dirs = PATH_DIRS_INIT;

	(void)state;
	scratch_folder("data");
	scratch_folder("elsewhere");
	scratch_write("data/one.conf", "x");
	scratch_write("elsewhere/two.conf", "x");
	scratch_link("../elsewhere/two.conf", "data/two.conf");
	scratch_link("data", "current");
	path_dirs_add(&dirs, scratch_at("current/one.conf"));
	assert_inside(&dirs, ". data");
	path_dirs_add(&dirs, scratch_at("current/two.conf"));
	assert_inside(&dirs, ". data elsewhere");
	path_dirs_add(&dirs, scratch_at("current/missing.conf"));
	path_dirs_add(&dirs, scratch_at("elsewhere/two.conf"));
	assert_inside(&dirs, ". data elsewhere");
	path_dirs_deinit(&dirs);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(file_is_looked_up_in_its_folder_and_all_above),
		TEST(missing_path_ends_at_the_nearest_existing_parent),
		TEST(file_in_the_place_of_a_folder_ends_the_way),
		TEST(every_link_on_the_way_counts),
		TEST(linked_parents_count_by_where_they_lead),
		TEST(kubernetes_volume_is_three_folders),
		TEST(dangling_link_waits_where_its_target_would_be),
		TEST(loop_of_links_ends),
		TEST(as_many_links_are_followed_as_the_kernel_allows),
		TEST(folder_counts_itself_and_the_links_in_it),
		TEST(several_paths_share_their_folders),
		TEST(paths_of_one_folder_lead_where_each_alone_does),
		TEST(relative_path_begins_at_the_working_folder),
		TEST(folder_is_known_by_device_and_inode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
