#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/quiet.h"
#include "../support/scratch.h"
#include "base/buf.h"
#include "base/mem.h"
#include "state/rotation_journal.h"

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

static bool read_journal(struct rotation_journal *journal)
{
	_cleanup_(mem_freep) char *path =
		rotation_journal_path(scratch_root, "red");

	return rotation_journal_read(journal, path);
}

static void what_is_written_is_read_again(void **state)
{
	const struct rotation_journal written = {
		.old = (char *)"OLD",
		.mark = (char *)"a \"mark\"",
		.label = (char *)"box",
		.new = (char *)"NEW",
		.grace = 600,
		.revoke_at = 1796000000,
	};
	_cleanup_(rotation_journal_deinit) struct rotation_journal read;
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;

	(void)state;
	rotation_journal_write(&written, &json);
	scratch_write("red.rotation", buf_str(&json).ptr);
	assert_true(read_journal(&read));
	assert_string_equal(read.old, "OLD");
	assert_string_equal(read.mark, "a \"mark\"");
	assert_string_equal(read.label, "box");
	assert_string_equal(read.new, "NEW");
	assert_int_equal(read.grace, 600);
	assert_int_equal(read.revoke_at, 1796000000);
}

static void what_is_not_known_yet_is_left_out(void **state)
{
	const struct rotation_journal written = {
		.old = (char *)"OLD", .mark = (char *)"m", .revoke_at = -1};
	_cleanup_(rotation_journal_deinit) struct rotation_journal read;
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;

	(void)state;
	rotation_journal_write(&written, &json);
	scratch_write("red.rotation", buf_str(&json).ptr);
	assert_true(read_journal(&read));
	assert_null(read.label);
	assert_null(read.new);
	assert_int_equal(read.revoke_at, -1);
}

static void what_is_no_journal_is_none(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"{}",
		"{\"old\":\"O\"}",
		"{\"old\":1,\"mark\":2}",
		"{\"old\":\"\\u0000O\",\"mark\":\"m\"}",
	};
	struct rotation_journal read;

	(void)state;
	quiet_begin();
	assert_false(read_journal(&read));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		scratch_write("red.rotation", texts[i]);
		assert_false(read_journal(&read));
		assert_null(read.old);
	}
	quiet_end();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_is_read_again),
		TEST(what_is_not_known_yet_is_left_out),
		TEST(what_is_no_journal_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
