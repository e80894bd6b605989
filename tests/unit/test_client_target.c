/* The file that dump writes: whole, private, and never somebody else's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "../support/scratch.h"
#include "base/folder.h"
#include "base/mem.h"
#include "text/target.h"

static int setup(void **state)
{
	(void)state;
	scratch_enter();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_leave();
	return 0;
}

static void open_wished(struct target *target, const char *path, mode_t mode,
			bool in_place)
{
	struct target_wish wish = {path,      mode,     TARGET_NOBODY,
				   (gid_t)-1, in_place, in_place};

	assert_int_equal(target_open(target, &wish), 0);
}

/* The result of writing @text to @name. */
static int put(const char *name, const char *text, mode_t mode, bool in_place)
{
	struct target target;
	int r;

	open_wished(&target, name, mode, in_place);
	r = target_write(&target, str_from(text));
	target_deinit(&target);
	return r;
}

static struct stat look(const char *name)
{
	struct stat st;

	assert_return_code(lstat(name, &st), errno);
	return st;
}

static void assert_text(const char *name, const char *expected)
{
	char text[64] = "";
	int fd = open(name, O_RDONLY);

	assert_int_equal(read(fd, text, sizeof(text) - 1), strlen(expected));
	assert_string_equal(text, expected);
	(void)close(fd);
}

static unsigned int count_entries(void)
{
	DIR *dir = opendir(".");
	unsigned int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	(void)closedir(dir);
	return count - 2; /* . and .. */
}

static void a_new_file_has_the_mode_whatever_the_umask(void **state)
{
	mode_t old = umask(0777);

	(void)state;
	assert_int_equal(put("f", "text", 0640, false), TARGET_WRITTEN);
	(void)umask(old);
	assert_int_equal(look("f").st_mode & 07777, 0640);
	assert_text("f", "text");
	assert_int_equal(count_entries(), 1);
}

static void an_old_file_is_replaced_by_another(void **state)
{
	ino_t before;

	(void)state;
	assert_int_equal(put("f", "old", 0600, false), TARGET_WRITTEN);
	before = look("f").st_ino;
	assert_int_equal(put("f", "new", 0600, false), TARGET_WRITTEN);
	assert_int_not_equal(look("f").st_ino, before);
	assert_text("f", "new");
	assert_int_equal(count_entries(), 1);
}

static void unchanged_content_is_not_written_again(void **state)
{
	struct stat before, after;

	(void)state;
	assert_int_equal(put("f", "same", 0600, false), TARGET_WRITTEN);
	before = look("f");
	assert_int_equal(put("f", "same", 0600, false), TARGET_UNCHANGED);
	after = look("f");
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
}

static void another_mode_is_a_change(void **state)
{
	(void)state;
	assert_int_equal(put("f", "same", 0644, false), TARGET_WRITTEN);
	assert_int_equal(put("f", "same", 0600, false), TARGET_WRITTEN);
	assert_int_equal(look("f").st_mode & 07777, 0600);
}

static void a_symbolic_link_is_refused(void **state)
{

	(void)state;
	assert_int_equal(put("f", "text", 0600, false), TARGET_WRITTEN);
	scratch_link("f", "l");
	assert_int_equal(put("l", "other", 0600, false), -EPERM);
	assert_int_equal(put("l", "other", 0600, true), -EPERM);
	assert_text("f", "text");
	assert_true(S_ISLNK(look("l").st_mode));
}

static void a_file_with_two_names_is_refused(void **state)
{

	(void)state;
	assert_int_equal(put("f", "text", 0600, false), TARGET_WRITTEN);
	assert_return_code(link("f", "g"), errno);
	assert_int_equal(put("f", "other", 0600, false), -EPERM);
	assert_text("g", "text");
}

static void what_is_no_file_is_refused(void **state)
{

	(void)state;
	assert_return_code(mkfifo("p", 0600), errno);
	assert_return_code(mkdir("d", 0700), errno);
	assert_int_equal(put("p", "text", 0600, false), -EPERM);
	assert_int_equal(put("d", "text", 0600, false), -EPERM);
}

static void in_place_keeps_the_file(void **state)
{
	ino_t before;

	(void)state;
	assert_int_equal(put("f", "something long", 0640, false),
			 TARGET_WRITTEN);
	before = look("f").st_ino;
	assert_int_equal(put("f", "short", 0600, true), TARGET_WRITTEN);
	assert_int_equal(put("f", "short", 0600, true), TARGET_UNCHANGED);
	assert_int_equal(look("f").st_ino, before);
	assert_int_equal(look("f").st_mode & 07777, 0640);
	assert_text("f", "short");
}

