#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "../support/docs.h"

#include "base/env.h"
#include "config/storage.h"

/*
 * Two lists of questions: ClearML's own answers (storage.md), and rule
 * by rule what else is promised. A new case needs no code. `config` is the
 * section of the provider, `expect` the settings, null for no match, or
 * {"error"}; `fields` are some of them, `winner` is an index or null for the
 * defaults, `problem` and `blamed` say what is broken and what stands there.
 */
#define VECTORS      "tests/corpus/storage_vectors.json"
#define RULES        "tests/corpus/storage_rules.json"
#define VECTOR_BYTES ((size_t)256 * 1024)

/* One question and its answer. */
struct asked {
	const struct value *vector;
	struct str name;
	struct arena arena;
	struct doc *doc;
	struct env *env;
	struct storage storage;
	int result;
};

static void asked_deinit(struct asked *asked)
{
	arena_free(&asked->arena);
	asked->env = env_unref(asked->env);
	asked->doc = doc_unref(asked->doc);
}

static const struct value *get(const struct asked *asked, const char *key)
{
	return value_get(asked->vector, str_from(key));
}

static enum storage_provider provider_called(struct str name)
{
	enum storage_provider provider = STORAGE_S3;

	while (!str_is(name, storage_provider_name(provider))) {
		assert_true(provider < STORAGE_AZURE);
		provider++;
	}
	return provider;
}

/* The configuration with the vector's section at its place. */
static struct doc *configuration(const struct value *vector)
{
	static const char *const formats[] = {
		[STORAGE_S3] = "{\"sdk\":{\"aws\":{\"s3\":%s}}}",
		[STORAGE_GS] = "{\"sdk\":{\"google\":{\"storage\":%s}}}",
		[STORAGE_AZURE] = "{\"sdk\":{\"azure\":{\"storage\":%s}}}",
	};
	const char *format = formats[provider_called(
		value_text(value_get(vector, STR("kind"))))];
	const char *hole = strstr(format, "%s");
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	buf_add(&text, format, (size_t)(hole - format));
	json_write(&text, value_get(vector, STR("config")));
	buf_puts(&text, hole + 2);
	return docs_read(buf_str(&text).ptr);
}

static struct env *variables(const struct value *vector)
{
	struct env_variable list[8];
	struct member *member;
	size_t count = 0;

	for (value_each (value_get(vector, STR("env")), member)) {
		assert_true(count < 8);
		list[count++] = (struct env_variable){
			member_key(member), value_text(member->value)};
	}
	return env_new(list, count);
}

static struct asked ask(const struct value *vector)
{
	struct asked asked = {
		.vector = vector,
		.name = value_text(value_get(vector, STR("name"))),
		.doc = configuration(vector),
		.env = variables(vector),
	};
	struct storage_question question = {
		.provider = provider_called(
			value_text(value_get(vector, STR("kind")))),
		.root = asked.doc->root,
		.env = asked.env,
		.uri = value_text(value_get(vector, STR("uri"))),
	};

	asked.result = storage_resolve(&asked.storage, &asked.arena, &question);
	return asked;
}

static void check_equal(const struct asked *asked, const struct value *got,
			const struct value *wanted)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	if (value_equal(got, wanted))
		return;
	if (got)
		json_write(&text, got);
	fail_msg("%.*s is %s %s", STR_PRINT(asked->name), buf_str(&text).ptr,
		 asked->storage.problem ? asked->storage.problem : "");
}

static bool is_error(const struct asked *asked)
{
	return asked->result == STORAGE_E_BROKEN ||
	       asked->result == STORAGE_E_URI;
}

static void check_expect(const struct asked *asked)
{
	const struct value *expect = get(asked, "expect");

	if (value_get(expect, STR("error")))
		assert_true(is_error(asked) && asked->storage.problem);
	else if (value_is(expect, VALUE_NULL))
		assert_int_equal(asked->result, STORAGE_E_NO_MATCH);
	else if (expect)
		check_equal(asked, asked->storage.settings, expect);
}

static void check_fields(const struct asked *asked)
{
	const struct value *fields = get(asked, "fields");
	struct member *member;

	if (!fields)
		return;
	for (value_each (fields, member))
		check_equal(
			asked,
			value_get(asked->storage.settings, member_key(member)),
			member->value);
}

static void check_winner(const struct asked *asked)
{
	const struct value *wanted = get(asked, "winner");
	const struct storage_candidate *winner = asked->storage.winner;
	int64_t index = -1;

	if (!wanted)
		return;
	(void)value_to_int64(wanted, &index);
	if (asked->result || (winner ? winner->index : -1) != index)
		fail_msg("%.*s", STR_PRINT(asked->name));
}

