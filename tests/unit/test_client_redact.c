#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/docs.h"
#include "call/redact.h"

/* What is shown of @text to who sees @masked of @real. */
static void assert_redacted(const char *real, const char *masked,
			    const char *text, const char *expected)
{
	_cleanup_(doc_unrefp) struct doc *all = docs_read(real);
	_cleanup_(doc_unrefp) struct doc *shown = docs_read(masked);
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	redact_add(&out, str_from(text), all->root, shown->root);
	assert_string_equal(buf_str(&out).ptr, expected);
}

static void what_is_hidden_is_hidden_in_the_words_of_others(void **state)
{
	(void)state;
	assert_redacted("{\"a\":\"sword\",\"b\":\"open\"}",
			"{\"a\":\"****\",\"b\":\"open\"}",
			"bad value sword, not open",
			"bad value ****, not open");
}

static void it_is_hidden_as_a_file_of_json_has_it_too(void **state)
{
	(void)state;
	assert_redacted("{\"a\":\"sw\\\"rd\"}", "{\"a\":\"****\"}",
			"sw\"rd or {\"a\": \"sw\\\"rd\"}",
			"**** or {\"a\": \"****\"}");
}

static void the_longest_is_hidden_whichever_comes_first(void **state)
{
	(void)state;
	assert_redacted("{\"a\":\"sword\",\"b\":\"swordfish\"}",
			"{\"a\":\"****\",\"b\":\"****\"}", "swordfish, swords",
			"****, ****s");
}

static void one_line_of_a_secret_is_hidden(void **state)
{
	(void)state;
	assert_redacted("{\"a\":\"begin\\nmiddle\\nend.\"}", "{\"a\":\"****\"}",
			"at middle:", "at ****:");
}

static void the_hidden_part_of_a_url_is_hidden_alone(void **state)
{
	(void)state;
	assert_redacted("{\"a\":\"http://jane:sword@h/x\"}",
			"{\"a\":\"http://****@h/x\"}",
			"h refused sword of jane", "h refused **** of ****");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			what_is_hidden_is_hidden_in_the_words_of_others),
		cmocka_unit_test(it_is_hidden_as_a_file_of_json_has_it_too),
		cmocka_unit_test(the_longest_is_hidden_whichever_comes_first),
		cmocka_unit_test(one_line_of_a_secret_is_hidden),
		cmocka_unit_test(the_hidden_part_of_a_url_is_hidden_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
