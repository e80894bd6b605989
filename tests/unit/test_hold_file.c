#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>

#include "../support/holds.h"
#include "base/clock.h"
#include "fetch/cache_file.h"

/* --- over restarts -------------------------------------------------------- */

static void a_restart_holds_the_same(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(mem_freep) char *was = NULL, *is = NULL;

	start_with(fixture, "a: 1\nb { c: ${?HOME}x, d: [1, 2.5, null] }");
	was = bytes_of(fixture);
	save(fixture, "a: 2");
	hold(fixture, 1);
	scratch_write("clearml.conf", "a: 3");
	start_again(fixture);
	is = bytes_of(fixture);
	assert_string_equal(was, is);
	assert_int_equal(hold_of(fixture)->state, HOLD_ON);
	assert_int_equal(hold_generation(hold_of(fixture)), 1);
	assert_string_equal(hold_of(fixture)->record->reason, "a test");
	assert_int_equal(hold_of(fixture)->record->uid, 4711);
	assert_int_equal(fixture->workspace->snapshot->cause, CAUSE_START);
	assert_true(hold_of(fixture)->differs);
	/* As one that was begun here. */
	save(fixture, "a: 4");
	assert_value(fixture, "a", "1");
	start_again(fixture);
	assert_value(fixture, "a", "1");
	release(fixture);
	assert_value(fixture, "a", "4");
	start_again(fixture);
	assert_value(fixture, "a", "4");
}

static void secrets_of_a_hold_that_was_kept_stay_known(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, "pass: swordfish-4711");
	hold(fixture, 0);
	scratch_write("clearml.conf", "a: 1");
	secrets_forget(fixture->host.secrets);
	start_again(fixture);
	assert_true(secrets_count(fixture->host.secrets) > 0);
	secrets_forget(fixture->host.secrets);
	workspace_learn_secrets(fixture->workspace);
	assert_true(secrets_count(fixture->host.secrets) > 0);
}

/* --- files that are not believed ------------------------------------------ */

static char *read_whole(size_t *len)
{
	FILE *file = fopen(scratch_at(HOLD_FILE), "r");
	char *bytes = mem_alloc(1 << 20);

	assert_non_null(file);
	*len = fread(bytes, 1, 1 << 20, file);
	assert_int_equal(fclose(file), 0);
	return bytes;
}

static void write_whole(const char *bytes, size_t len)
{
	const char *path = scratch_at(HOLD_FILE);
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

static struct hold_record *look(struct diag *diag)
{
	static const struct hold_owner nobody;
	const struct hold_query query = {
		.state_dir = scratch_root,
		.workspace = "default",
		.owner = &nobody,
		.now = time(NULL),
		.agent = true,
	};

	return hold_file_read(&query, diag);
}

static void assert_refused(const char *why)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;

	assert_null(look(&diag));
	assert_true(diag_failed(&diag));
	if (!strstr(diag.text, why))
		fail_msg("\"%s\" does not say \"%s\"", diag.text, why);
	assert_true(is_set_aside());
	assert_int_equal(unlink(scratch_at(HOLD_FILE ".bad")), 0);
}

static void damage_anywhere_is_noticed(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(mem_freep) char *bytes = NULL;
	size_t len;

	start_with(fixture, "a: 1");
	hold(fixture, 0);
	close_workspace(fixture);
	bytes = read_whole(&len);
	for (size_t i = 0; i < len; i++) {
		bytes[i] ^= 0x20;
		write_whole(bytes, len);
		assert_refused("");
		bytes[i] ^= 0x20;
	}
	for (size_t i = 0; i < len; i++) {
		write_whole(bytes, i);
		assert_refused("");
	}
	write_whole(bytes, len);
	start(fixture);
	assert_int_equal(hold_of(fixture)->state, HOLD_ON);
}

static void a_damaged_file_holds_nothing_and_is_kept_for_people(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, "a: 1");
	hold(fixture, 0);
	scratch_write("clearml.conf", "a: 2");
	close_workspace(fixture);
	write_whole("clearconf-hold 1 nonsense", 25);
	start(fixture);
	assert_value(fixture, "a", "2");
	assert_false(hold_is_on(hold_of(fixture)));
	assert_true(is_set_aside());
	hold(fixture, 0); /* and there can be another */
}

static void a_file_of_a_newer_version_is_not_understood(void **state)
{
	static const char newer[] = "clearconf-hold 2 and all that follows\n";

	(void)state;
	write_whole(newer, sizeof(newer) - 1);
	assert_refused("2");
}

static void what_is_no_file_of_ours_is_not_read(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, "a: 1");
	hold(fixture, 0);
	close_workspace(fixture);
	assert_int_equal(chmod(scratch_at(HOLD_FILE), 0644), 0);
	assert_refused("0600");
	write_whole("x", 1);
	assert_int_equal(link(scratch_at(HOLD_FILE), scratch_at("other")), 0);
	assert_refused("another name");
	scratch_link("other", HOLD_FILE);
	assert_refused("symbolic link");
	assert_int_equal(mkfifo(scratch_at(HOLD_FILE), 0600), 0);
	assert_refused("regular");
}

/* Write the file of what the workspace serves, but with other @times. */
static void rewrite(struct fixture *fixture, int64_t since, int64_t until)
{
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
	struct hold_record record = {
		.snapshot = fixture->workspace->snapshot,
		.generation = 1,
		.since = since,
		.until = until,
		.reason = "a test",
	};

	hold_file_compose(&bytes, "default", &record);
	close_workspace(fixture);
	write_whole(bytes.data, bytes.len);
	scratch_write("clearml.conf", "a: 2");
	start(fixture);
}

