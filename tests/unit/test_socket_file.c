#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <uv.h>

#include "../support/scratch.h"
#include "../support/skipping.h"
#include "base/file.h"
#include "base/folder.h"
#include "base/mem.h"
#include "serve/socket_file.h"

#define STRANGER 12345

static int setup(void **state)
{
	(void)state;
	scratch_enter();
	(void)umask(077); /* the daemon's */
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scratch_leave();
	return 0;
}

/* --- the file --- */

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_return_code(lstat(path, &st), errno);
	return st.st_mode & 0777;
}

/* The first mode that anybody can see the file with. */
static void look_out(void *data)
{
	mode_t *first = data;
	struct stat st;

	while (lstat("sock", &st) < 0)
		;
	*first = st.st_mode & 0777;
}

static void it_is_born_for_everybody(void **state)
{
	(void)state;
	for (size_t i = 0; i < 200; i++) {
		struct socket_file file = SOCKET_FILE_INIT;
		_cleanup_(file_closep) int fd = -1;
		mode_t first = 0;
		uv_thread_t thread;

		assert_int_equal(uv_thread_create(&thread, look_out, &first),
				 0);
		assert_int_equal(socket_file_make(&file, "sock", &fd), 0);
		(void)uv_thread_join(&thread);
		assert_int_equal(first, 0666);
		socket_file_remove(&file);
		assert_int_equal(access("sock", F_OK), -1);
	}
}

static void the_umask_stays(void **state)
{
	struct socket_file file = SOCKET_FILE_INIT;
	_cleanup_(file_closep) int fd = -1;

	(void)state;
	assert_int_equal(socket_file_make(&file, "sock", &fd), 0);
	assert_int_equal(umask(077), 077);
	assert_int_equal(mode_of("sock.lock"), 0600);
	socket_file_remove(&file);
}

static void what_was_removed_is_made_again(void **state)
{
	struct socket_file file = SOCKET_FILE_INIT, other = SOCKET_FILE_INIT;
	_cleanup_(file_closep) int fd = -1, again = -1, second = -1;

	(void)state;
	scratch_folder("d");
	assert_int_equal(socket_file_make(&file, "d/sock", &fd), 0);
	assert_false(socket_file_is_gone(&file));
	scratch_remove("d");
	assert_true(socket_file_is_gone(&file));
	assert_int_equal(socket_file_make_again(&file, &again), -ENOENT);
	scratch_folder("d");
	assert_int_equal(socket_file_make_again(&file, &again), 0);
	assert_false(socket_file_is_gone(&file));
	assert_int_equal(mode_of("d/sock"), 0666);
	/* The lock is held anew. */
	assert_int_equal(socket_file_make(&other, "d/sock", &second),
			 -EADDRINUSE);
	socket_file_remove(&other);
	socket_file_remove(&file);
	assert_int_equal(access("d/sock", F_OK), -1);
}

static void another_that_took_the_place_keeps_it(void **state)
{
	struct socket_file file = SOCKET_FILE_INIT, other = SOCKET_FILE_INIT;
	_cleanup_(file_closep) int fd = -1, second = -1, again = -1;

	(void)state;
	assert_int_equal(socket_file_make(&file, "sock", &fd), 0);
	assert_return_code(unlink("sock"), errno);
	assert_return_code(unlink("sock.lock"), errno);
	assert_int_equal(socket_file_make(&other, "sock", &second), 0);
	assert_true(socket_file_is_gone(&file));
	assert_int_equal(socket_file_make_again(&file, &again), -EADDRINUSE);
	socket_file_remove(&file);
	assert_false(socket_file_is_gone(&other));
	socket_file_remove(&other);
}

static void a_path_has_a_limit(void **state)
{
	struct socket_file file = SOCKET_FILE_INIT;
	_cleanup_(file_closep) int fd = -1;
	char path[SOCKET_FILE_PATH_MAX + 2] = {0};

	(void)state;
	memset(path, 'x', SOCKET_FILE_PATH_MAX + 1);
	assert_int_equal(socket_file_make(&file, path, &fd), -ENAMETOOLONG);
	path[SOCKET_FILE_PATH_MAX] = '\0';
	assert_int_equal(socket_file_make(&file, path, &fd), 0);
	socket_file_remove(&file);
}

/* --- its folder --- */

static const struct {
	uid_t owner;
	mode_t mode;
	const char *problem; /* NULL: fine */
} folders[] = {
	{0, 0755, NULL},
	{0, 0700, NULL},
	{0, 01777, NULL},
	{0, 0777, "/d may be written to by others"},
	{STRANGER, 0755, "/d belongs to somebody else: choose another"},
};

static void only_a_folder_of_root_or_the_same_user_will_do(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip_because("only root can be somebody else");
	scratch_folder("d");
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		_cleanup_(mem_freep) char *problem = NULL;
		const char *expected = folders[i].problem;

		assert_return_code(chown("d", folders[i].owner, 0), errno);
		assert_return_code(chmod("d", folders[i].mode), errno);
		assert_int_equal(folder_check("d", &problem),
				 expected ? -EPERM : 0);
		if (expected)
			assert_non_null(strstr(problem, expected));
		else
			assert_null(problem);
	}
}

static void a_plain_user_looks_at_the_last_one(void **state)
{
	_cleanup_(mem_freep) char *problem = NULL;
	_cleanup_(mem_freep) char *other = NULL;

	(void)state;
	if (geteuid() != 0)
		skip_because("only root can be somebody else");
	scratch_folder("d");
	assert_return_code(chown("d", STRANGER, 0), errno);
	assert_return_code(chmod("d", 0775), errno);
	assert_return_code(chmod(".", 0755), errno);
	assert_return_code(seteuid(STRANGER), errno);
	assert_int_equal(folder_check("d", &problem), 0);
	assert_return_code(seteuid(STRANGER), errno);
	assert_return_code(chmod("d", 0777), errno);
	assert_int_equal(folder_check("d", &problem), -EPERM);
	assert_return_code(seteuid(0), errno);
	assert_non_null(strstr(problem, "/d may be written to by others"));
	assert_return_code(seteuid(STRANGER + 1), errno);
	assert_int_equal(folder_check("d", &other), -EPERM);
	assert_return_code(seteuid(0), errno);
	assert_non_null(strstr(other, "/d belongs to somebody else"));
	mem_freep(&problem);
	assert_int_equal(folder_check("missing", &problem), -ENOENT);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(it_is_born_for_everybody),
		IN_A_FOLDER(the_umask_stays),
		IN_A_FOLDER(what_was_removed_is_made_again),
		IN_A_FOLDER(another_that_took_the_place_keeps_it),
		IN_A_FOLDER(a_path_has_a_limit),
		IN_A_FOLDER(only_a_folder_of_root_or_the_same_user_will_do),
		IN_A_FOLDER(a_plain_user_looks_at_the_last_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
