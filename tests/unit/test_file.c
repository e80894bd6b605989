#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../support/skipping.h"
#include "base/file.h"
#include "base/mem.h"

struct fixture {
	char folder[64];
	int fd;
};

static int set_up(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));

	*state = f;
	(void)umask(022);
	(void)snprintf(f->folder, sizeof(f->folder), "/tmp/file.XXXXXX");
	if (!mkdtemp(f->folder))
		return -1;
	f->fd = open(f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return f->fd < 0 ? -1 : 0;
}

static void remove_tree(int folder, const char *name)
{
	int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir) {
		(void)unlinkat(folder, name, 0);
		return;
	}
	for (struct dirent *e; (e = readdir(dir));)
		if (e->d_name[0] != '.' ||
		    (e->d_name[1] && e->d_name[1] != '.'))
			remove_tree(fd, e->d_name);
	(void)closedir(dir);
	(void)unlinkat(folder, name, AT_REMOVEDIR);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	file_closep(&f->fd);
	remove_tree(AT_FDCWD, f->folder);
	assert_int_equal(access(f->folder, F_OK), -1);
	mem_free(f);
	return 0;
}

/* Entries of the folder; temporary files count. */
static int entries(struct fixture *f)
{
	DIR *dir = opendir(f->folder);
	int count = -2; /* "." and ".." */

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	(void)closedir(dir);
	return count;
}

static void assert_file(struct fixture *f, const char *name, struct str bytes)
{
	char text[200000];
	int fd = openat(f->fd, name, O_RDONLY);

	assert_true(fd >= 0);
	assert_int_equal(read(fd, text, sizeof(text)), bytes.len);
	assert_memory_equal(text, bytes.ptr, bytes.len);
	assert_int_equal(close(fd), 0);
}

static mode_t mode_of(struct fixture *f, const char *name)
{
	struct stat st;

	assert_int_equal(fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_mode;
}

static void a_new_file_has_the_bytes_and_the_mode(void **state)
{
	struct fixture *f = *state;

	(void)umask(077);
	assert_int_equal(file_replace(f->fd, "a", STR("one\0two"), 0644), 0);
	assert_file(f, "a", STR("one\0two"));
	assert_int_equal(mode_of(f, "a"), S_IFREG | 0644);
	assert_int_equal(entries(f), 1);
}

static void an_old_file_is_replaced_whole(void **state)
{
	struct fixture *f = *state;
	char large[150000];

	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = (char)(i * 7);
	assert_int_equal(file_replace(f->fd, "a",
				      (struct str){large, sizeof(large)}, 0644),
			 0);
	assert_file(f, "a", (struct str){large, sizeof(large)});
	assert_int_equal(file_replace(f->fd, "a", STR("short"), 0600), 0);
	assert_file(f, "a", STR("short"));
	assert_int_equal(mode_of(f, "a"), S_IFREG | 0600);
	assert_int_equal(file_replace(f->fd, "a", (struct str){0}, 0600), 0);
	assert_file(f, "a", STR(""));
	assert_int_equal(entries(f), 1);
}

/* Who has the old file open goes on reading it. */
static void an_open_old_file_does_not_change(void **state)
{
	struct fixture *f = *state;
	char text[16];
	int fd;

	assert_int_equal(file_replace(f->fd, "a", STR("old"), 0600), 0);
	fd = openat(f->fd, "a", O_RDONLY);
	assert_int_equal(file_replace(f->fd, "a", STR("newer"), 0600), 0);
	assert_int_equal(read(fd, text, sizeof(text)), 3);
	assert_memory_equal(text, "old", 3);
	assert_int_equal(close(fd), 0);
}

static void a_link_is_replaced_and_not_followed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(file_replace(f->fd, "target", STR("t"), 0600), 0);
	assert_int_equal(symlinkat("target", f->fd, "a"), 0);
	assert_int_equal(file_replace(f->fd, "a", STR("new"), 0600), 0);
	assert_file(f, "target", STR("t"));
	assert_int_equal(mode_of(f, "a"), S_IFREG | 0600);
}

static void a_name_may_be_as_long_as_names_can_be(void **state)
{
	struct fixture *f = *state;
	char name[257];

	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	assert_int_equal(file_replace(f->fd, name, STR("x"), 0600), 0);
	assert_file(f, name, STR("x"));
	name[255] = 'n';
	name[256] = '\0';
	assert_int_equal(file_replace(f->fd, name, STR("x"), 0600),
			 -ENAMETOOLONG);
	assert_int_equal(entries(f), 1);
}

static void what_cannot_be_renamed_leaves_nothing_behind(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(mkdirat(f->fd, "a", 0755), 0);
	assert_int_equal(file_replace(f->fd, "a", STR("x"), 0600), -EISDIR);
	assert_int_equal(mode_of(f, "a"), S_IFDIR | 0755);
	assert_int_equal(entries(f), 1);
}

static void a_bad_folder_is_an_error(void **state)
{
	struct fixture *f = *state;

	(void)f;
	assert_int_equal(file_replace(-1, "a", STR("x"), 0600), -EBADF);
}

