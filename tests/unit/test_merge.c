#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/docs.h"
#include "config/merge.h"

static void assert_merged(const char *lower, const char *upper,
			  const char *expected)
{
	_cleanup_(doc_unrefp) struct doc *a = docs_read(lower);
	_cleanup_(doc_unrefp) struct doc *b = docs_read(upper);
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;

	docs_assert_json(merge(&arena, a->root, b->root), expected);
	docs_assert_json(a->root, lower);
	docs_assert_json(b->root, upper);
}

static void objects_merge_deep(void **state)
{
	(void)state;
	assert_merged("{\"a\":{\"b\":1,\"c\":{\"d\":2}}}",
		      "{\"a\":{\"c\":{\"e\":3},\"b\":4}}",
		      "{\"a\":{\"b\":4,\"c\":{\"d\":2,\"e\":3}}}");
}

static void anything_else_replaces_whole(void **state)
{
	(void)state;
	assert_merged("{\"a\":[1,2,3]}", "{\"a\":[4]}", "{\"a\":[4]}");
	assert_merged("{\"a\":{\"b\":1}}", "{\"a\":5}", "{\"a\":5}");
	assert_merged("{\"a\":5}", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}");
	assert_merged("{\"a\":[{\"b\":1}]}", "{\"a\":[{\"c\":1}]}",
		      "{\"a\":[{\"c\":1}]}");
	assert_merged("{\"a\":{\"b\":1}}", "{\"a\":[]}", "{\"a\":[]}");
	assert_merged("{\"a\":1}", "{\"a\":\"\"}", "{\"a\":\"\"}");
}

static void null_replaces_too(void **state)
{
	(void)state;
	assert_merged("{\"a\":{\"b\":1},\"c\":2}", "{\"a\":null}",
		      "{\"a\":null,\"c\":2}");
	assert_merged("{\"a\":null}", "{\"a\":{\"b\":1}}", "{\"a\":{\"b\":1}}");
}

static void an_empty_object_takes_nothing_away(void **state)
{
	(void)state;
	assert_merged("{\"a\":{\"b\":1}}", "{\"a\":{}}", "{\"a\":{\"b\":1}}");
	assert_merged("{\"a\":5}", "{\"a\":{}}", "{\"a\":{}}");
	assert_merged("{}", "{\"a\":1}", "{\"a\":1}");
	assert_merged("{\"a\":1}", "{}", "{\"a\":1}");
}

static void keys_keep_the_order_in_which_they_first_came(void **state)
{
	(void)state;
	assert_merged("{\"c\":1,\"a\":2}", "{\"b\":3,\"a\":4,\"c\":5}",
		      "{\"c\":5,\"a\":4,\"b\":3}");
}

static void nothing_merges_to_the_other(void **state)
{
	_cleanup_(doc_unrefp) struct doc *doc = docs_read("{\"a\":1}");
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;

	(void)state;
	assert_ptr_equal(merge(&arena, NULL, doc->root), doc->root);
	assert_ptr_equal(merge(&arena, doc->root, NULL), doc->root);
	assert_null(merge(&arena, NULL, NULL));
	assert_int_equal(arena.used, 0);
}

static void what_one_side_alone_says_is_shared(void **state)
{
	_cleanup_(doc_unrefp) struct doc *a =
		docs_read("{\"a\":{\"x\":{\"y\":1}},\"both\":{\"l\":[1]}}");
	_cleanup_(doc_unrefp) struct doc *b =
		docs_read("{\"b\":{\"z\":{}},\"both\":{\"m\":{\"n\":2}}}");
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct value *merged = merge(&arena, a->root, b->root);

	(void)state;
	assert_ptr_equal(docs_find(merged, "a"), docs_find(a->root, "a"));
	assert_ptr_equal(docs_find(merged, "b"), docs_find(b->root, "b"));
	assert_ptr_equal(docs_find(merged, "both.l"),
			 docs_find(a->root, "both.l"));
	assert_ptr_equal(docs_find(merged, "both.m"),
			 docs_find(b->root, "both.m"));
	assert_ptr_not_equal(docs_find(merged, "both"),
			     docs_find(a->root, "both"));
}

/* Enough keys for a hash table, in the copy too. */
static void large_objects_merge_like_small_ones(void **state)
{
	_cleanup_(buf_deinit) struct buf lower = BUF_INIT, upper = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *a = NULL, *b = NULL;
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct value *merged;
	char key[16];
	int64_t number;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		buf_printf(&lower, "%c\"k%d\":%d", i ? ',' : '{', i, i);
		buf_printf(&upper, "%c\"k%d\":%d", i ? ',' : '{', i + 500,
			   -i - 500);
	}
	buf_putc(&lower, '}');
	buf_putc(&upper, '}');
	a = docs_read(buf_str(&lower).ptr);
	b = docs_read(buf_str(&upper).ptr);
	merged = merge(&arena, a->root, b->root);
	assert_int_equal(merged->object.count, 1500);
	for (int i = 0; i < 1500; i++) {
		(void)snprintf(key, sizeof(key), "k%d", i);
		assert_true(value_to_int64(value_get(merged, str_from(key)),
					   &number));
		assert_int_equal(number, i < 500 ? i : -i);
		assert_true(value_get(a->root, str_from(key)) != NULL ||
			    i >= 1000);
	}
	assert_int_equal(a->root->object.count, 1000);
}

/* A scalar between two objects cuts off what is below it: the layers have to
 * be folded from the weakest up, and only so. */