static void a_file_of_another_workspace_holds_nothing(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
	struct hold_record record = {.reason = "a test"};

	start_with(fixture, "a: 1");
	record.snapshot = fixture->workspace->snapshot;
	hold_file_compose(&bytes, "another", &record);
	write_whole(bytes.data, bytes.len);
	assert_refused("another workspace");
}

static void a_file_of_the_future_holds_nothing(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, "a: 1");
	rewrite(fixture, time(NULL) + INT64_C(172800), 0);
	assert_value(fixture, "a", "2");
	assert_true(is_set_aside());
}

static void touch(const char *name, int64_t age)
{
	const struct timespec times[2] = {{.tv_sec = time(NULL) - age},
					  {.tv_sec = time(NULL) - age}};

	scratch_write(name, "x");
	assert_int_equal(utimensat(AT_FDCWD, scratch_at(name), times, 0), 0);
}

static void what_nobody_needs_any_more_is_swept(void **state)
{
	static const char *const declared[] = {"one"};
	struct cache_sweep sweep = {
		.state_dir = scratch_root, .workspaces = declared, .count = 1};

	(void)state;
	touch("one.hold", 200);
	touch("two.hold", 200);
	touch("three.hold", 50);
	touch("one.hold.bad", 200);
	touch("two.hold.bad", 50);
	touch("other", 200);
	assert_int_equal(hold_file_sweep(&sweep), 0); /* nothing is too old */
	sweep.max_age = 100;
	assert_int_equal(hold_file_sweep(&sweep), 2);
	assert_int_equal(access(scratch_at("two.hold"), F_OK), -1);
	assert_int_equal(access(scratch_at("one.hold.bad"), F_OK), -1);
	assert_int_equal(access(scratch_at("one.hold"), F_OK), 0);
}

/* --- its time ------------------------------------------------------------- */

static void it_ends_when_its_time_is_over(void **state)
{
	struct fixture *fixture = *state;
	struct hold *held;

	start_with(fixture, "a: 1");
	ask(fixture, 0, 3600);
	wait_for_disk(fixture);
	held = hold_of(fixture);
	save(fixture, "a: 2");
	workspace_lapse(fixture->workspace);
	assert_value(fixture, "a", "1");
	assert_in_range(workspace_lapses_in(fixture->workspace), 3590000,
			3600000);
	held->ends_ms = clock_boot_ms();
	assert_int_equal(workspace_lapses_in(fixture->workspace), 0);
	workspace_lapse(fixture->workspace);
	assert_value(fixture, "a", "2");
	assert_int_equal(fixture->workspace->snapshot->cause, CAUSE_RELEASE);
	wait_for_disk(fixture);
	assert_false(has_file());
	assert_int_equal(held->state, HOLD_NONE);
}

static void its_time_goes_on_while_nobody_is_there(void **state)
{
	struct fixture *fixture = *state;
	int64_t now = time(NULL);

	start_with(fixture, "a: 1");
	rewrite(fixture, now - 1000, now + 500);
	assert_value(fixture, "a", "1");
	assert_in_range(hold_left(hold_of(fixture), clock_boot_ms()), 490000,
			500000);
}

static void one_that_ran_out_meanwhile_is_not_served(void **state)
{
	struct fixture *fixture = *state;
	int64_t now = time(NULL);

	start_with(fixture, "a: 1");
	rewrite(fixture, now - 1000, now - 500);
	assert_value(fixture, "a", "2");
	assert_int_equal(fixture->generation, 2); /* and has not been */
	wait_for_disk(fixture);
	assert_false(has_file());
}

/* Less than a day into the future is a clock that was set. */
static void a_clock_that_was_set_back_makes_it_no_longer(void **state)
{
	struct fixture *fixture = *state;
	int64_t now = time(NULL);

	start_with(fixture, "a: 1");
	rewrite(fixture, now + 7200, now + 7200 + 60);
	assert_value(fixture, "a", "1");
	assert_in_range(hold_left(hold_of(fixture), clock_boot_ms()), 50000,
			60000);
}

static void another_takes_its_place_and_its_time(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, "a: 1");
	ask(fixture, 0, 60);
	wait_for_disk(fixture);
	hold(fixture, 0);
	assert_int_equal(hold_left(hold_of(fixture), clock_boot_ms()), -1);
}

static void what_a_killed_writer_left_is_swept(void **state)
{
	const struct cache_sweep sweep = {.state_dir = scratch_root};

	(void)state;
	touch(".one.hold.0123456789abcdef", 7200);
	touch(".one.hold.fedcba9876543210", 60);
	assert_int_equal(hold_file_sweep(&sweep), 1);
	assert_int_equal(access(scratch_at(".one.hold.fedcba9876543210"), F_OK),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_restart_holds_the_same),
		TEST(secrets_of_a_hold_that_was_kept_stay_known),
		TEST(damage_anywhere_is_noticed),
		TEST(a_damaged_file_holds_nothing_and_is_kept_for_people),
		TEST(a_file_of_a_newer_version_is_not_understood),
		TEST(what_is_no_file_of_ours_is_not_read),
		TEST(a_file_of_another_workspace_holds_nothing),
		TEST(a_file_of_the_future_holds_nothing),
		TEST(what_nobody_needs_any_more_is_swept),
		TEST(what_a_killed_writer_left_is_swept),
		TEST(it_ends_when_its_time_is_over),
		TEST(its_time_goes_on_while_nobody_is_there),
		TEST(one_that_ran_out_meanwhile_is_not_served),
		TEST(a_clock_that_was_set_back_makes_it_no_longer),
		TEST(another_takes_its_place_and_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
