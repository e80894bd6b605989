#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "read/reader.h"
#include "value/json.h"
#include "value/path.h"
#include "value/value.h"

#define CORPUS  "tests/corpus/yaml"
#define VECTORS "tests/corpus/yaml_vectors.json"

/* One text, read. */
struct result {
	struct doc *doc;
	struct diag diag;
};

static void result_deinit(struct result *result)
{
	result->doc = doc_unref(result->doc);
	diag_deinit(&result->diag);
}

static struct read_options options_of(enum read_format format)
{
	return (struct read_options){
		.format = format,
		.limits = READ_LIMITS_DEFAULT,
	};
}

static struct result read_with(const struct read_options *options,
			       struct str text)
{
	struct result result = {0};

	if (read_text(&result.doc, "text", text, options, &result.diag) != 0)
		assert_true(diag_failed(&result.diag));
	else
		assert_false(diag_failed(&result.diag));
	return result;
}

static struct result read_yaml(const char *text)
{
	struct read_options options = options_of(READ_YAML);

	return read_with(&options, str_from(text));
}

/* "line:column: reason" */
static char *complaint(const struct diag *diag)
{
	return mem_printf("%u:%u: %s", diag->pos.line, diag->pos.column,
			  diag->text);
}

static void assert_json(const struct result *result, const char *json)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	if (!result->doc)
		fail_msg("%s", result->diag.text);
	json_write(&out, result->doc->root);
	assert_string_equal(buf_str(&out).ptr, json);
}

static void assert_complaint(const struct result *result, const char *expected)
{
	_cleanup_(mem_freep) char *text = NULL;

	assert_true(diag_failed(&result->diag));
	text = complaint(&result->diag);
	assert_string_equal(text, expected);
}

static void assert_warning(const struct result *result, size_t number,
			   const char *expected)
{
	_cleanup_(mem_freep) char *text = NULL;

	assert_non_null(result->doc);
	assert_true(number < result->doc->warnings.count);
	text = complaint(&result->doc->warnings.items[number]);
	assert_string_equal(text, expected);
}

/* --- cases in files --- */

static void check_value(const char *name, const struct result *result,
			const struct value *expected)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	if (!result->doc)
		fail_msg("%s: %u:%u: %s", name, result->diag.pos.line,
			 result->diag.pos.column, result->diag.text);
	if (value_equal(result->doc->root, expected))
		return;
	json_write(&out, result->doc->root);
	fail_msg("%s is read as %s", name, buf_str(&out).ptr);
}

static const char *string_at(const struct value *object, const char *key)
{
	const struct value *value = value_get(object, str_from(key));

	assert_true(value_is(value, VALUE_STRING));
	return value->text.ptr;
}

static void check_vector(const struct value *vector)
{
	const char *name = string_at(vector, "name");
	const struct value *text = value_get(vector, STR("text"));
	const struct value *expect = value_get(vector, STR("expect"));
	struct read_options options = options_of(READ_YAML);
	_cleanup_(result_deinit) struct result result =
		read_with(&options, value_text(text));

	if (value_get(expect, STR("value")))
		check_value(name, &result, value_get(expect, STR("value")));
	else if (result.doc)
		fail_msg("%.*s is no error", (int)strcspn(name, "\""), name);
}

static struct result read_path(const char *path, enum read_format format)
{
	struct read_options options = options_of(format);
	struct result result = {0};

	if (read_file(&result.doc, path, &options, &result.diag) ==
	    READ_E_MISSING)
		diag_set(&result.diag, path, "is missing");
	return result;
}

/* The vectors are a list, and a document is an object: under a key of their
 * own. */
