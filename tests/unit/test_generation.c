#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>

#include "../support/scratch.h"
#include "state/generation.h"

/* Wall clock milliseconds of 2020: no counter that began at 1 gets there. */
#define CLOCK_FROM UINT64_C(1577836800000)

static uv_loop_t loop;

static int enter(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	scratch_enter();
	scratch_folder("state");
	return 0;
}

static int leave(void **state)
{
	(void)state;
	assert_int_equal(uv_loop_close(&loop), 0);
	scratch_leave();
	return 0;
}

static void start(struct generation *generation)
{
	generation_init(generation, &loop, scratch_at("state"));
}

/* As the daemon does: the loop ends first. */
static void end(struct generation *generation)
{
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	generation_deinit(generation);
}

/* The ceiling on disk. */
static uint64_t read_ceiling(void)
{
	FILE *file = fopen("state/generation", "re");
	char text[32], *end;
	uint64_t ceiling;

	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	assert_int_equal(fclose(file), 0);
	ceiling = strtoull(text, &end, 10);
	assert_string_equal(end, "\n");
	return ceiling;
}

static void it_counts_from_one(void **state)
{
	struct generation generation;

	(void)state;
	start(&generation);
	for (uint64_t i = 1; i <= 5000; i++)
		assert_int_equal(generation_next(&generation), i);
	end(&generation);
}

static void the_ceiling_on_disk_is_ahead_of_every_number(void **state)
{
	struct generation generation;

	(void)state;
	start(&generation);
	for (int i = 0; i < 3000; i++)
		assert_true(generation_next(&generation) < read_ceiling());
	end(&generation);
}

static uint64_t take(struct generation *generation, int count)
{
	uint64_t last = 0;

	for (int i = 0; i < count; i++)
		last = generation_next(generation);
	return last;
}

/* So that no number has to wait for the disk: it may even be gone. */
static void the_next_ceiling_is_written_ahead(void **state)
{
	struct generation generation;

	(void)state;
	start(&generation);
	(void)take(&generation, 499);
	assert_false(uv_loop_alive(&loop));
	assert_int_equal(read_ceiling(), 1001);
	(void)take(&generation, 2);
	assert_true(uv_loop_alive(&loop));
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(read_ceiling(), 2001);
	scratch_remove("state/generation");
	scratch_folder("state/generation/full");
	assert_int_equal(take(&generation, 999), 1500);
	end(&generation);
}

static void what_could_not_be_written_ahead_is_tried_again(void **state)
{
	struct generation generation;

	(void)state;
	start(&generation);
	(void)take(&generation, 400);
	scratch_remove("state/generation");
	scratch_folder("state/generation/full");
	(void)take(&generation, 200);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	scratch_remove("state/generation/full");
	scratch_remove("state/generation");
	assert_int_equal(take(&generation, 401), 1001);
	assert_int_equal(read_ceiling(), 2001);
	end(&generation);
}

static void it_grows_over_restarts(void **state)
{
	struct generation generation;
	uint64_t last = 0, next;

	(void)state;
	for (int restart = 0; restart < 5; restart++) {
		start(&generation);
		for (int i = 0; i <= restart * 700; i++) {
			next = generation_next(&generation);
			assert_true(next > last);
			last = next;
		}
		end(&generation);
	}
	assert_true(last < 20000);
}

/* A process that takes @count numbers, says the last, and is killed. */
static void be_killed(int fd, int count)
{
	struct generation generation;
	uint64_t last = 0;

	if (uv_loop_init(&loop)) /* the other one is its parent's */
		_exit(1);
	start(&generation);
	for (int i = 0; i < count; i++)
		last = generation_next(&generation);
	if (write(fd, &last, sizeof(last)) == sizeof(last))
		(void)raise(SIGKILL);
	_exit(1);
}

