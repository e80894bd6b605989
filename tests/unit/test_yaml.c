#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "../support/outcome.h"
#include "base/buf.h"

#define CORPUS  "tests/corpus/yaml"
#define VECTORS "tests/corpus/yaml_vectors.json"

static struct outcome read_yaml(const char *text)
{
	struct read_options options = outcome_options(READ_YAML);

	return outcome_of(&options, str_from(text));
}

/* --- cases in files --- */

static void check_value(const char *name, const struct outcome *result,
			const struct value *expected)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	if (!result->doc) {
		fail_msg("%s: %u:%u: %s", name, result->diag.pos.line,
			 result->diag.pos.column, result->diag.text);
		return;
	}
	if (value_equal(result->doc->root, expected))
		return;
	json_write(&out, result->doc->root);
	fail_msg("%s is read as %s", name, buf_str(&out).ptr);
}

static char *name_of(const struct value *vector)
{
	const struct value *name = value_get(vector, STR("name"));

	assert_true(value_is(name, VALUE_STRING));
	return mem_strndup(name->text.ptr, name->text.len);
}

static void check_vector(const struct value *vector)
{
	_cleanup_(mem_freep) char *name = name_of(vector);
	const struct value *text = value_get(vector, STR("text"));
	const struct value *expect = value_get(vector, STR("expect"));
	struct read_options options = outcome_options(READ_YAML);
	_cleanup_(outcome_deinit) struct outcome result =
		outcome_of(&options, value_text(text));

	if (value_get(expect, STR("value")))
		check_value(name, &result, value_get(expect, STR("value")));
	else if (result.doc)
		fail_msg("%s is no error", name);
}

static struct outcome read_path(const char *path, enum read_format format)
{
	struct read_options options = outcome_options(format);
	struct outcome result = {0};

	if (read_file(&result.doc, path, &options, &result.diag) ==
	    READ_E_MISSING)
		diag_set(&result.diag, path, "is missing");
	return result;
}

/* The vectors are a list, and a document is an object: under a key of their
 * own. */
static void vectors_hold(void **state)
{
	struct read_options options = outcome_options(READ_JSON);
	_cleanup_(outcome_deinit) struct outcome vectors = {0};
	const struct value *list;

	(void)state;
	options.under = STR("vectors");
	assert_int_equal(
		read_file(&vectors.doc, VECTORS, &options, &vectors.diag), 0);
	list = value_get(vectors.doc->root, STR("vectors"));
	assert_true(value_is(list, VALUE_LIST));
	assert_true(list->list.count >= 66);
	for (uint32_t i = 0; i < list->list.count; i++)
		check_vector(list->list.items[i]);
}

/* The first line of the file @path, or NULL when there is no such file. */
static char *first_line(const char *path)
{
	_cleanup_(mem_freep) char *line = NULL;
	FILE *file = fopen(path, "re");
	size_t size = 4096;

	if (!file)
		return NULL;
	line = mem_alloc(size);
	assert_non_null(fgets(line, (int)size, file));
	assert_int_equal(fclose(file), 0);
	line[strcspn(line, "\n")] = '\0';
	return TAKE(line);
}

static void check_error(const char *name, const struct outcome *result,
			const char *expected)
{
	_cleanup_(mem_freep) char *text = NULL;

	if (result->doc)
		fail_msg("%s is no error", name);
	text = outcome_complaint(&result->diag);
	if (strcmp(text, expected) != 0)
		fail_msg("%s: %s", name, text);
}

static void check_case(const char *name)
{
	_cleanup_(mem_freep) char *input =
		mem_printf(CORPUS "/%s/input.yaml", name);
	_cleanup_(mem_freep) char *json =
		mem_printf(CORPUS "/%s/expected.json", name);
	_cleanup_(mem_freep) char *error = mem_printf(CORPUS "/%s/error", name);
	_cleanup_(mem_freep) char *refused = first_line(error);
	_cleanup_(outcome_deinit) struct outcome result =
		read_path(input, READ_YAML);
	_cleanup_(outcome_deinit) struct outcome expected = {0};

	if (refused) {
		check_error(name, &result, refused);
		return;
	}
	expected = read_path(json, READ_JSON);
	if (expected.doc)
		check_value(name, &result, expected.doc->root);
	else
		fail_msg("%s: %s", json, expected.diag.text);
}