static void a_scalar_between_cuts_off_what_is_below(void **state)
{
	_cleanup_(doc_unrefp) struct doc *a = docs_read("{\"k\":{\"x\":1}}");
	_cleanup_(doc_unrefp) struct doc *b = docs_read("{\"k\":5}");
	_cleanup_(doc_unrefp) struct doc *c = docs_read("{\"k\":{\"y\":2}}");
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct value *lower = merge(&arena, a->root, b->root);

	(void)state;
	docs_assert_json(merge(&arena, lower, c->root), "{\"k\":{\"y\":2}}");
}

/* Random trees. */

static uint32_t seed = 7;

static uint32_t draw(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

/* With @typed, keys in capitals hold objects and others never do, so that no
 * scalar stands between two objects. */
static struct value *random_tree(struct arena *arena, unsigned int depth,
				 bool typed)
{
	static const char *const names[] = {"A", "B", "C", "d", "e", "f", "g"};
	struct value *object = value_new(arena, VALUE_OBJECT), *value;
	uint32_t count = draw(6);
	struct str key;
	bool branch;

	for (uint32_t i = 0; i < count; i++) {
		key = str_from(names[draw(ARRAY_SIZE(names))]);
		branch = depth && (typed ? key.ptr[0] < 'a' : draw(2));
		if (branch)
			value = random_tree(arena, depth - 1, typed);
		else
			value = value_new(arena,
					  draw(2) ? VALUE_NULL : VALUE_BOOL);
		if (value->type == VALUE_BOOL)
			value->boolean = draw(2);
		*value_object_slot(object, arena, key) = value;
	}
	return object;
}

static void merging_is_associative_where_types_agree(void **state)
{
	(void)state;
	for (int round = 0; round < 2000; round++) {
		_cleanup_(arena_free) struct arena arena = ARENA_INIT;
		struct value *a = random_tree(&arena, 4, true);
		struct value *b = random_tree(&arena, 4, true);
		struct value *c = random_tree(&arena, 4, true);
		_cleanup_(arena_free) struct arena one = ARENA_INIT;
		_cleanup_(arena_free) struct arena other = ARENA_INIT;
		struct value *left = merge(&one, merge(&one, a, b), c);
		struct value *right = merge(&other, a, merge(&other, b, c));

		assert_true(value_equal(left, right));
	}
}

/* What every path of the merge must hold, said by the rule itself. */
static void assert_follows_the_rule(const struct value *merged,
				    const struct value *lower,
				    const struct value *upper)
{
	struct member *m;

	if (!upper || !lower) {
		assert_ptr_equal(merged, upper ? upper : lower);
		return;
	}
	if (upper->type != VALUE_OBJECT || lower->type != VALUE_OBJECT) {
		assert_ptr_equal(merged, upper);
		return;
	}
	for (value_each (merged, m))
		assert_follows_the_rule(m->value,
					value_get(lower, member_key(m)),
					value_get(upper, member_key(m)));
	for (value_each (lower, m))
		assert_non_null(value_get(merged, member_key(m)));
	for (value_each (upper, m))
		assert_non_null(value_get(merged, member_key(m)));
}

static void any_two_trees_follow_the_rule_and_stay_as_they_are(void **state)
{
	(void)state;
	for (int round = 0; round < 2000; round++) {
		_cleanup_(arena_free) struct arena arena = ARENA_INIT;
		_cleanup_(arena_free) struct arena made = ARENA_INIT;
		_cleanup_(buf_deinit) struct buf before = BUF_INIT;
		_cleanup_(buf_deinit) struct buf after = BUF_INIT;
		struct value *a = random_tree(&arena, 4, false);
		struct value *b = random_tree(&arena, 4, false);

		json_write(&before, a);
		json_write(&before, b);
		assert_follows_the_rule(merge(&made, a, b), a, b);
		json_write(&after, a);
		json_write(&after, b);
		assert_true(str_equal(buf_str(&before), buf_str(&after)));
	}
}

/* A stack of many layers: one object grows, instead of a copy for each. */
static void what_a_merge_made_the_next_changes_in_place(void **state)
{
	_cleanup_(arena_free) struct arena made = ARENA_INIT;
	_cleanup_(doc_unrefp) struct doc *a = docs_read("{\"x\": {\"y\": 1}}");
	_cleanup_(doc_unrefp) struct doc *b = docs_read("{\"x\": {\"z\": 2}}");
	struct value *merged = merge(&made, a->root, b->root);
	size_t used = made.used;

	(void)state;
	assert_ptr_not_equal(merged, a->root);
	for (int i = 0; i < 1000; i++)
		assert_ptr_equal(merge(&made, merged, b->root), merged);
	assert_int_equal(made.used, used);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_merge_deep),
		cmocka_unit_test(anything_else_replaces_whole),
		cmocka_unit_test(null_replaces_too),
		cmocka_unit_test(an_empty_object_takes_nothing_away),
		cmocka_unit_test(keys_keep_the_order_in_which_they_first_came),
		cmocka_unit_test(nothing_merges_to_the_other),
		cmocka_unit_test(what_one_side_alone_says_is_shared),
		cmocka_unit_test(large_objects_merge_like_small_ones),
		cmocka_unit_test(a_scalar_between_cuts_off_what_is_below),
		cmocka_unit_test(merging_is_associative_where_types_agree),
		cmocka_unit_test(
			any_two_trees_follow_the_rule_and_stay_as_they_are),
		cmocka_unit_test(what_a_merge_made_the_next_changes_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
