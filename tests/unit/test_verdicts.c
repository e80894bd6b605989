#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "fetch/verdicts.h"

#define REVISION "9f2c1d33ab01"

static void a_name_is_one_of_a_revision(void **state)
{
	_cleanup_(mem_freep) char *name = verdict_name(REVISION);
	static const char *const others[] = {
		"vaults-" REVISION ".bad",
		"vaults-" REVISION "0.bad/",
		"vaults-9F2C1D33AB01.bad/",
		"vaults-.bad/",
		"vaults-bad/",
		"vaults.bad/",
		".bad/",
		"x/vaults-" REVISION ".bad/",
		"vaults-" REVISION ".rollout/",
		"",
	};
	struct str revision;

	(void)state;
	assert_string_equal(name, "vaults-" REVISION ".bad/");
	assert_true(verdict_of_name(str_from(name), &revision));
	assert_true(str_is(revision, REVISION));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		assert_false(verdict_of_name(str_from(others[i]), &revision));
}

static void assert_said(const char *json, const char *said)
{
	_cleanup_(verdicts_deinit) struct verdicts verdicts = {0};

	assert_true(verdicts_set(&verdicts, STR(REVISION), str_from(json)));
	assert_string_equal(verdicts_find(&verdicts, STR(REVISION))->said,
			    said);
}

static void what_the_value_says_is_shown_as_far_as_it_can_be(void **state)
{
	(void)state;
	assert_said("{\"by\":\"a@b\",\"reason\":\"no\"}", "bad, said a@b: no");
	assert_said("{\"by\":\"a@b\",\"format\":9}", "bad, said a@b");
	assert_said("{\"reason\":\"a\\u001b[2J\\nb\"}", "bad: a?[2J?b");
	assert_said("{\"by\":7,\"reason\":null}", "bad");
	assert_said("[", "bad");
	assert_said("", "bad");
}

static void what_is_shown_is_not_too_long(void **state)
{
	_cleanup_(verdicts_deinit) struct verdicts verdicts = {0};
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;
	const char *said;

	(void)state;
	buf_puts(&json, "{\"reason\":\"x");
	for (int i = 0; i < 1000; i++)
		buf_puts(&json, "\xc3\xa9");
	buf_puts(&json, "\"}");
	(void)verdicts_set(&verdicts, STR(REVISION), buf_str(&json));
	said = verdicts_find(&verdicts, STR(REVISION))->said;
	assert_in_range(strlen(said), 298, 300);
	assert_int_equal(str_utf8_invalid(str_from(said)), strlen(said));
}

static void what_is_written_is_read(void **state)
{
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;

	(void)state;
	verdict_write(&json, "a@b", "a \"comma\"", 1);
	buf_putc(&json, '\0');
	assert_said(json.data, "bad, said a@b: a \"comma\"");
}

static void they_come_change_and_go(void **state)
{
	_cleanup_(verdicts_deinit) struct verdicts verdicts = {0};
	const struct str first = STR("000000000001"), other = STR(REVISION);
	const struct str gone = {0};

	(void)state;
	assert_false(verdicts_set(&verdicts, first, gone));
	assert_true(verdicts_set(&verdicts, first, STR("{}")));
	assert_false(verdicts_set(&verdicts, first, STR("{ }")));
	assert_true(verdicts_set(&verdicts, other, STR("{\"by\":\"a\"}")));
	assert_true(verdicts_set(&verdicts, other, STR("{\"by\":\"b\"}")));
	assert_int_equal(verdicts.count, 2);
	assert_true(verdicts_set(&verdicts, first, gone));
	assert_null(verdicts_find(&verdicts, first));
	assert_string_equal(verdicts_find(&verdicts, other)->said,
			    "bad, said b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_one_of_a_revision),
		cmocka_unit_test(
			what_the_value_says_is_shown_as_far_as_it_can_be),
		cmocka_unit_test(what_is_shown_is_not_too_long),
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(they_come_change_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