static void corpus_holds(void **state)
{
	DIR *folder = opendir(CORPUS);
	const struct dirent *entry;
	size_t cases = 0;

	(void)state;
	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		check_case(entry->d_name);
		cases++;
	}
	assert_int_equal(closedir(folder), 0);
	assert_true(cases >= 60);
}

/* --- places --- */

static void assert_place(const struct outcome *result, const char *path,
			 uint32_t line, uint32_t column)
{
	struct pos pos =
		doc_pos(result->doc, docs_find(result->doc->root, path));

	if (pos.line != line || pos.column != column)
		fail_msg("%s is at %u:%u", path, pos.line, pos.column);
}

static void every_value_knows_its_place(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result =
		read_yaml("\xEF\xBB\xBF"
			  "ключ: значение\r\n"
			  "日本: {\"ü\": 1, b: [é, 2]}\r\n"
			  "c:\r\n"
			  "  d: 'x'\r"
			  "  e: |\n"
			  "    text\r\n"
			  "  f:\n"
			  "    - 10\n"
			  "  \xF0\x9F\x98\x80: \xF0\x9F\x98\x80\n");

	(void)state;
	assert_place(&result, "ключ", 1, 7);
	assert_place(&result, "日本", 2, 5);
	assert_place(&result, "日本.ü", 2, 11);
	assert_place(&result, "日本.b", 2, 17);
	assert_place(&result, "日本.b.1", 2, 21);
	assert_place(&result, "c", 4, 3);
	assert_place(&result, "c.d", 4, 6);
	assert_place(&result, "c.e", 5, 6);
	assert_place(&result, "c.f", 8, 5);
	assert_place(&result, "c.f.0", 8, 7);
	assert_place(&result, "c.\xF0\x9F\x98\x80", 9, 6);
}

static void what_an_alias_brings_stands_at_its_anchor(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result = read_yaml("a: &a\n"
								    "  x: 1\n"
								    "b: *a\n"
								    "c:\n"
								    "  <<: *a\n"
								    "  y: 2\n");

	(void)state;
	assert_ptr_equal(docs_find(result.doc->root, "a"),
			 docs_find(result.doc->root, "b"));
	assert_ptr_equal(docs_find(result.doc->root, "a.x"),
			 docs_find(result.doc->root, "c.x"));
	assert_place(&result, "c.x", 2, 6);
	assert_place(&result, "c.y", 6, 6);
}

/* --- warnings --- */

static void a_key_given_twice_is_warned_of(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result =
		read_yaml("a: 1\nb: 2\na: 3\n");

	(void)state;
	outcome_assert_json(&result, "{\"a\":3,\"b\":2}");
	assert_int_equal(result.doc->warnings.count, 1);
	outcome_assert_warning(
		&result, 0, "3:1: this key was given before: the last holds");
}

static void an_overridden_merge_is_not_warned_of(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result =
		read_yaml("a: &a {x: 1}\nb: {<<: *a, x: 2}\n");

	(void)state;
	assert_non_null(result.doc);
	assert_int_equal(result.doc->warnings.count, 0);
}

static void a_float_that_overflows_is_warned_of(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result =
		read_yaml("a: 1.0e+400\nb: .inf\n");

	(void)state;
	outcome_assert_json(&result, "{\"a\":\"1.0e+400\",\"b\":\".inf\"}");
	assert_int_equal(result.doc->warnings.count, 1);
	outcome_assert_warning(
		&result, 0, "1:4: too large for a number: its text is taken");
}

/* --- limits --- */

/* Ten lists, each of nine aliases of the one before. */
static void an_alias_bomb_ends_early(void **state)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	_cleanup_(outcome_deinit) struct outcome result = {0};

	(void)state;
	buf_puts(&text, "a0: &a0 x\n");
	for (int i = 1; i <= 10; i++) {
		buf_printf(&text, "a%d: &a%d [", i, i);
		for (int j = 0; j < 9; j++)
			buf_printf(&text, "*a%d, ", i - 1);
		buf_puts(&text, "]\n");
	}
	result = read_yaml(buf_str(&text).ptr);
	outcome_assert_complaint(&result,
				 "8:10: aliases make more than 1000000 values");
}

