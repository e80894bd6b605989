#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "../support/outcome.h"

/* What the cases in tests/corpus/hocon cannot say. */

static struct outcome read_hocon(struct str text)
{
	struct read_options options = outcome_options(READ_HOCON);

	options.may_include = true; /* else it may be taken for YAML */
	return outcome_of(&options, text);
}

static struct outcome read_strictly(struct str text)
{
	struct read_options options = outcome_options(READ_HOCON);

	options.may_include = true;
	options.dialect = READ_STRICT;
	return outcome_of(&options, text);
}

static void assert_pos(struct outcome *result, const char *path, uint32_t line,
		       uint32_t column)
{
	const struct value *value = docs_find(result->doc->root, path);
	struct pos pos;

	assert_non_null(value);
	pos = doc_pos(result->doc, value);
	assert_int_equal(pos.line, line);
	assert_int_equal(pos.column, column);
}

static void every_value_knows_where_it_stands(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result = read_hocon(
		STR("# c\na = 1\nb {\n\tc = \"x\", d = [one two, [true]]\n}\n"
		    "e =\n  ${a}\nf = x ${a}\n\"\xC3\xA9\" = null\n"));

	(void)state;
	assert_pos(&result, "a", 2, 5);
	assert_pos(&result, "b", 3, 3);
	assert_pos(&result, "b.c", 4, 6);
	assert_pos(&result, "b.d.0", 4, 16);
	assert_pos(&result, "b.d.1.0", 4, 26);
	assert_pos(&result, "e", 7, 3);
	assert_pos(&result, "f", 8, 5);
	assert_pos(&result, "\xC3\xA9", 9, 7);
}

static void a_substituted_object_stands_where_it_is_substituted(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result =
		read_hocon(STR("a { x = 1 }\nb = ${a}\n"));

	(void)state;
	assert_pos(&result, "b", 2, 5);
	assert_pos(&result, "b.x", 1, 9);
	assert_pos(&result, "a", 1, 3);
}

static void keys_keep_the_order_in_which_they_came(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result =
		read_hocon(STR("b = 1\na = ${?n}\nc = 2\nb = 3\na.x = 1\n"));

	(void)state;
	outcome_assert_json(&result, "{\"b\":3,\"a\":{\"x\":1},\"c\":2}");
}

/* @count times @what. */
static char *repeated(const char *what, size_t count)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	while (count--)
		buf_puts(&text, what);
	(void)buf_str(&text);
	return buf_take(&text);
}

static void assert_too_deep(const char *what)
{
	_cleanup_(mem_freep) char *text = repeated(what, 100000);
	_cleanup_(outcome_deinit) struct outcome result =
		read_hocon(str_from(text));

	assert_null(result.doc);
	assert_non_null(strstr(result.diag.text, "nested deeper"));
}

static void depth_is_limited(void **state)
{
	_cleanup_(mem_freep) char *open = repeated("a{", 128);
	_cleanup_(mem_freep) char *close = repeated("}", 128);
	_cleanup_(mem_freep) char *text = mem_printf("%s%s", open, close);
	_cleanup_(outcome_deinit) struct outcome result =
		read_hocon(str_from(text));

	(void)state;
	assert_non_null(result.doc);
	assert_too_deep("a{");
	assert_too_deep("a={");
	assert_too_deep("a=[{");
	assert_too_deep("a.b.c.d.e.f.g.h.i.j.k.l.m{");
}

static void dotted_keys_may_be_long_but_not_endless(void **state)
{
	_cleanup_(mem_freep) char *key = repeated("a.", 800);
	_cleanup_(mem_freep) char *long_key = repeated("a.", 2000);
	_cleanup_(mem_freep) char *text = mem_printf("%sb = 1", key);
	_cleanup_(mem_freep) char *long_text = mem_printf("%sb = 1", long_key);
	_cleanup_(mem_freep) char *subst = mem_printf("c = ${%sb}", long_key);
	_cleanup_(outcome_deinit) struct outcome result =
		read_hocon(str_from(text));

	(void)state;
	assert_non_null(result.doc);
	outcome_deinit(&result);
	result = read_hocon(str_from(long_text));
	outcome_assert_complaint(&result, "1:1: this key has too many parts");
	outcome_deinit(&result);
	result = read_hocon(str_from(subst));
	outcome_assert_complaint(&result, "1:5: this path has too many parts");
}