static void check_text(const struct asked *asked, struct str got,
		       const struct value *wanted)
{
	if (value_is(wanted, VALUE_NULL) ? got.ptr != NULL
					 : !str_equal(got, value_text(wanted)))
		fail_msg("%.*s: %.*s", STR_PRINT(asked->name), STR_PRINT(got));
}

static void check_candidates(const struct asked *asked)
{
	const struct value *prefixes = get(asked, "prefixes");
	const struct value *reasons = get(asked, "reasons");
	const struct storage *storage = &asked->storage;

	for (size_t i = 0; prefixes && i < prefixes->list.count; i++)
		check_text(asked, storage->candidates[i].prefix,
			   prefixes->list.items[i]);
	for (size_t i = 0; reasons && i < reasons->list.count; i++)
		check_text(asked, str_from(storage->candidates[i].reason),
			   reasons->list.items[i]);
	if (prefixes)
		assert_int_equal(storage->count, prefixes->list.count);
	if (reasons)
		assert_int_equal(storage->count, reasons->list.count);
}

static void check_problem(const struct asked *asked)
{
	const struct value *problem = get(asked, "problem");
	const struct value *blamed = get(asked, "blamed");
	struct str text = asked->doc->sources[0]->text;

	if (!problem)
		return;
	assert_int_equal(asked->result,
			 blamed ? STORAGE_E_BROKEN : STORAGE_E_URI);
	check_text(asked, str_from(asked->storage.problem), problem);
	if (blamed &&
	    !str_starts(str_from_offset(text, asked->storage.wrong->offset),
			value_text(blamed)))
		fail_msg("%.*s blames something else", STR_PRINT(asked->name));
}

static void check_vector(const struct value *vector)
{
	_cleanup_(asked_deinit) struct asked asked = ask(vector);

	check_expect(&asked);
	check_fields(&asked);
	check_winner(&asked);
	check_problem(&asked);
	if (!is_error(&asked))
		check_candidates(&asked);
}

static struct doc *read_list(const char *path)
{
	_cleanup_(mem_freep) char *text = mem_alloc(VECTOR_BYTES);
	FILE *file = fopen(path, "re");
	size_t len = (size_t)snprintf(text, VECTOR_BYTES, "{\"list\":");

	assert_non_null(file);
	len += fread(text + len, 1, VECTOR_BYTES - len - 2, file);
	assert_true(feof(file));
	assert_int_equal(fclose(file), 0);
	text[len] = '}';
	return docs_read(text);
}

static uint32_t check_list(const char *path)
{
	_cleanup_(doc_unrefp) struct doc *doc = read_list(path);
	const struct value *list = value_get(doc->root, STR("list"));

	for (uint32_t i = 0; i < list->list.count; i++)
		check_vector(list->list.items[i]);
	return list->list.count;
}

static void vectors_hold(void **state)
{
	(void)state;
	assert_int_equal(check_list(VECTORS), 49);
}

static void rules_hold(void **state)
{
	(void)state;
	assert_true(check_list(RULES) >= 99);
}

static void the_scheme_says_whose_a_uri_is(void **state)
{
	static const struct {
		const char *uri;
		int provider; /* -1: nobody's */
	} cases[] = {
		{"s3://b", STORAGE_S3},
		{"S3://b/x", STORAGE_S3},
		{"gs://b", STORAGE_GS},
		{"azure://a/c", STORAGE_AZURE},
		{"https://acc.blob.core.windows.net/c/x", STORAGE_AZURE},
		{"HTTPS://ACC.Blob.Core.Windows.Net:443/c", STORAGE_AZURE},
		{"https://.blob.core.windows.net/c", -1},
		{"https://acc.blob.core.windows.net.evil.example/c", -1},
		{"http://acc.blob.core.windows.net/c", -1},
		{"https://example.com/acc.blob.core.windows.net", -1},
		{"file:///tmp/x", -1},
		{"bucket/x", STORAGE_S3},
		{"s3:/b", STORAGE_S3},
		{"S3:b/x", STORAGE_S3},
		{"bucket", -1},
		{"/tmp/x", -1},
		{"./b/x", -1},
		{"~/b", -1},
		{"gs:b/x", -1},
		{"://b", -1},
		{"", -1},
	};
	enum storage_provider provider;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool known =
			storage_provider_of(str_from(cases[i].uri), &provider);

		if ((known ? (int)provider : -1) != cases[i].provider)
			fail_msg("%s", cases[i].uri);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_hold),
		cmocka_unit_test(rules_hold),
		cmocka_unit_test(the_scheme_says_whose_a_uri_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
