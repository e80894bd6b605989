#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/docs.h"

#include "base/source.h"
#include "config/place.h"
#include "config/stack.h"

struct merged {
	struct stack_docs docs;
	struct arena arena;
	struct value *root;
};

/* A file and a vault over it. */
static struct merged merge_of(const char *file, const char *vault)
{
	struct merged merged = {0};

	stack_docs_insert(&merged.docs, LAYER_FILE, docs_read(file));
	stack_docs_insert(&merged.docs, LAYER_VAULT, docs_read(vault));
	merged.root = stack_docs_merge(&merged.docs, &merged.arena);
	return merged;
}

static void merged_deinit(struct merged *merged)
{
	arena_free(&merged->arena);
	stack_docs_deinit(&merged->docs);
}

static void check_place(const struct merged *merged, const char *path,
			enum layer_kind kind, uint32_t column)
{
	struct place place;

	assert_true(place_find(&place, &merged->docs,
			       docs_find(merged->root, path)));
	assert_int_equal(place.kind, kind);
	assert_int_equal(source_pos(place.source, place.offset).column, column);
}

static void a_value_is_of_the_document_that_made_it(void **state)
{
	_cleanup_(merged_deinit) struct merged merged =
		merge_of("{\"a\":[1,{\"b\":2}],\"c\":{\"d\":3}}",
			 "{\"e\":4,\"c\":{\"f\":5}}");

	(void)state;
	check_place(&merged, "a", LAYER_FILE, 6);
	check_place(&merged, "a.1", LAYER_FILE, 9);
	check_place(&merged, "c.d", LAYER_FILE, 27);
	check_place(&merged, "c.f", LAYER_VAULT, 17);
	check_place(&merged, "e", LAYER_VAULT, 6);
}

static void a_list_is_of_the_layer_that_won(void **state)
{
	_cleanup_(merged_deinit) struct merged merged =
		merge_of("{\"a\":[1,2]}", "{ \"a\":[1,2]}");

	(void)state;
	check_place(&merged, "a.1", LAYER_VAULT, 10);
}

static void what_several_documents_made_is_where_it_begins(void **state)
{
	_cleanup_(merged_deinit) struct merged merged = merge_of(
		"{\"c\":{\"d\":{\"x\":3}}}", "{\"c\":{\"d\":{\"f\":5}}}");

	(void)state;
	check_place(&merged, "c", LAYER_FILE, 16);
}

static void a_value_of_somebody_else_has_no_place(void **state)
{
	_cleanup_(merged_deinit) struct merged merged = merge_of("{}", "{}");
	_cleanup_(doc_unrefp) struct doc *other = docs_read("{\"a\":{}}");
	struct place place;

	(void)state;
	assert_false(place_find(&place, &merged.docs, other->root));
}

/* As the container of the environment (config/agent). */
static void a_derived_value_has_a_layer_and_no_text(void **state)
{
	_cleanup_(stack_docs_deinit) struct stack_docs docs = {0};
	struct doc *doc = doc_new();
	struct place place;

	(void)state;
	doc->root = value_new(&doc->arena, VALUE_OBJECT);
	stack_docs_insert(&docs, LAYER_ENV_NAMED, doc);
	assert_true(place_find(&place, &docs, doc->root));
	assert_int_equal(place.kind, LAYER_ENV_NAMED);
	assert_null(place.source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_is_of_the_document_that_made_it),
		cmocka_unit_test(a_list_is_of_the_layer_that_won),
		cmocka_unit_test(
			what_several_documents_made_is_where_it_begins),
		cmocka_unit_test(a_value_of_somebody_else_has_no_place),
		cmocka_unit_test(a_derived_value_has_a_layer_and_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