/* Root writes everywhere, so be nobody for a moment. */
static void without_rights_the_old_file_stands(void **state)
{
	struct fixture *f = *state;
	uid_t uid = geteuid();
	int r;

	assert_int_equal(file_replace(f->fd, "a", STR("old"), 0600), 0);
	assert_int_equal(chmod(f->folder, 0555), 0);
	if (uid == 0 && seteuid(65534) < 0)
		skip_because("this root may not be somebody else");
	r = file_replace(f->fd, "a", STR("new"), 0600);
	assert_int_equal(seteuid(uid), 0);
	assert_int_equal(chmod(f->folder, 0755), 0);
	assert_int_equal(r, -EACCES);
	assert_file(f, "a", STR("old"));
	assert_int_equal(entries(f), 1);
}

static void the_owner_can_be_somebody_else(void **state)
{
	struct fixture *f = *state;
	struct file_rights rights = {0640, 65534, (gid_t)-1};
	struct stat st;

	if (geteuid() != 0) {
		assert_int_equal(file_replace_as(f->fd, "a", STR("x"), &rights),
				 -EPERM);
		assert_int_equal(entries(f), 0);
		return;
	}
	assert_int_equal(file_replace_as(f->fd, "a", STR("x"), &rights), 0);
	assert_int_equal(fstatat(f->fd, "a", &st, 0), 0);
	assert_int_equal(st.st_uid, 65534);
	assert_int_equal(st.st_gid, getegid());
	assert_int_equal(st.st_mode, S_IFREG | 0640);
	assert_file(f, "a", STR("x"));
}

static void folders_are_made_with_their_parents(void **state)
{
	struct fixture *f = *state;
	_cleanup_(mem_freep) char *path = mem_printf("%s/a//b/c", f->folder);

	assert_int_equal(file_make_folder(path, 0700), 0);
	assert_int_equal(mode_of(f, "a"), S_IFDIR | 0755);
	assert_int_equal(mode_of(f, "a/b"), S_IFDIR | 0755);
	assert_int_equal(mode_of(f, "a/b/c"), S_IFDIR | 0700);
	assert_int_equal(file_make_folder(path, 0755), 0);
	assert_int_equal(mode_of(f, "a/b/c"), S_IFDIR | 0700);
}

/* Else the secrets in it would be open to all. */
static void a_slash_at_the_end_does_not_change_the_mode(void **state)
{
	struct fixture *f = *state;
	_cleanup_(mem_freep) char *path = mem_printf("%s/a/b//", f->folder);

	assert_int_equal(file_make_folder(path, 0700), 0);
	assert_int_equal(mode_of(f, "a/b"), S_IFDIR | 0700);
}

static void a_relative_path_is_fine(void **state)
{
	struct fixture *f = *state;
	int here = open(".", O_RDONLY | O_DIRECTORY);

	assert_int_equal(fchdir(f->fd), 0);
	assert_int_equal(file_make_folder("x/y", 0750), 0);
	assert_int_equal(file_make_folder("z", 0700), 0);
	assert_int_equal(fchdir(here), 0);
	assert_int_equal(close(here), 0);
	assert_int_equal(mode_of(f, "x/y"), S_IFDIR | 0750);
	assert_int_equal(mode_of(f, "z"), S_IFDIR | 0700);
}

static void the_root_exists_and_no_path_does_not(void **state)
{
	(void)state;
	assert_int_equal(file_make_folder("/", 0700), 0);
	assert_int_equal(file_make_folder("//", 0700), 0);
	assert_int_equal(file_make_folder(".", 0700), 0);
	assert_int_equal(file_make_folder("", 0700), -ENOENT);
}

static void a_file_in_the_way_is_an_error(void **state)
{
	struct fixture *f = *state;
	_cleanup_(mem_freep) char *path = mem_printf("%s/a", f->folder);
	_cleanup_(mem_freep) char *below = mem_printf("%s/a/b", f->folder);

	assert_int_equal(file_replace(f->fd, "a", STR("x"), 0600), 0);
	assert_int_equal(file_make_folder(path, 0700), -ENOTDIR);
	assert_int_equal(file_make_folder(below, 0700), -ENOTDIR);
	assert_file(f, "a", STR("x"));
}

static void a_link_to_a_folder_is_a_folder(void **state)
{
	struct fixture *f = *state;
	_cleanup_(mem_freep) char *link = mem_printf("%s/link", f->folder);
	_cleanup_(mem_freep) char *below = mem_printf("%s/link/b", f->folder);

	assert_int_equal(symlinkat("a", f->fd, "link"), 0);
	assert_int_equal(file_make_folder(link, 0700), -ENOENT);
	assert_int_equal(mkdirat(f->fd, "a", 0755), 0);
	assert_int_equal(file_make_folder(below, 0700), 0);
	assert_int_equal(mode_of(f, "a/b"), S_IFDIR | 0700);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_file_has_the_bytes_and_the_mode),
		TEST(an_old_file_is_replaced_whole),
		TEST(an_open_old_file_does_not_change),
		TEST(a_link_is_replaced_and_not_followed),
		TEST(a_name_may_be_as_long_as_names_can_be),
		TEST(what_cannot_be_renamed_leaves_nothing_behind),
		TEST(a_bad_folder_is_an_error),
		TEST(without_rights_the_old_file_stands),
		TEST(the_owner_can_be_somebody_else),
		TEST(folders_are_made_with_their_parents),
		TEST(a_slash_at_the_end_does_not_change_the_mode),
		TEST(a_relative_path_is_fine),
		TEST(the_root_exists_and_no_path_does_not),
		TEST(a_file_in_the_way_is_an_error),
		TEST(a_link_to_a_folder_is_a_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
