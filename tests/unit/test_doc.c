#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "read/doc.h"

static void a_document_lives_while_somebody_holds_it(void **state)
{
	struct doc *doc = doc_new();

	(void)state;
	assert_ptr_equal(doc_ref(doc), doc);
	assert_null(doc_unref(doc));
	assert_int_equal(doc->refs, 1);
	assert_null(doc_unref(doc));
	assert_null(doc_unref(NULL));
}

static void an_include_is_noted_once(void **state)
{
	_cleanup_(doc_unrefp) struct doc *doc = doc_new();
	char name[] = "a";

	(void)state;
	doc_add_include(doc, name);
	doc_add_include(doc, "b");
	doc_add_include(doc, "a");
	name[0] = 'x'; /* the document keeps a copy */
	assert_int_equal(doc->include_count, 2);
	assert_string_equal(doc->includes[0], "a");
	assert_string_equal(doc->includes[1], "b");
}

static void sources_are_limited(void **state)
{
	_cleanup_(doc_unrefp) struct doc *doc = doc_new();

	(void)state;
	for (int i = 0; i < DOC_SOURCES_MAX; i++)
		assert_non_null(doc_add_source(doc));
	assert_null(doc_add_source(doc));
	assert_int_equal(doc->source_count, DOC_SOURCES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_lives_while_somebody_holds_it),
		cmocka_unit_test(an_include_is_noted_once),
		cmocka_unit_test(sources_are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