static void it_grows_over_a_kill(void **state)
{
	uint64_t last = 0, next;
	int fds[2], status;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	for (int kill = 0; kill < 4; kill++) {
		child = fork();
		assert_true(child >= 0);
		if (child == 0)
			be_killed(fds[1], 1 + kill * 900);
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(read(fds[0], &next, sizeof(next)),
				 sizeof(next));
		assert_true(next > last);
		last = next;
	}
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void a_restart_without_a_number_changes_nothing(void **state)
{
	struct generation generation;

	(void)state;
	start(&generation);
	assert_int_equal(generation_next(&generation), 1);
	end(&generation);
	for (int i = 0; i < 3; i++) {
		start(&generation);
		end(&generation);
	}
	start(&generation);
	assert_true(generation_next(&generation) <= 1002);
	end(&generation);
}

static void assert_starts_at_the_clock(const char *folder)
{
	struct generation generation;
	uint64_t last, next;

	generation_init(&generation, &loop, folder);
	last = generation_next(&generation);
	assert_true(last > CLOCK_FROM);
	for (int i = 0; i < 2000; i++) {
		next = generation_next(&generation);
		assert_true(next > last);
		last = next;
	}
	end(&generation);
}

static void without_a_folder_it_starts_at_the_clock(void **state)
{
	(void)state;
	assert_starts_at_the_clock(NULL);
	assert_starts_at_the_clock(scratch_at("none"));
	scratch_write("file", "");
	assert_starts_at_the_clock(scratch_at("file"));
}

/* Root writes everywhere; so the file is one that nobody can replace. */
static void without_a_writable_folder_it_starts_at_the_clock(void **state)
{
	(void)state;
	scratch_folder("state/generation/full");
	assert_starts_at_the_clock(scratch_at("state"));
}

static void a_folder_that_becomes_writable_is_used(void **state)
{
	struct generation generation;
	uint64_t last;

	(void)state;
	scratch_folder("state/generation/full");
	start(&generation);
	last = generation_next(&generation);
	scratch_remove("state/generation");
	assert_true(generation_next(&generation) > last);
	assert_true(read_ceiling() > last);
	end(&generation);
}

/* Numbers were used, nobody knows which. */
static void a_file_without_sense_means_the_clock(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		"x\n",
		"-5\n",
		"+5\n",
		" 5\n",
		"5",
		"5 x\n",
		"5\n5\n",
		"0x10\n",
		"1e3\n",
		"\xff\n",
		"18446744073709551615\n",
		"99999999999999999999\n",
		"9007199254740993\n",
		("5555555555555555555555555555555555555555555555555555555555"
		 "5555555\n"),
	};
	uint64_t ceiling;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		scratch_write("state/generation", texts[i]);
		assert_starts_at_the_clock(scratch_at("state"));
		ceiling = read_ceiling();
		assert_true(ceiling > CLOCK_FROM);
		assert_true(ceiling < (UINT64_C(1) << 53));
	}
}

static void an_earlier_ceiling_is_the_start(void **state)
{
	struct generation generation;

	(void)state;
	scratch_write("state/generation", "41000\n");
	start(&generation);
	assert_int_equal(generation_next(&generation), 41001);
	assert_int_equal(read_ceiling(), 42001);
	end(&generation);
}

/* Which happens with two sockets: neither uses a number of the other's, nor
 * takes back the ceiling. */
static void two_on_one_folder_share_no_number(void **state)
{
	struct generation a, b;
	static bool used[40000];
	uint64_t next, ceiling = 0;

	(void)state;
	memset(used, 0, sizeof(used));
	start(&a);
	start(&b);
	for (int i = 0; i < 8000; i++) {
		next = generation_next(i % 3 ? &a : &b);
		assert_true(next < sizeof(used));
		assert_false(used[next]);
		used[next] = true;
		assert_true(read_ceiling() >= ceiling);
		ceiling = read_ceiling();
		assert_true(next < ceiling);
	}
	end(&a);
	end(&b);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
	const struct CMUnitTest tests[] = {
		TEST(it_counts_from_one),
		TEST(the_ceiling_on_disk_is_ahead_of_every_number),
		TEST(the_next_ceiling_is_written_ahead),
		TEST(what_could_not_be_written_ahead_is_tried_again),
		TEST(it_grows_over_restarts),
		TEST(it_grows_over_a_kill),
		TEST(a_restart_without_a_number_changes_nothing),
		TEST(without_a_folder_it_starts_at_the_clock),
		TEST(without_a_writable_folder_it_starts_at_the_clock),
		TEST(a_folder_that_becomes_writable_is_used),
		TEST(a_file_without_sense_means_the_clock),
		TEST(an_earlier_ceiling_is_the_start),
		TEST(two_on_one_folder_share_no_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
