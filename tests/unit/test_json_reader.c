#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "../support/outcome.h"

/* What the cases in tests/corpus/json cannot say. */

static struct outcome read_json(struct str text)
{
	struct read_options options = outcome_options(READ_JSON);

	return outcome_of(&options, text);
}

static void plain_strings_are_slices_of_the_source(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result =
		read_json(STR("{\"key\": \"value\"}"));
	const char *text = result.doc->sources[0]->text.ptr;
	const struct member *member = result.doc->root->object.members;

	(void)state;
	assert_ptr_equal(member->key, text + 2);
	assert_ptr_equal(member->value->text.ptr, text + 9);
}

static void every_value_knows_where_it_stands(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result =
		read_json(STR("{\n \"a\": {\"b\": [1,\n  true]}\n}"));
	struct pos pos;

	(void)state;
	pos = doc_pos(result.doc, docs_find(result.doc->root, "a.b"));
	assert_int_equal(pos.line, 2);
	assert_int_equal(pos.column, 13);
	pos = doc_pos(result.doc, docs_find(result.doc->root, "a.b.1"));
	assert_int_equal(pos.line, 3);
	assert_int_equal(pos.column, 3);
}

static void assert_too_deep(const char *what)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	_cleanup_(outcome_deinit) struct outcome result = {0};

	for (int i = 0; i < 100000; i++)
		buf_puts(&text, what);
	result = read_json(buf_str(&text));
	assert_null(result.doc);
	assert_non_null(strstr(result.diag.text, "nested deeper"));
}

static void depth_is_limited(void **state)
{
	(void)state;
	assert_too_deep("[");
	assert_too_deep("{\"a\":");
	assert_too_deep("[{\"a\":");
}

static void a_nul_is_no_white_space(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result =
		read_json(STR("{}\0"));

	(void)state;
	outcome_assert_complaint(&result,
				 "1:3: expected nothing after the value");
	outcome_deinit(&result);
	result = read_json(STR("{\"a\0\": 1}"));
	assert_null(result.doc);
}

static void a_cut_text_is_refused(void **state)
{
	static const char text[] =
		"{\"a\": [1, -2.5e+3, \"x\\u0041\\n\", true, null], "
		"\"b\": {\"c\": {}, \"d\": []}}";
	struct outcome result;

	(void)state;
	for (size_t len = 1; len < sizeof(text) - 1; len++) {
		result = read_json((struct str){text, len});
		assert_null(result.doc);
		outcome_deinit(&result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_strings_are_slices_of_the_source),
		cmocka_unit_test(every_value_knows_where_it_stands),
		cmocka_unit_test(depth_is_limited),
		cmocka_unit_test(a_nul_is_no_white_space),
		cmocka_unit_test(a_cut_text_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
