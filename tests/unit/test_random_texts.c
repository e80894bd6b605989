#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "../support/outcome.h"
#include "base/buf.h"

/*
 * Random texts and what ClearML makes of them: tests/corpus/random_vectors.json
 * holds {"text": ..., "clearml": {"value": ...} or {"error": ...}}. What it
 * accepts is never refused, and never another value without a warning; what it
 * refuses is refused too, or taken with a warning, but not in the strict
 * dialect.
 */

#define VECTORS "tests/corpus/random_vectors.json"

static struct doc *read_vectors(void)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	FILE *file = fopen(VECTORS, "re");
	size_t got;

	assert_non_null(file);
	buf_puts(&text, "{\"vectors\":");
	do {
		got = fread(buf_reserve(&text, 65536), 1, 65536, file);
		text.len += got;
	} while (got);
	assert_int_equal(fclose(file), 0);
	buf_putc(&text, '}');
	return docs_read(buf_str(&text).ptr);
}

static void check_accepted(const struct outcome *result,
			   const struct value *expected, struct str text)
{
	if (!result->doc)
		fail_msg("refused: %s\n%.*s", result->diag.text,
			 STR_PRINT(text));
	else if (!value_equal(result->doc->root, expected) &&
		 !result->doc->warnings.count)
		fail_msg("another value without a warning:\n%.*s",
			 STR_PRINT(text));
}

static void check_refused(const struct outcome *result,
			  enum read_dialect dialect, struct str text)
{
	if (!result->doc)
		return;
	if (dialect == READ_STRICT)
		fail_msg("taken by the strict dialect:\n%.*s", STR_PRINT(text));
	if (!result->doc->warnings.count)
		fail_msg("taken without a warning:\n%.*s", STR_PRINT(text));
}

static void check_vector(const struct value *vector, enum read_dialect dialect)
{
	struct read_options options = outcome_options(READ_HOCON);
	struct str text = value_text(value_get(vector, STR("text")));
	const struct value *clearml = value_get(vector, STR("clearml"));
	const struct value *expected = value_get(clearml, STR("value"));
	_cleanup_(outcome_deinit) struct outcome result = {0};

	options.dialect = dialect;
	result = outcome_of(&options, text);
	if (expected)
		check_accepted(&result, expected, text);
	else
		check_refused(&result, dialect, text);
}

static void check_all(enum read_dialect dialect)
{
	_cleanup_(doc_unrefp) struct doc *doc = read_vectors();
	const struct value *list = value_get(doc->root, STR("vectors"));

	assert_true(list->list.count >= 1200);
	for (uint32_t i = 0; i < list->list.count; i++)
		check_vector(list->list.items[i], dialect);
}

static void what_clearml_accepts_is_taken(void **state)
{
	(void)state;
	check_all(READ_CLEARML);
}

static void the_strict_dialect_takes_the_same_and_no_more(void **state)
{
	(void)state;
	check_all(READ_STRICT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_clearml_accepts_is_taken),
		cmocka_unit_test(the_strict_dialect_takes_the_same_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