static void aliases_of_a_long_text_end_early(void **state)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	_cleanup_(outcome_deinit) struct outcome result = {0};
	struct read_options options = outcome_options(READ_YAML);

	(void)state;
	options.limits.bytes = 10000;
	buf_puts(&text, "a: &a ");
	memset(buf_reserve(&text, 3000), 'x', 3000);
	text.len += 3000;
	buf_puts(&text, "\nb: [*a, *a, *a, *a]\n");
	result = outcome_of(&options, buf_str(&text));
	outcome_assert_complaint(
		&result, "2:17: aliases stand for more than 10000 bytes");
}

static void aliases_within_the_limit_are_read(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result = {0};
	struct read_options options = outcome_options(READ_YAML);

	(void)state;
	options.limits.nodes = 6;
	result = outcome_of(&options, STR("a: &a [1, 2]\nb: [*a, *a]\n"));
	outcome_assert_json(&result, "{\"a\":[1,2],\"b\":[[1,2],[1,2]]}");
	outcome_deinit(&result);
	options.limits.nodes = 5;
	result = outcome_of(&options, STR("a: &a [1, 2]\nb: [*a, *a]\n"));
	outcome_assert_complaint(&result,
				 "2:9: aliases make more than 5 values");
}

/* In any format: a value takes far more memory than the text of it. */
static void values_are_bounded(void **state)
{
	static const struct {
		enum read_format format;
		const char *text; /* seven values */
	} cases[] = {
		{READ_YAML, "a: [1, 2]\nb: {c: x, d: [y]}\n"},
		{READ_JSON, "{\"a\":[1,2],\"b\":[[0],{}]}"},
		{READ_HOCON, "a = [1, 2]\nb.c { d = [x] }\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct read_options options = outcome_options(cases[i].format);
		struct outcome outcome;

		options.limits.values = 14; /* YAML counts keys */
		outcome = outcome_of(&options, str_from(cases[i].text));
		assert_non_null(outcome.doc);
		outcome_deinit(&outcome);
		options.limits.values = 5;
		outcome = outcome_of(&options, str_from(cases[i].text));
		assert_null(outcome.doc);
		assert_non_null(strstr(outcome.diag.text,
				       "more than the limit of 5 values"));
		outcome_deinit(&outcome);
	}
}

static void nesting_ends_at_the_limit(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result = {0};
	struct read_options options = outcome_options(READ_YAML);

	(void)state;
	options.limits.depth = 4;
	result = outcome_of(&options, STR("a: [[[1]]]\n"));
	outcome_assert_json(&result, "{\"a\":[[[1]]]}");
	outcome_deinit(&result);
	result = outcome_of(&options, STR("a: [[[{b: 1}]]]\n"));
	outcome_assert_complaint(
		&result, "1:7: nested deeper than the limit of 4 levels");
	outcome_deinit(&result);
	result = outcome_of(&options, STR("a:\n - - - - 1\n"));
	outcome_assert_complaint(
		&result, "2:8: nested deeper than the limit of 4 levels");
}

static void aliases_nest_too(void **state)
{
	_cleanup_(outcome_deinit) struct outcome result = {0};
	struct read_options options = outcome_options(READ_YAML);

	(void)state;
	options.limits.depth = 4;
	result = outcome_of(&options, STR("a: &a [[1]]\nb: [*a]\n"));
	outcome_assert_json(&result, "{\"a\":[[1]],\"b\":[[[1]]]}");
	outcome_deinit(&result);
	result = outcome_of(&options, STR("a: &a [[1]]\nb: [[*a]]\n"));
	outcome_assert_complaint(
		&result, "2:6: nested deeper than the limit of 4 levels");
}

/* Each map merges the one before, which makes none of them deeper. */
static void a_chain_of_merges_is_not_deep(void **state)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	_cleanup_(outcome_deinit) struct outcome result = {0};
	const struct value *last;

	(void)state;
	buf_puts(&text, "m0: &m0 {k0: 0}\n");
	for (int i = 1; i <= 300; i++)
		buf_printf(&text, "m%d: &m%d {<<: *m%d, k%d: %d}\n", i, i,
			   i - 1, i, i);
	result = read_yaml(buf_str(&text).ptr);
	assert_non_null(result.doc);
	last = value_get(result.doc->root, STR("m300"));
	assert_int_equal(last->object.count, 301);
}

