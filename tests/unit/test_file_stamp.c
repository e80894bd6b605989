#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "../support/scratch.h"

#include "base/file_stamp.h"

/* Longer than the clock of any file system's times stands still. */
static void let_time_pass(void)
{
	(void)usleep(20000);
}

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

static struct file_stamp stamp_of(const char *name)
{
	struct file_stamp stamp;

	file_stamp_of(&stamp, name);
	return stamp;
}

/* Remember what @name is; has_changed() then says whether that is over. */
static struct file_stamp before;

static void remember(const char *name)
{
	before = stamp_of(name);
	let_time_pass();
}

static bool has_changed(const char *name)
{
	struct file_stamp now = stamp_of(name);

	return !file_stamp_equal(&before, &now);
}

static void reading_a_file_leaves_it_the_same(void **state)
{
	(void)state;
	scratch_write("file", "x");
	remember("file");
	assert_int_equal(access("file", R_OK), 0);
	assert_false(has_changed("file"));
}

static void write_of_the_same_length_is_seen(void **state)
{
	(void)state;
	scratch_write("file", "x");
	remember("file");
	scratch_write("file", "y");
	assert_true(has_changed("file"));
}

static void change_of_permissions_is_seen(void **state)
{
	(void)state;
	scratch_write("file", "x");
	remember("file");
	assert_int_equal(chmod("file", 0600), 0);
	assert_true(has_changed("file"));
}

static void link_is_what_it_leads_to(void **state)
{
	struct file_stamp file, link;

	(void)state;
	scratch_write("file", "x");
	scratch_link("file", "link");
	file = stamp_of("file");
	link = stamp_of("link");
	assert_true(file_stamp_equal(&file, &link));
}

static void why_a_path_leads_nowhere_is_told_apart(void **state)
{
	(void)state;
	scratch_link("loop", "loop");
	scratch_write("file", "x");
	assert_int_equal(stamp_of("missing").error, ENOENT);
	assert_int_equal(stamp_of("loop").error, ELOOP);
	assert_int_equal(stamp_of("file/below").error, ENOTDIR);
	assert_int_equal(stamp_of("file").error, 0);
}

static void folder_covers_its_entries(void **state)
{
	(void)state;
	scratch_folder("folder");
	scratch_write("folder/a", "x");
	scratch_write("folder/b", "x");
	remember("folder");
	assert_false(has_changed("folder"));
	scratch_write("folder/b", "xx");
	assert_true(has_changed("folder"));
	remember("folder");
	scratch_write("folder/c", "x");
	assert_true(has_changed("folder"));
	remember("folder");
	assert_int_equal(unlink("folder/a"), 0);
	assert_true(has_changed("folder"));
}

static void folder_does_not_cover_what_is_beside_it(void **state)
{
	(void)state;
	scratch_folder("folder/sub");
	scratch_write("folder/sub/file", "x");
	remember("folder");
	scratch_write("beside", "x");
	scratch_write("folder/sub/file", "xx");
	assert_false(has_changed("folder"));
}

static void folder_covers_files_behind_its_links(void **state)
{
	(void)state;
	scratch_folder("folder");
	scratch_write("file", "x");
	scratch_link("../file", "folder/link");
	remember("folder");
	scratch_write("file", "xx");
	assert_true(has_changed("folder"));
}

/* Nor is one that the clock has been set back behind. */
static void young_stamp_does_not_tell_of_the_next_change(void **state)
{
	const struct timespec at = {1000, 500000000};
	const struct file_stamp stamp = {
		.changed_ns = UINT64_C(1000500000000),
	};
	struct timespec later = at;

	(void)state;
	assert_false(file_stamp_is_settled(&stamp, at));
	later.tv_sec += 2;
	assert_false(file_stamp_is_settled(&stamp, later));
	later.tv_sec += 2;
	assert_true(file_stamp_is_settled(&stamp, later));
	later.tv_sec = 1;
	assert_false(file_stamp_is_settled(&stamp, later));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reading_a_file_leaves_it_the_same),
		TEST(write_of_the_same_length_is_seen),
		TEST(change_of_permissions_is_seen),
		TEST(link_is_what_it_leads_to),
		TEST(why_a_path_leads_nowhere_is_told_apart),
		TEST(folder_covers_its_entries),
		TEST(folder_does_not_cover_what_is_beside_it),
		TEST(folder_covers_files_behind_its_links),
		cmocka_unit_test(young_stamp_does_not_tell_of_the_next_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
