/* The library's scanner hands on exactly what was written, or refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "lib/json_scan.h"

static struct json_slice slice(const char *text)
{
	return (struct json_slice){text, strlen(text)};
}

static bool scan(const char *text, struct json_member *members, size_t count)
{
	return json_scan_object(slice(text), members, count);
}

static void assert_member(const char *text, const char *expected)
{
	struct json_member member = {"a", {0}};

	assert_true(scan(text, &member, 1));
	if (!expected) {
		assert_null(member.value.ptr);
		return;
	}
	assert_int_equal(member.value.len, strlen(expected));
	assert_memory_equal(member.value.ptr, expected, strlen(expected));
}

static void a_value_is_its_exact_text(void **state)
{
	(void)state;
	assert_member("{\"a\":123456789012345678901234567890}",
		      "123456789012345678901234567890");
	assert_member(" { \"b\" : 1 , \"a\" : { \"x\" : [ 1, 2 ] } } ",
		      "{ \"x\" : [ 1, 2 ] }");
	assert_member("{\"a\":\"x\\\"}{\"}", "\"x\\\"}{\"");
	assert_member("{\"a\":[],\"b\":null}", "[]");
	assert_member("{\"a\":true}", "true");
}

static void only_the_top_level_is_looked_at(void **state)
{
	(void)state;
	assert_member("{\"b\":{\"a\":1},\"c\":[{\"a\":2}]}", NULL);
	assert_member("{\"b\":\"\\\"a\\\":1\"}", NULL);
	assert_member("{}", NULL);
}

static void the_last_of_two_members_counts(void **state)
{
	(void)state;
	assert_member("{\"a\":1,\"a\":2}", "2");
}

static void brackets_in_strings_do_not_count(void **state)
{
	(void)state;
	assert_member("{\"b\":[\"]\",\"}\\\\\"],\"a\":1}", "1");
}

static void what_is_no_object_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		" ",
		"[]",
		"1",
		"{",
		"{\"a\"}",
		"{\"a\":}",
		"{\"a\":1",
		"{\"a\":1,}",
		"{\"a\":1}x",
		"{a:1}",
		"{\"a:1}",
		"{\"a\":\"x}",
		"{\"a\":\"x\\\"}",
		"{\"a\":[}",
		"{\"a\" 1}",
		"{,}",
		"{\"a\":1 2}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(scan(bad[i], NULL, 0));
}

/* A message cut anywhere is refused, and never read past its end. */
static void every_beginning_of_an_object_is_refused(void **state)
{
	static const char text[] =
		"{\"error\":\"a.B\",\"parameters\":{\"x\":[\"\\\"\",-1.5e3]}}";

	(void)state;
	for (size_t len = 0; len + 1 < sizeof(text); len++)
		assert_false(json_scan_object((struct json_slice){text, len},
					      NULL, 0));
	assert_true(scan(text, NULL, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_its_exact_text),
		cmocka_unit_test(only_the_top_level_is_looked_at),
		cmocka_unit_test(the_last_of_two_members_counts),
		cmocka_unit_test(brackets_in_strings_do_not_count),
		cmocka_unit_test(what_is_no_object_is_refused),
		cmocka_unit_test(every_beginning_of_an_object_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
