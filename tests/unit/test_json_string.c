#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "value/json_string.h"

static void assert_written(struct str text, const char *expected)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	json_write_string(&out, text);
	assert_string_equal(buf_str(&out).ptr, expected);
}

/* @text is a string, whole, that means @meant. */
static void assert_read(struct str text, struct str meant)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	const char *reason;
	size_t used;

	assert_true(json_read_string(text, &out, &used, &reason));
	assert_int_equal(used, text.len);
	assert_true(str_equal(buf_str(&out), meant));
}

static void assert_refused(struct str text, size_t offset, const char *expected)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	const char *reason;
	size_t used;

	assert_false(json_read_string(text, &out, &used, &reason));
	assert_int_equal(used, offset);
	assert_string_equal(reason, expected);
}

static void only_what_json_demands_is_escaped(void **state)
{
	(void)state;
	assert_written(STR(""), "\"\"");
	assert_written((struct str){0}, "\"\"");
	assert_written(STR("plain / text"), "\"plain / text\"");
	assert_written(STR("\"\\"), "\"\\\"\\\\\"");
	assert_written(STR("a\"b"), "\"a\\\"b\"");
	assert_written(STR("\x7f\u00e9\u2028\U0001F600"),
		       "\"\x7f\u00e9\u2028\U0001F600\"");
}

static void every_control_character_is_escaped(void **state)
{
	(void)state;
	assert_written(STR("\0\1\2\3\4\5\6\a"),
		       "\"\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006"
		       "\\u0007\"");
	assert_written(STR("\b\t\n\v\f\r\x0e\x0f"),
		       "\"\\b\\t\\n\\u000b\\f\\r\\u000e\\u000f\"");
	assert_written(STR("\x10\x11\x12\x13\x14\x15\x16\x17"),
		       "\"\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016"
		       "\\u0017\"");
	assert_written(STR("\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"),
		       "\"\\u0018\\u0019\\u001a\\u001b\\u001c\\u001d\\u001e"
		       "\\u001f\"");
}

/* File names and variables need not be UTF-8. */
static void what_is_not_utf8_is_replaced(void **state)
{
	(void)state;
	assert_written(STR("\xff"), "\"\uFFFD\"");
	assert_written(STR("a\xffz\u00e9"), "\"a\uFFFDz\u00e9\"");
	assert_written(STR("\xed\xa0\x80"), "\"\uFFFD\uFFFD\uFFFD\"");
	assert_written(STR("\n\xc3"), "\"\\n\uFFFD\"");
}