static void vectors_hold(void **state)
{
	struct read_options options = options_of(READ_JSON);
	_cleanup_(result_deinit) struct result vectors = {0};
	const struct value *list;

	(void)state;
	options.under = STR("vectors");
	assert_int_equal(read_file(&vectors.doc, VECTORS, &options,
				   &vectors.diag),
			 0);
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

static void check_error(const char *name, const struct result *result,
			const char *expected)
{
	_cleanup_(mem_freep) char *text = NULL;

	if (result->doc)
		fail_msg("%s is no error", name);
	text = complaint(&result->diag);
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
	_cleanup_(mem_freep) char *complaint = first_line(error);
	_cleanup_(result_deinit) struct result result =
		read_path(input, READ_YAML);
	_cleanup_(result_deinit) struct result expected = {0};

	if (complaint) {
		check_error(name, &result, complaint);
		return;
	}
	expected = read_path(json, READ_JSON);
	if (!expected.doc)
		fail_msg("%s: %s", json, expected.diag.text);
	check_value(name, &result, expected.doc->root);
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

static const struct value *at(const struct result *result, const char *path)
{
	const struct value *value = result->doc->root;
	char *copy = mem_strdup(path), *rest = copy, *part;

	while ((part = strsep(&rest, "."))) {
		if (value_is(value, VALUE_LIST))
			value = value->list.items[strtoul(part, NULL, 10)];
		else
			value = value_get(value, str_from(part));
		assert_non_null(value);
	}
	mem_free(copy);
	return value;
}

static void assert_place(const struct result *result, const char *path,
			 uint32_t line, uint32_t column)
{
	struct pos pos = doc_pos(result->doc, at(result, path));

	if (pos.line != line || pos.column != column)
		fail_msg("%s is at %u:%u", path, pos.line, pos.column);
}

static void every_value_knows_its_place(void **state)
{
	_cleanup_(result_deinit) struct result result =
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
	_cleanup_(result_deinit) struct result result =
		read_yaml("a: &a\n"
			  "  x: 1\n"
			  "b: *a\n"
			  "c:\n"
			  "  <<: *a\n"
			  "  y: 2\n");

	(void)state;
	assert_ptr_equal(at(&result, "a"), at(&result, "b"));
	assert_ptr_equal(at(&result, "a.x"), at(&result, "c.x"));
	assert_place(&result, "c.x", 2, 6);
	assert_place(&result, "c.y", 6, 6);
}

/* --- warnings --- */

static void a_key_given_twice_is_warned_of(void **state)
{
	_cleanup_(result_deinit) struct result result =
		read_yaml("a: 1\nb: 2\na: 3\n");

	(void)state;
	assert_json(&result, "{\"a\":3,\"b\":2}");
	assert_int_equal(result.doc->warnings.count, 1);
	assert_warning(&result, 0,
		       "3:1: this key was given before: the last holds");
}

static void an_overridden_merge_is_not_warned_of(void **state)
{
	_cleanup_(result_deinit) struct result result =
		read_yaml("a: &a {x: 1}\nb: {<<: *a, x: 2}\n");

	(void)state;
	assert_non_null(result.doc);
	assert_int_equal(result.doc->warnings.count, 0);
}

static void a_float_that_overflows_is_warned_of(void **state)
{
	_cleanup_(result_deinit) struct result result =
		read_yaml("a: 1.0e+400\nb: .inf\n");

	(void)state;
	assert_json(&result, "{\"a\":\"1.0e+400\",\"b\":\".inf\"}");
	assert_int_equal(result.doc->warnings.count, 1);
	assert_warning(&result, 0,
		       "1:4: too large for a number: its text is taken");
}

/* --- limits --- */

/* Ten lists, each of nine aliases of the one before. */
static void an_alias_bomb_ends_early(void **state)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	_cleanup_(result_deinit) struct result result = {0};

	(void)state;
	buf_puts(&text, "a0: &a0 x\n");
	for (int i = 1; i <= 10; i++) {
		buf_printf(&text, "a%d: &a%d [", i, i);
		for (int j = 0; j < 9; j++)
			buf_printf(&text, "*a%d, ", i - 1);
		buf_puts(&text, "]\n");
	}
	result = read_yaml(buf_str(&text).ptr);
	assert_complaint(&result, "8:35: aliases make more than 4000000 values");
}

static void aliases_of_a_long_text_end_early(void **state)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	_cleanup_(result_deinit) struct result result = {0};
	struct read_options options = options_of(READ_YAML);

	(void)state;
	options.limits.bytes = 10000;
	buf_puts(&text, "a: &a ");
	memset(buf_reserve(&text, 3000), 'x', 3000);
	text.len += 3000;
	buf_puts(&text, "\nb: [*a, *a, *a, *a]\n");
	result = read_with(&options, buf_str(&text));
	assert_complaint(&result,
			 "2:17: aliases stand for more than 10000 bytes");
}

static void aliases_within_the_limit_are_read(void **state)
{
	_cleanup_(result_deinit) struct result result = {0};
	struct read_options options = options_of(READ_YAML);

	(void)state;
	options.limits.nodes = 6;
	result = read_with(&options, STR("a: &a [1, 2]\nb: [*a, *a]\n"));
	assert_json(&result, "{\"a\":[1,2],\"b\":[[1,2],[1,2]]}");
	result_deinit(&result);
	options.limits.nodes = 5;
	result = read_with(&options, STR("a: &a [1, 2]\nb: [*a, *a]\n"));
	assert_complaint(&result, "2:9: aliases make more than 5 values");
}

