#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "fleet/revision.h"

static void what_is_written_is_read(void **state)
{
	const struct revision made = {
		.text = STR("x = \"\xc3\xa9\"\n"),
		.by = STR("a@b"),
		.reason = STR("\"why\""),
		.put = STR("0123456789abcdef"),
		.time = 1764430000,
		.reverts = 7,
	};
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;
	struct revision read;

	(void)state;
	revision_write(&json, &made);
	revision_read(&read, 12, buf_str(&json));
	assert_int_equal(read.number, 12);
	assert_true(str_equal(read.text, made.text));
	assert_true(str_equal(read.by, made.by));
	assert_true(str_equal(read.reason, made.reason));
	assert_int_equal(read.time, made.time);
	assert_int_equal(read.reverts, 7);
	assert_false(revision_is_damaged(&read));
	revision_deinit(&read);
}

static void a_removal_has_no_text(void **state)
{
	const struct revision made = {.put = STR("0123456789abcdef")};
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;
	struct revision read;

	(void)state;
	revision_write(&json, &made);
	revision_read(&read, 1, buf_str(&json));
	assert_null(read.text.ptr);
	assert_false(revision_is_damaged(&read));
	revision_deinit(&read);
}

static void what_is_none_is_damaged(void **state)
{
	static const char *const wrong[] = {"",
					    "x",
					    "[]",
					    "{}",
					    "{\"format\":2,\"put\":\"a\"}",
					    "{\"format\":1,\"text\":\"x\"}"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct revision read;

		revision_read(&read, 1, str_from(wrong[i]));
		assert_true(revision_is_damaged(&read));
		revision_deinit(&read);
	}
}

static void the_number_is_the_rest_of_the_key(void **state)
{
	const struct str folder = STR("/p.revisions/a.conf");

	(void)state;
	assert_int_equal(
		revision_number(STR("/p.revisions/a.conf/0000000012"), folder),
		12);
	assert_int_equal(
		revision_number(STR("/p.revisions/a.conf/000000012"), folder),
		0);
	assert_int_equal(
		revision_number(STR("/p.revisions/a.conf/b/0000000012"),
				folder),
		0);
	assert_int_equal(revision_number(STR("/p.revisions/b"), folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(a_removal_has_no_text),
		cmocka_unit_test(what_is_none_is_damaged),
		cmocka_unit_test(the_number_is_the_rest_of_the_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