static void in_place_needs_a_file(void **state)
{
	(void)state;
	assert_int_equal(put("f", "text", 0600, true), -ENOENT);
	assert_int_equal(count_entries(), 0);
}

static void in_place_needs_the_owner(void **state)
{
	struct target_wish wish = {"f", 0600, geteuid() + 1, (gid_t)-1, true};
	struct target target;

	(void)state;
	assert_int_equal(put("f", "text", 0600, false), TARGET_WRITTEN);
	assert_int_equal(target_open(&target, &wish), 0);
	assert_int_equal(target_write(&target, STR("other")), -EPERM);
	assert_non_null(target.problem);
	target_deinit(&target);
}

static void a_source_is_known_by_any_name(void **state)
{
	struct target target;

	(void)state;
	open_wished(&target, "f", 0600, false);
	assert_true(target_is(
		&target, scratch_at("./f"))); /* though it does not exist */
	assert_false(target_is(&target, scratch_at("g")));
	assert_int_equal(target_write(&target, STR("text")), TARGET_WRITTEN);
	scratch_link("f", "l");
	assert_true(target_is(&target, scratch_at("l")));
	assert_false(target_is(&target, scratch_at("g")));
	target_deinit(&target);
}

static int open_inner(uid_t owner, const char *problem)
{
	_cleanup_(mem_freep) char *said = NULL;
	int fd = folder_open_checked("d", owner, &said);

	if (problem)
		assert_non_null(strstr(said, problem));
	else
		assert_null(said);

	if (fd >= 0)
		(void)close(fd);
	return fd < 0 ? fd : 0;
}

static void a_folder_that_others_may_write_is_refused(void **state)
{
	(void)state;
	assert_return_code(mkdir("d", 0700), errno);
	assert_int_equal(open_inner(TARGET_NOBODY, NULL), 0);
	assert_return_code(chmod("d", 0777), errno);
	assert_int_equal(open_inner(TARGET_NOBODY, "/d may be written"),
			 -EPERM);
	assert_return_code(chmod("d", 01777), errno);
	assert_int_equal(open_inner(TARGET_NOBODY, "/d may be written"),
			 -EPERM);
}

static void a_way_through_a_folder_others_may_write_is_refused(void **state)
{
	(void)state;
	assert_return_code(mkdir("d", 0700), errno);
	assert_return_code(chmod(".", 0777), errno);
	assert_int_equal(open_inner(TARGET_NOBODY, "may be written"), -EPERM);
	assert_return_code(chmod(".", 01777), errno);
	assert_int_equal(open_inner(TARGET_NOBODY, NULL), 0);
}

static void links_on_the_way_are_followed_and_checked(void **state)
{
	_cleanup_(mem_freep) char *problem = NULL;
	struct stat there, got;
	int fd;

	(void)state;
	assert_return_code(mkdir("d", 0700), errno);
	scratch_link("../../../../../../../tmp/.", "l");
	assert_int_equal(folder_open_checked("l", TARGET_NOBODY, &problem),
			 -EPERM); /* /tmp is for everybody */
	assert_non_null(strstr(problem, "/tmp may be written"));
	mem_freep(&problem);
	assert_return_code(unlink("l"), errno);
	scratch_link(scratch_at("d"), "l");
	fd = folder_open_checked("l", TARGET_NOBODY, &problem);
	assert_true(fd >= 0);
	assert_return_code(fstat(fd, &got), errno);
	assert_return_code(stat("d", &there), errno);
	assert_int_equal(got.st_ino, there.st_ino);
	(void)close(fd);
	assert_return_code(unlink("l"), errno);
	scratch_link("l", "l");
	assert_int_equal(folder_open_checked("l", TARGET_NOBODY, &problem),
			 -ELOOP);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(a_new_file_has_the_mode_whatever_the_umask),
		IN_A_FOLDER(an_old_file_is_replaced_by_another),
		IN_A_FOLDER(unchanged_content_is_not_written_again),
		IN_A_FOLDER(another_mode_is_a_change),
		IN_A_FOLDER(a_symbolic_link_is_refused),
		IN_A_FOLDER(a_file_with_two_names_is_refused),
		IN_A_FOLDER(what_is_no_file_is_refused),
		IN_A_FOLDER(in_place_keeps_the_file),
		IN_A_FOLDER(in_place_needs_a_file),
		IN_A_FOLDER(in_place_needs_the_owner),
		IN_A_FOLDER(a_source_is_known_by_any_name),
		IN_A_FOLDER(a_folder_that_others_may_write_is_refused),
		IN_A_FOLDER(a_way_through_a_folder_others_may_write_is_refused),
		IN_A_FOLDER(links_on_the_way_are_followed_and_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