static void nesting_ends_at_the_limit(void **state)
{
	_cleanup_(result_deinit) struct result result = {0};
	struct read_options options = options_of(READ_YAML);

	(void)state;
	options.limits.depth = 4;
	result = read_with(&options, STR("a: [[[1]]]\n"));
	assert_json(&result, "{\"a\":[[[1]]]}");
	result_deinit(&result);
	result = read_with(&options, STR("a: [[[{b: 1}]]]\n"));
	assert_complaint(&result,
			 "1:7: nested deeper than the limit of 4 levels");
	result_deinit(&result);
	result = read_with(&options, STR("a:\n - - - - 1\n"));
	assert_complaint(&result,
			 "2:8: nested deeper than the limit of 4 levels");
}

static void aliases_nest_too(void **state)
{
	_cleanup_(result_deinit) struct result result = {0};
	struct read_options options = options_of(READ_YAML);

	(void)state;
	options.limits.depth = 4;
	result = read_with(&options, STR("a: &a [[1]]\nb: [*a]\n"));
	assert_json(&result, "{\"a\":[[1]],\"b\":[[[1]]]}");
	result_deinit(&result);
	result = read_with(&options, STR("a: &a [[1]]\nb: [[*a]]\n"));
	assert_complaint(&result,
			 "2:6: nested deeper than the limit of 4 levels");
}

/* Each map merges the one before, which makes none of them deeper. */
static void a_chain_of_merges_is_not_deep(void **state)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	_cleanup_(result_deinit) struct result result = {0};
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
	_cleanup_(result_deinit) struct result result = {0};

	(void)state;
	for (int i = 0; i < 16; i++)
		buf_printf(&text, "%%TAG !t%d! tag:yaml.org,2002:\n", i);
	buf_puts(&text, "---\na: !t15!str 5\nb: '%TAG %TAG'\n");
	result = read_yaml(buf_str(&text).ptr);
	assert_json(&result, "{\"a\":\"5\",\"b\":\"%TAG %TAG\"}");
	result_deinit(&result);
	buf_drop(&text, 0);
	text.len = 0;
	for (int i = 0; i < 17; i++)
		buf_printf(&text, "%%TAG !t%d! tag:yaml.org,2002:\n", i);
	buf_puts(&text, "---\na: 1\n");
	result = read_yaml(buf_str(&text).ptr);
	assert_complaint(&result, "17:1: more than 16 %TAG directives");
}

/* --- texts that end or change anywhere --- */

static const char sample[] =
	"# é\n"
	"%YAML 1.1\n"
	"---\n"
	"base: &b {x: 1, \"y\\u00e9\": [a, !!str 5, 'q']}\n"
	"? long\n"
	": |+\n"
	"  text\n"
	"\n"
	"d:\n"
	"  <<: [*b, {z: 0x1F}]\n"
	"  - : 2\n"
	"  l: [1:30, ~, *b]\n"
	"...\n";

/* What matters is that nothing crashes, hangs or leaks: the sanitizers look. */
static void a_cut_text_is_read_or_refused(void **state)
{
	struct read_options options = options_of(READ_YAML);
	size_t read = 0, refused = 0;

	(void)state;
	for (size_t len = 0; len < sizeof(sample); len++) {
		_cleanup_(result_deinit) struct result result =
			read_with(&options, (struct str){sample, len});

		*(result.doc ? &read : &refused) += 1;
	}
	assert_true(read > 0);
	assert_true(refused > 0);
}

static void a_changed_text_is_read_or_refused(void **state)
{
	static const char changes[] = "\0\n :-[]{}&*!|>'\"%?,#\t\x01\xC3";
	struct read_options options = options_of(READ_YAML);
	char text[sizeof(sample)];
	size_t read = 0, refused = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(sample) * sizeof(changes); i++) {
		_cleanup_(result_deinit) struct result result = {0};

		memcpy(text, sample, sizeof(sample));
		text[i / sizeof(changes)] = changes[i % sizeof(changes)];
		result = read_with(&options, (struct str){text, sizeof(text)});
		*(result.doc ? &read : &refused) += 1;
	}
	assert_true(refused > 0);
	assert_true(read + refused > 0);
}
