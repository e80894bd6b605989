#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "read/reader.h"
#include "read/schema.h"
#include "value/value.h"

/* The value of `x` in @text. */
static const struct value *read_x(struct doc **doc, const char *text)
{
	const struct read_options options = {.limits = READ_LIMITS_DEFAULT};
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;

	assert_int_equal(
		read_text(doc, "test", str_from(text), &options, &diag), 0);
	return value_get((*doc)->root, STR("x"));
}

static bool accepts(const char *type, const char *text)
{
	const struct schema_key key = {"x", type, ""};
	_cleanup_(doc_unrefp) struct doc *doc = NULL;

	return schema_accepts(&key, read_x(&doc, text));
}

static void assert_accepts(const char *type, const char *const *texts)
{
	for (; *texts; texts++)
		if (!accepts(type, *texts))
			fail_msg("%s refuses %s", type, *texts);
}

static void assert_refuses(const char *type, const char *const *texts)
{
	for (; *texts; texts++)
		if (accepts(type, *texts))
			fail_msg("%s accepts %s", type, *texts);
}

#define TEXTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void nothing_set_fits_everywhere(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_accepts(TEXTS("boolean", "integer(1..)", "list<string>",
				     "object")[i],
			       TEXTS("x = null", "x = \"\"", "x = \" \""));
}

static void a_boolean_is_what_python_takes_as_it_is_meant(void **state)
{
	(void)state;
	assert_accepts("boolean", TEXTS("x = true", "x = 0", "x = 1",
					"x = \"true\"", "x = \"on\""));
	assert_refuses("boolean", TEXTS("x = \"false\"", "x = 2", "x = maybe",
					"x = [true]", "x = {}", "x = 1.0"));
	assert_refuses("boolean|path", TEXTS("x = \"false\"", "x = \"no\""));
	assert_accepts("boolean|path", TEXTS("x = /etc/ca.pem", "x = false"));
}

static void numbers_have_bounds(void **state)
{
	(void)state;
	assert_accepts("integer(0..65535)",
		       TEXTS("x = 0", "x = 65535", "x = \"22\"", "x = 1.0"));
	assert_refuses("integer(0..65535)",
		       TEXTS("x = -1", "x = 65536", "x = 1.5", "x = ssh",
			     "x = true", "x = 99999999999999999999"));
	assert_accepts("number(0..)", TEXTS("x = 0.5", "x = 1e9"));
	assert_refuses("number(0..)", TEXTS("x = -0.5", "x = []"));
	assert_accepts("number(..10)", TEXTS("x = -5"));
	assert_refuses("number(..10)", TEXTS("x = 10.5"));
}

static void texts_are_texts(void **state)
{
	(void)state;
	assert_refuses("string", TEXTS("x = 5", "x = true", "x = [a]"));
	assert_accepts("string", TEXTS("x = \"5\"", "x = a b"));
	assert_accepts("url", TEXTS("x = \"https://h:8008\""));
	assert_refuses("url", TEXTS("x = \"h:8008\"", "x = 8008"));
	assert_accepts("size", TEXTS("x = 10GB", "x = -1", "x = \"1.5 MiB\""));
	assert_refuses("size", TEXTS("x = big", "x = \"GB\"", "x = true"));
	assert_accepts("level", TEXTS("x = INFO", "x = warning", "x = 20"));
	assert_refuses("level", TEXTS("x = loud", "x = [INFO]"));
	assert_accepts("one(pip,conda)", TEXTS("x = pip", "x = \"Conda \""));
	assert_refuses("one(pip,conda)", TEXTS("x = pipx", "x = pi", "x = 1"));
}

static void lists_and_sections(void **state)
{
	(void)state;
	assert_accepts("list<string>", TEXTS("x = [a, \"b\"]", "x = []"));
	assert_refuses("list<string>", TEXTS("x = a", "x = [1]", "x = {}"));
	assert_accepts("string|list<string>", TEXTS("x = a", "x = [a]"));
	assert_refuses("string|list<string>", TEXTS("x = [{a = 1}]", "x = 1"));
	assert_accepts("list<object>", TEXTS("x = [{}, {a = 1}]"));
	assert_refuses("list<object>", TEXTS("x = [a]", "x = {a = 1}"));
	assert_accepts("object", TEXTS("x { y = 1 }"));
	assert_refuses("object", TEXTS("x = [1]", "x = text", "x = 1"));
}

static void assert_wants(const char *type, const char *expected)
{
	const struct schema_key key = {"x", type, ""};
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	schema_add_wanted(&key, &text);
	assert_string_equal(buf_str(&text).ptr, expected);
}

static void what_is_wanted_is_said_in_words(void **state)
{
	(void)state;
	assert_wants("string|list<string>", "text or a list of texts");
	assert_wants("one(pip,conda,uv)", "one of pip, conda, uv");
	assert_wants("integer(1..100)",
		     "a whole number, at least 1 and at most 100");
	assert_wants("number(0..)", "a number, at least 0");
	assert_wants("boolean|path", "true or false or a path");
}

static void keys_are_found_by_their_paths(void **state)
{
	const struct schema_key *key;

	(void)state;
	assert_string_equal(
		schema_find(STR("agent.default_docker.image"))->type, "string");
	assert_null(schema_find(STR("agent.default_docker.imag")));
	assert_null(schema_find(STR("zzz")));
	assert_null(schema_find(STR("")));
	assert_null(schema_child(STR("agent.worker_id"), NULL));
	key = schema_child(STR("sdk.storage.path_substitution"), NULL);
	assert_true(str_is(schema_name(key), "[]"));
	assert_null(schema_child(STR("sdk.storage.path_substitution"), key));
}

/* The table is sorted and whole, and each type in it is one. */
static void every_key_is_reached_from_the_root(void **state)
{
	size_t reached = 0;
	struct str todo[512];
	size_t count = 0;

	(void)state;
	todo[count++] = (struct str){"", 0};
	while (count) {
		struct str path = todo[--count];
		const struct schema_key *key = NULL;

		while ((key = schema_child(path, key))) {
			_cleanup_(buf_deinit) struct buf wanted = BUF_INIT;

			assert_ptr_equal(schema_find(str_from(key->path)), key);
			schema_add_wanted(key, &wanted);
			assert_true(wanted.len > 0);
			reached++;
			todo[count++] = str_from(key->path);
		}
	}
	assert_true(reached > 400);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_set_fits_everywhere),
		cmocka_unit_test(a_boolean_is_what_python_takes_as_it_is_meant),
		cmocka_unit_test(numbers_have_bounds),
		cmocka_unit_test(texts_are_texts),
		cmocka_unit_test(lists_and_sections),
		cmocka_unit_test(what_is_wanted_is_said_in_words),
		cmocka_unit_test(keys_are_found_by_their_paths),
		cmocka_unit_test(every_key_is_reached_from_the_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
