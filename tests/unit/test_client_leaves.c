#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/docs.h"
#include "base/buf.h"
#include "text/leaves.h"

static struct leaves leaves_of(const char *json)
{
	_cleanup_(doc_unrefp) struct doc *doc = docs_read(json);
	struct leaves leaves = {0};

	leaves_add(&leaves, STR(""), doc->root);
	return leaves;
}

static void note(void *data, const char *path, const char *old, const char *new)
{
	buf_printf(data, "%s:%s>%s ", path, old ? old : "", new ? new : "");
}

static void assert_differences(const struct leaves *old,
			       const struct leaves *new, const char *expected)
{
	_cleanup_(buf_deinit) struct buf found = BUF_INIT;

	leaves_compare(old, new, note, &found);
	assert_string_equal(buf_str(&found).ptr ? buf_str(&found).ptr : "",
			    expected);
}

static void removals_come_first_then_the_others_by_path(void **state)
{
	struct leaves old = leaves_of("{\"z\":1,\"b\":{\"c\":2},\"k\":[1]}");
	struct leaves new = leaves_of("{\"b\":{\"c\":3},\"a\":{},\"k\":[1]}");

	(void)state;
	assert_differences(&old, &new, "z:1> a:>{} b.c:2>3 ");
	assert_differences(&new, &new, "");
	leaves_deinit(&old);
	leaves_deinit(&new);
}

static void a_leaf_is_set_again_and_goes(void **state)
{
	struct leaves old = leaves_of("{\"a\":1,\"b\":2,\"c\":3}");
	struct leaves new = leaves_of("{\"a\":1,\"b\":2,\"c\":3}");
	struct value truth = {.type = VALUE_BOOL, .boolean = true};

	(void)state;
	leaves_set(&new, STR("b"), &truth);
	leaves_set(&new, STR("c"), NULL);
	leaves_set(&new, STR("nothing"), NULL);
	leaves_set(&new, STR("d"), &truth);
	assert_differences(&old, &new, "c:3> b:2>true d:>true ");
	leaves_deinit(&old);
	leaves_deinit(&new);
}

static void thousands_keep_their_order(void **state)
{
	struct value truth = {.type = VALUE_BOOL, .boolean = true};
	struct leaves leaves = {0};
	char path[16];

	(void)state;
	for (int i = 0; i < 3000; i++) {
		(void)snprintf(path, sizeof(path), "k%d", i * 7919 % 3000);
		leaves_set(&leaves, str_from(path), &truth);
	}
	assert_int_equal(leaves.count, 3000);
	for (size_t i = 1; i < leaves.count; i++)
		assert_true(str_compare(str_from(leaves.items[i - 1].path),
					str_from(leaves.items[i].path)) < 0);
	leaves_deinit(&leaves);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(removals_come_first_then_the_others_by_path),
		cmocka_unit_test(a_leaf_is_set_again_and_goes),
		cmocka_unit_test(thousands_keep_their_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
