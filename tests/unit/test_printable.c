/* What a terminal would obey, and what it shows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/printable.h"

static void assert_shown(const char *text, const char *marked,
			 const char *escaped)
{
	_cleanup_(buf_deinit) struct buf a = BUF_INIT, b = BUF_INIT;

	printable_add(&a, str_from(text));
	printable_add_escaped(&b, str_from(text));
	assert_string_equal(buf_str(&a).ptr, marked);
	assert_string_equal(buf_str(&b).ptr, escaped);
}

static void what_a_terminal_shows_stays(void **state)
{
	(void)state;
	assert_shown("", "", "");
	assert_shown("a b~", "a b~", "a b~");
	assert_shown("\xc3\xa9\xc2\xa0\xe2\x82\xac",
		     "\xc3\xa9\xc2\xa0\xe2\x82\xac",
		     "\xc3\xa9\xc2\xa0\xe2\x82\xac");
}

static void what_a_terminal_obeys_does_not(void **state)
{
	(void)state;
	assert_shown("a\x1b[31m", "a?[31m", "a\\u001b[31m");
	assert_shown("\x7f\x07", "??", "\\u007f\\u0007");
	assert_shown("\xc2\x80\xc2\x9fx", "??x", "\\u0080\\u009fx");
	assert_shown("a\n\tb\r", "a??b?", "a\n\tb\\u000d");
}

/* U+202E, U+2066, U+061C, U+2028: what follows reads as another text. */
static void what_turns_the_direction_does_not(void **state)
{
	(void)state;
	assert_shown("a\xe2\x80\xae"
		     "b",
		     "a?b", "a\\u202eb");
	assert_shown("\xe2\x81\xa6\xd8\x9c\xe2\x80\xa8", "???",
		     "\\u2066\\u061c\\u2028");
	assert_shown("\xe2\x80\xa6\xd8\xb9\xf0\x9f\x98\x80",
		     "\xe2\x80\xa6\xd8\xb9\xf0\x9f\x98\x80",
		     "\xe2\x80\xa6\xd8\xb9\xf0\x9f\x98\x80");
}

static void what_is_kept_stays(void **state)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	(void)state;
	printable_add_but(&out, STR("a\tb\nc"), "\t");
	assert_string_equal(buf_str(&out).ptr, "a\tb?c");
}

static void a_character_that_is_cut_is_no_control(void **state)
{
	(void)state;
	assert_shown("\xc2", "?", "\xc2");
	assert_shown("\xff\xe2\x80", "???", "\xff\xe2\x80");
	assert_int_equal(printable_control_at(STR("")), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_terminal_shows_stays),
		cmocka_unit_test(what_a_terminal_obeys_does_not),
		cmocka_unit_test(what_turns_the_direction_does_not),
		cmocka_unit_test(what_is_kept_stays),
		cmocka_unit_test(a_character_that_is_cut_is_no_control),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