static void every_escape_is_understood(void **state)
{
	(void)state;
	assert_read(STR("\"\""), STR(""));
	assert_read(STR("\"abc\""), STR("abc"));
	assert_read(STR("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""),
		    STR("\"\\/\b\f\n\r\t"));
	assert_read(STR("\"\\u0041\\u00e9\\u20AC\\uffff\""),
		    STR("A\u00e9\u20ac\xEF\xBF\xBF"));
	assert_read(STR("\"a\\u0000b\""), STR("a\0b"));
	assert_read(STR("\"\\\\n\""), STR("\\n"));
	assert_read(STR("\"\u00e9\x7f\""), STR("\u00e9\x7f"));
}

static void each_size_of_utf8_begins_in_its_place(void **state)
{
	(void)state;
	assert_read(STR("\"\\u007f\\u0080\""), STR("\x7f\xC2\x80"));
	assert_read(STR("\"\\u07ff\\u0800\""), STR("\xDF\xBF\xE0\xA0\x80"));
	assert_read(STR("\"\\ud7ff\\ue000\""), STR("\xED\x9F\xBF\xEE\x80\x80"));
}

static void surrogate_pairs_are_one_character(void **state)
{
	(void)state;
	assert_read(STR("\"\\uD83D\\uDE00\""), STR("\U0001F600"));
	assert_read(STR("\"\\ud800\\udc00\""), STR("\xF0\x90\x80\x80"));
	assert_read(STR("\"\\udbff\\udfff\""), STR("\xF4\x8F\xBF\xBF"));
}

static void half_a_pair_is_refused(void **state)
{
	static const struct str texts[] = {
		STR("\"ab\\ud800\""),        STR("\"ab\\udc00\""),
		STR("\"ab\\ud800x\""),       STR("\"ab\\ud800\\n\""),
		STR("\"ab\\ud800\\u0041\""), STR("\"ab\\ud800\\ud800\""),
		STR("\"ab\\udc00\\ud800\""), STR("\"ab\\udfff\""),
		STR("\"ab\\ud800\\udbff\""), STR("\"ab\\ud800\\ue000\""),
		STR("\"ab\\ud800\\udc0\""),  STR("\"ab\\ud800\\"),
		STR("\"ab\\ud800\\udc0"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_refused(texts[i], 3, "JSON has no such escape");
}

static void unknown_escapes_are_refused(void **state)
{
	static const struct str texts[] = {
		STR("\"a\\x41\""),   STR("\"a\\'\""),     STR("\"a\\0\""),
		STR("\"a\\U0041\""), STR("\"a\\\0\""),    STR("\"a\\\n\""),
		STR("\"a\\u\""),     STR("\"a\\u004\""),  STR("\"a\\u00g1\""),
		STR("\"a\\u 041\""), STR("\"a\\u+041\""), STR("\"a\\"),
		STR("\"a\\u00"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		assert_refused(texts[i], 2, "JSON has no such escape");
	assert_refused(STR("\"a\\u0041"), 8, "the string is not closed");
}

static void a_string_ends_on_its_line(void **state)
{
	(void)state;
	assert_refused(STR("\""), 1, "the string is not closed");
	assert_refused(STR("\"abc"), 4, "the string is not closed");
	assert_refused(STR("\"ab\nc\""), 3, "the string is not closed");
	assert_refused(STR("\"ab\rc\""), 3, "the string is not closed");
	assert_refused(STR("\"ab\\\""), 5, "the string is not closed");
}

static void bare_control_characters_are_refused(void **state)
{
	static const char reason[] =
		"a control character in a string must be escaped";

	(void)state;
	assert_refused(STR("\"a\tb\""), 2, reason);
	assert_refused(STR("\"a\0b\""), 2, reason);
	assert_refused(STR("\"\x1f\""), 1, reason);
}

static void reading_stops_behind_the_quote(void **state)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	const char *reason;
	size_t used;

	(void)state;
	buf_puts(&out, "before ");
	assert_true(json_read_string(STR("\"a\" \"b\""), &out, &used, &reason));
	assert_int_equal(used, 3);
	assert_string_equal(buf_str(&out).ptr, "before a");
}

static void what_is_written_is_read_back(void **state)
{
	char text[256];

	(void)state;
	for (size_t i = 0; i < 128; i++)
		text[i] = (char)i;
	for (size_t i = 128; i < 256; i++)
		text[i] = i % 2 ? '\xA9' : '\xC3';
	for (size_t len = 0; len <= sizeof(text); len += len < 128 ? 1 : 2) {
		_cleanup_(buf_deinit) struct buf out = BUF_INIT;

		json_write_string(&out, (struct str){text, len});
		assert_read(buf_str(&out), (struct str){text, len});
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_json_demands_is_escaped),
		cmocka_unit_test(every_control_character_is_escaped),
		cmocka_unit_test(what_is_not_utf8_is_replaced),
		cmocka_unit_test(every_escape_is_understood),
		cmocka_unit_test(each_size_of_utf8_begins_in_its_place),
		cmocka_unit_test(surrogate_pairs_are_one_character),
		cmocka_unit_test(half_a_pair_is_refused),
		cmocka_unit_test(unknown_escapes_are_refused),
		cmocka_unit_test(a_string_ends_on_its_line),
		cmocka_unit_test(bare_control_characters_are_refused),
		cmocka_unit_test(reading_stops_behind_the_quote),
		cmocka_unit_test(what_is_written_is_read_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