/* libyaml's time for them grows with their square. */
static void tag_directives_are_few(void **state)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	_cleanup_(outcome_deinit) struct outcome result = {0};

	(void)state;
	for (int i = 0; i < 16; i++)
		buf_printf(&text, "%%TAG !t%d! tag:yaml.org,2002:\n", i);
	buf_puts(&text, "---\na: !t15!str 5\nb: '%TAG %TAG'\n");
	result = read_yaml(buf_str(&text).ptr);
	outcome_assert_json(&result, "{\"a\":\"5\",\"b\":\"%TAG %TAG\"}");
	outcome_deinit(&result);
	text.len = 0;
	for (int i = 0; i < 17; i++)
		buf_printf(&text, "%%TAG !t%d! tag:yaml.org,2002:\n", i);
	buf_puts(&text, "---\na: 1\n");
	result = read_yaml(buf_str(&text).ptr);
	outcome_assert_complaint(&result, "17:1: more than 16 %TAG directives");
}

/* --- texts that end or change anywhere --- */

static const char sample[] =
	"%YAML 1.1\n"
	"--- # é\n"
	"base: &b {x: 1, \"y\\u00e9\": [a, !!str 5, 'q']}\n"
	"? long\n"
	": |+\n"
	"  text\n"
	"\n"
	"d:\n"
	"  <<: [*b, {z: 0x1F}]\n"
	"  'l': [1.5, ~, *b, <x>, b: c]\n"
	"  &k m: !!map {}\n"
	"...\n";

/* What matters is that nothing crashes, hangs or leaks: the sanitizers look. */
static void a_cut_text_is_read_or_refused(void **state)
{
	struct read_options options = outcome_options(READ_YAML);
	size_t length = sizeof(sample) - 1, refused = 0;

	(void)state;
	for (size_t len = 0; len <= length; len++) {
		_cleanup_(outcome_deinit) struct outcome result =
			outcome_of(&options, (struct str){sample, len});

		refused += !result.doc;
		assert_true(result.doc || len != length);
	}
	assert_in_range(refused, length / 4, length - 1);
}

static void a_changed_text_is_read_or_refused(void **state)
{
	static const char changes[] = "\n :-[]{}&*!|>'\"%?,#\t\x01\xC3";
	struct read_options options = outcome_options(READ_YAML);
	char text[sizeof(sample)];
	size_t count = sizeof(sample) * sizeof(changes), refused = 0;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		_cleanup_(outcome_deinit) struct outcome result = {0};

		memcpy(text, sample, sizeof(sample));
		text[i / sizeof(changes)] = changes[i % sizeof(changes)];
		result = outcome_of(&options, (struct str){text, sizeof(text)});
		refused += !result.doc;
	}
	assert_in_range(refused, count / 4, count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_hold),
		cmocka_unit_test(corpus_holds),
		cmocka_unit_test(every_value_knows_its_place),
		cmocka_unit_test(what_an_alias_brings_stands_at_its_anchor),
		cmocka_unit_test(a_key_given_twice_is_warned_of),
		cmocka_unit_test(an_overridden_merge_is_not_warned_of),
		cmocka_unit_test(a_float_that_overflows_is_warned_of),
		cmocka_unit_test(an_alias_bomb_ends_early),
		cmocka_unit_test(aliases_of_a_long_text_end_early),
		cmocka_unit_test(aliases_within_the_limit_are_read),
		cmocka_unit_test(values_are_bounded),
		cmocka_unit_test(nesting_ends_at_the_limit),
		cmocka_unit_test(aliases_nest_too),
		cmocka_unit_test(a_chain_of_merges_is_not_deep),
		cmocka_unit_test(tag_directives_are_few),
		cmocka_unit_test(a_cut_text_is_read_or_refused),
		cmocka_unit_test(a_changed_text_is_read_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
