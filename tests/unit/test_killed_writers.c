/*
 * Who writes a file is killed before and after each of its system calls: what
 * is there then is the old file or the new one, as private as it is to be, and
 * whatever else lies beside it is nobody else's to read.
 *
 * The writer is a child that is traced (ptrace(2)) and lives for one more stop
 * each time, until it comes to its end.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "../support/scratch.h"
#include "../support/skipping.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "fetch/cache_file.h"
#include "state/generation.h"
#include "text/target.h"

#define SIZE                                                                   \
	((size_t)100000) /* more than a page, less than a test's patience */

struct writer {
	const char *folder, *name;
	mode_t mode;
	void (*write)(struct str bytes);
};

static void make_bytes(struct buf *bytes, char letter)
{
	for (size_t i = 0; i < SIZE; i++)
		buf_putc(bytes, letter);
}

/* --- writers --- */

static void write_file(struct str bytes)
{
	_cleanup_(file_closep) int dir =
		open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(file_replace(dir, "file", bytes, 0600), 0);
}

static void write_cache(struct str bytes)
{
	assert_int_equal(cache_file_write(".", "lab.cache", bytes), 0);
}

static void write_dump(struct str bytes)
{
	struct target_wish wish = {
		.path = scratch_at("dump"),
		.mode = 0640,
		.uid = TARGET_NOBODY,
		.gid = (gid_t)-1,
	};
	struct target target = {.dirfd = -1};

	assert_int_equal(target_open(&target, &wish), 0);
	assert_int_equal(target_write(&target, bytes), TARGET_WRITTEN);
	target_deinit(&target);
}

/* --- the hangman --- */

/* The child stops once before it writes. */
static pid_t start(void (*work)(struct str), struct str bytes)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)umask(0);
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(1);
		(void)raise(SIGSTOP);
		work(bytes);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!WIFSTOPPED(status))
		skip_because("nobody may trace here");
	assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, NULL,
				(unsigned long)PTRACE_O_EXITKILL),
			 0);
	return pid;
}

/* Let it go on for so many stops, at system calls' begins and ends, and kill it
 * there. False: it came to its end before. */
static bool kill_at(pid_t pid, unsigned int stops)
{
	int status;

	for (unsigned int i = 0; i < stops; i++) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			return false;
		}
		assert_true(WIFSTOPPED(status));
	}
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	return true;
}

/* --- what is left --- */

/* '\0' when there is no such file; fails when it is not all of one letter. */
static char letter_in(int dir, const char *name)
{
	_cleanup_(file_closep) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	_cleanup_(mem_freep) char *bytes = mem_alloc(SIZE + 1);

	if (fd < 0)
		return '\0';
	assert_int_equal(read(fd, bytes, SIZE + 1), SIZE);
	for (size_t i = 1; i < SIZE; i++)
		assert_int_equal(bytes[i], bytes[0]);
	return bytes[0];
}

/* What was on its way is whole as soon as it has a name, and goes. */
static void look_beside(const struct writer *writer, int dir)
{
	DIR *entries = opendir(writer->folder);
	struct dirent *entry;
	struct stat st;

	assert_non_null(entries);
	while ((entry = readdir(entries))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		assert_int_equal(fstatat(dir, entry->d_name, &st, 0), 0);
		assert_int_equal(st.st_mode & 0777 & ~writer->mode, 0);
		assert_int_not_equal(letter_in(dir, entry->d_name), '\0');
		if (strcmp(entry->d_name, writer->name) != 0)
			assert_int_equal(unlinkat(dir, entry->d_name, 0), 0);
	}
	(void)closedir(entries);
}

static char look(const struct writer *writer)
{
	_cleanup_(file_closep) int dir =
		open(writer->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return '\0'; /* not even the folder */
	look_beside(writer, dir);
	return letter_in(dir, writer->name);
}

/* @before: the letter of the old file; '\0': there is none. */
static void kill_everywhere(const struct writer *writer, char before)
{
	_cleanup_(buf_deinit) struct buf old = BUF_INIT, new = BUF_INIT;
	unsigned int stops = 0, counts[2] = {0};
	bool killed = true;
	char found;

	make_bytes(&old, 'o');
	make_bytes(&new, 'n');
	while (killed) {
		scratch_leave();
		scratch_enter();
		if (before)
			writer->write(buf_str(&old));
		killed = kill_at(start(writer->write, buf_str(&new)), ++stops);
		found = look(writer);
		assert_true(found == before || found == 'n');
		assert_true(killed || found == 'n');
		counts[found == 'n']++;
	}
	/* At least: open, chmod, write, sync, name it, rename. */
	assert_true(stops > 12 && counts[0] > 8 && counts[1] > 1);
}

static void kill_writer(const struct writer *writer)
{
	kill_everywhere(writer, 'o');
	kill_everywhere(writer, '\0');
}

static void a_file_is_old_or_new(void **state)
{
	(void)state;
	kill_writer(&(struct writer){".", "file", 0600, write_file});
}

static void so_is_the_cache(void **state)
{
	(void)state;
	kill_writer(&(struct writer){"cache", "lab.cache", 0600, write_cache});
}

static void so_is_a_dump(void **state)
{
	(void)state;
	kill_writer(&(struct writer){".", "dump", 0640, write_dump});
}

static void take_number(struct str bytes)
{
	struct generation generation;

	(void)bytes;
	generation_init(&generation, NULL, ".");
	(void)generation_next(&generation);
	generation_deinit(&generation);
}

/* Whatever moment it is killed at, none is taken twice. */
static void generations_only_grow(void **state)
{
	struct generation generation;
	uint64_t before = 0, next;
	unsigned int stops = 0;
	bool killed = true;

	(void)state;
	while (killed) {
		killed = kill_at(start(take_number, STR("")), ++stops);
		generation_init(&generation, NULL, ".");
		next = generation_next(&generation);
		generation_deinit(&generation);
		assert_true(next > before);
		before = next;
	}
	assert_true(stops > 12);
}

static int set_up(void **state)
{
	(void)state;
	scratch_enter();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_leave();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_is_old_or_new, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(so_is_the_cache, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(so_is_a_dump, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(generations_only_grow, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