/* What ClearML refuses, and the place that says so. */
static const struct {
	const char *text, *complaint;
} departures[] = {
	{"a = 1\na { x = 1 }",
	 "2:3: ClearML refuses this: an object for a key that has a plain "
	 "value"},
	{"a { x = 1 }\na = ${b}\nb = 1",
	 "2:5: ClearML refuses this: an object replaced by a substitution that "
	 "is none"},
	{"b = 1\na = ${?b.c}",
	 "2:5: ClearML refuses this: a path through something that is not an "
	 "object"},
	{"a = ${b.c}\nb = ${d}\nd { c = 1 }",
	 "1:5: ClearML refuses this: a path through a key that is itself a "
	 "substitution"},
	{"b = 1\na = ${ b }",
	 "2:5: ClearML refuses this: spaces around the path"},
	{"a.\"b\" = 1",
	 "1:1: ClearML refuses this: a key with these characters, or in "
	 "several parts"},
	{"\xD0\xB6 = 1",
	 "1:1: ClearML refuses this: a key with these characters, or in "
	 "several parts"},
	{"a =\f1",
	 "1:4: ClearML refuses this: an unusual white space character"},
	{"a = x\xC2\xA0y",
	 "1:6: ClearML refuses this: an unusual white space character"},
	{"a = [1]\na += x", "2:6: ClearML refuses this: text added to a list"},
	/* As many parts as there is room for at first. */
	{"a = [1] [2] [3] { \"0\" = 4 }",
	 "1:5: ClearML refuses this: an object whose keys are numbers, joined "
	 "to a list as one"},
};

static void strict_refuses_what_clearml_refuses(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(departures); i++) {
		result = read_hocon(str_from(departures[i].text));
		assert_non_null(result.doc);
		assert_true(result.doc->warnings.count > 0);
		outcome_deinit(&result);
		result = read_strictly(str_from(departures[i].text));
		outcome_assert_complaint(&result, departures[i].complaint);
		outcome_deinit(&result);
	}
}

static void strict_takes_what_clearml_takes(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result = read_strictly(
		STR("a = [\"\"]\nb = x true\nb += y\nc = \"\\u0041\"\n"
		    "d = [${?n}]\no { a = 1 }\no { a { x = 1 } }\n"
		    "e = ${?n}\ne = ${?n}\nf = ${?f} x\n"));

	(void)state;
	outcome_assert_json(&result, "{\"a\":[],\"b\":\"x True y\","
				     "\"c\":\"\\\\u0041\",\"d\":[],"
				     "\"o\":{\"a\":{\"x\":1}},\"f\":\"x\","
				     "\"e\":null}");
}

static void the_first_error_wins_and_quotes_no_value(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result =
		read_hocon(STR("password = s3cret@host\nb = {\n"));

	(void)state;
	outcome_assert_complaint(&result,
				 "1:18: '@' cannot stand here without quotes");
	assert_null(strstr(result.diag.text, "s3cret"));
}

static struct outcome read_variable(struct str text)
{
	struct read_options options = outcome_options(READ_VALUE);

	options.under = STR("a.b");
	return outcome_of(&options, text);
}

static void assert_variable(const char *text, const char *json)
{
	_cleanup_(outcome_deinit) struct outcome result =
		read_variable(str_from(text));

	outcome_assert_json(&result, json);
}

static void a_variable_is_one_value_or_a_string(void **state)
{
	(void)state;
	assert_variable("5", "{\"a\":{\"b\":5}}");
	assert_variable(" [1, x] \n", "{\"a\":{\"b\":[1,\"x\"]}}");
	assert_variable("{c = [1 # one\n]}", "{\"a\":{\"b\":{\"c\":[1]}}}");
	assert_variable("\"5\"", "{\"a\":{\"b\":\"5\"}}");
	assert_variable("", "{\"a\":{\"b\":\"\"}}");
	/* After "a.b: ", as ClearML reads it. */
	assert_variable("x\ty", "{\"a\":{\"b\":\"x  y\"}}");
	assert_variable("1 # one", "{\"a\":{\"b\":\"1 # one\"}}");
	assert_variable("1\nc = 2", "{\"a\":{\"b\":\"1\\nc = 2\"}}");
	assert_variable("1,", "{\"a\":{\"b\":\"1,\"}}");
	assert_variable("[1", "{\"a\":{\"b\":\"[1\"}}");
	assert_variable("u@h", "{\"a\":{\"b\":\"u@h\"}}");
	assert_variable("${n}", "{\"a\":{\"b\":\"${n}\"}}");
	assert_variable("${?n}", "{}");
	assert_variable("include \"x\"",
			"{\"a\":{\"b\":\"include \\\"x\\\"\"}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_knows_where_it_stands),
		cmocka_unit_test(
			a_substituted_object_stands_where_it_is_substituted),
		cmocka_unit_test(keys_keep_the_order_in_which_they_came),
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(dotted_keys_may_be_long_but_not_endless),
		cmocka_unit_test(strict_refuses_what_clearml_refuses),
		cmocka_unit_test(strict_takes_what_clearml_takes),
		cmocka_unit_test(the_first_error_wins_and_quotes_no_value),
		cmocka_unit_test(a_variable_is_one_value_or_a_string),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
