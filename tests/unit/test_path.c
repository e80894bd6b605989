#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/mem.h"
#include "value/path.h"
#include "value/value.h"

struct fixture {
	struct arena arena;
	struct path path;
	struct path_error error;
};

static int set_up(void **state)
{
	*state = mem_alloc(sizeof(struct fixture));
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	arena_free(&f->arena);
	mem_free(f);
	return 0;
}

static bool parse(struct fixture *f, struct str text)
{
	return path_parse(&f->path, &f->arena, text, &f->error);
}

/* @text is understood as the keys @keys, which a NULL ends. */
static void assert_keys(struct fixture *f, const char *text,
			const char *const *keys)
{
	size_t count = 0;

	assert_true(parse(f, str_from(text)));
	for (; keys[count]; count++) {
		assert_true(count < f->path.count);
		assert_true(str_is(f->path.items[count], keys[count]));
	}
	assert_int_equal(f->path.count, count);
}

#define KEYS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void the_empty_path_is_the_root(void **state)
{
	struct fixture *f = *state;
	struct value *root = value_new(&f->arena, VALUE_OBJECT);

	assert_true(parse(f, STR("")));
	assert_int_equal(f->path.count, 0);
	assert_ptr_equal(path_find(root, &f->path), root);
	assert_true(parse(f, (struct str){0}));
	assert_int_equal(f->path.count, 0);
}

static void dots_separate_keys(void **state)
{
	assert_keys(*state, "a", KEYS("a"));
	assert_keys(*state, "a.b.c", KEYS("a", "b", "c"));
	assert_keys(*state, "agent.package_manager.type",
		    KEYS("agent", "package_manager", "type"));
	assert_keys(*state, "0.1", KEYS("0", "1"));
}

static void a_bare_key_may_be_anything_but_syntax(void **state)
{
	assert_keys(*state, "a b.c/d", KEYS("a b", "c/d"));
	assert_keys(*state, "a:b.[0].{}", KEYS("a:b", "[0]", "{}"));
	assert_keys(*state, "\u00e9.\U0001F600", KEYS("\u00e9", "\U0001F600"));
	assert_keys(*state, "a\\n", KEYS("a\\n"));
}

static void a_quoted_key_is_a_json_string(void **state)
{
	assert_keys(*state, "a.\"b.c\".d", KEYS("a", "b.c", "d"));
	assert_keys(*state, "\"\"", KEYS(""));
	assert_keys(*state, "a.\"\"", KEYS("a", ""));
	assert_keys(*state, "\"a\"", KEYS("a"));
	assert_keys(*state, "\"\\\"\\\\\\n\\u00e9\"", KEYS("\"\\\n\u00e9"));
}

static void a_key_may_hold_nul(void **state)
{
	struct fixture *f = *state;

	assert_true(parse(f, STR("\"a\\u0000b\"")));
	assert_true(str_equal(f->path.items[0], STR("a\0b")));
}

static void faults_are_found_where_they_are(void **state)
{
	static const struct {
		struct str text;
		size_t offset;
		const char *reason;
	} cases[] = {
		{STR("."), 0, "a key is missing"},
		{STR(".a"), 0, "a key is missing"},
		{STR("a."), 2, "a key is missing"},
		{STR("a..b"), 2, "a key is missing"},
		{STR("a.\"b\"."), 6, "a key is missing"},
		{STR("a\"b\""), 1, "expected '.' or the end"},
		{STR("\"a\"b"), 3, "expected '.' or the end"},
		{STR("\"a\"\"b\""), 3, "expected '.' or the end"},
		{STR("\"a\" .b"), 3, "expected '.' or the end"},
		{STR("a\nb"), 1, "expected '.' or the end"},
		{STR("a\0b"), 1, "expected '.' or the end"},
		{STR("\t"), 0, "a key is missing"},
		{STR("a.\"b"), 4, "the string is not closed"},
		{STR("a.\""), 3, "the string is not closed"},
		{STR("a.\"b\\"), 4, "JSON has no such escape"},
		{STR("\u00e9.\"\\x\""), 4, "JSON has no such escape"},
		{STR("a.\"\x01\""), 3,
		 "a control character in a string must be escaped"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_false(parse(f, cases[i].text));
		assert_int_equal(f->error.offset, cases[i].offset);
		assert_string_equal(f->error.reason, cases[i].reason);
		assert_int_equal(f->path.count, 0);
	}
}

static void a_path_has_a_largest_depth(void **state)
{
	struct fixture *f = *state;
	char text[2 * PATH_ELEMENTS_MAX + 1];

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 2 ? '.' : 'a';
	assert_true(parse(f, (struct str){text, sizeof(text) - 2}));
	assert_int_equal(f->path.count, PATH_ELEMENTS_MAX);
	assert_false(parse(f, (struct str){text, sizeof(text)}));
	assert_string_equal(f->error.reason, "too many keys");
	assert_int_equal(f->error.offset, sizeof(text) - 1);
	assert_false(parse(f, (struct str){text, sizeof(text) - 1}));
}

static void assert_text(const char *const *keys, const char *expected)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	for (; *keys; keys++)
		path_add_key(&text, str_from(*keys));
	assert_string_equal(buf_str(&text).ptr, expected);
}

static void only_special_keys_are_quoted(void **state)
{
	(void)state;
	assert_text(KEYS("a", "b_c", "d-e", "0"), "a.b_c.d-e.0");
	assert_text(KEYS("\u00e9"), "\u00e9");
	assert_text(KEYS("a.b", "c"), "\"a.b\".c");
	assert_text(KEYS("a", ""), "a.\"\"");
	assert_text(KEYS("", "a"), "\"\".a");
	assert_text(KEYS("a b", "c/d"), "\"a b\".\"c/d\"");
	assert_text(KEYS("\"", "\\", "\n"), "\"\\\"\".\"\\\\\".\"\\n\"");
}

/* Every pair of these keys survives being written and read. */
static void what_is_written_is_read_back(void **state)
{
	static const struct str keys[] = {
		STR(""),     STR("a"),       STR("."),      STR("a.b"),
		STR("\""),   STR("\\"),      STR("\n"),     STR("\0"),
		STR(" "),    STR("a b"),     STR("\u00e9"), STR("\U0001F600"),
		STR("\x7f"), STR("\\u0041"), STR("0"),      STR("[0]"),
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(keys) * ARRAY_SIZE(keys); i++) {
		_cleanup_(buf_deinit) struct buf text = BUF_INIT;
		struct str first = keys[i % ARRAY_SIZE(keys)];
		struct str second = keys[i / ARRAY_SIZE(keys)];

		path_add_key(&text, first);
		path_add_key(&text, second);
		assert_true(parse(f, buf_str(&text)));
		assert_int_equal(f->path.count, 2);
		assert_true(str_equal(f->path.items[0], first));
		assert_true(str_equal(f->path.items[1], second));
	}
}

/* {a: {"0": null, b: [null x 12]}} */
static struct value *new_tree(struct arena *arena)
{
	struct value *root = value_new(arena, VALUE_OBJECT);
	struct value *a = value_new(arena, VALUE_OBJECT);
	struct value *list = value_new(arena, VALUE_LIST);

	*value_object_slot(root, arena, STR("a")) = a;
	*value_object_slot(a, arena, STR("0")) = value_new(arena, VALUE_NULL);
	*value_object_slot(a, arena, STR("b")) = list;
	for (int i = 0; i < 12; i++)
		value_list_add(list, arena, value_new(arena, VALUE_NULL));
	return root;
}

static const struct value *find(struct fixture *f, const struct value *root,
				const char *path)
{
	assert_true(parse(f, str_from(path)));
	return path_find(root, &f->path);
}

static void digits_index_a_list_and_name_a_key(void **state)
{
	struct fixture *f = *state;
	struct value *root = new_tree(&f->arena);
	const struct value *list = find(f, root, "a.b");

	assert_true(value_is(list, VALUE_LIST));
	assert_ptr_equal(find(f, root, "a.b.0"), list->list.items[0]);
	assert_ptr_equal(find(f, root, "a.b.11"), list->list.items[11]);
	assert_ptr_equal(find(f, root, "a.b.\"1\""), list->list.items[1]);
	assert_ptr_equal(find(f, root, "a.0"),
			 value_get(find(f, root, "a"), STR("0")));
}

static void what_is_not_there_is_not_found(void **state)
{
	static const char *const paths[] = {
		"b",
		"a.1",
		"a.b.12",
		"a.b.-1",
		"a.b.+1",
		"a.b.x",
		"a.b.1x",
		"a.b.\"\"",
		"a.b.1 ",
		"a.0.x",
		"a.b.0.0",
		"\"a.b\"",
		"a.b.4294967296",
		"a.b.9999999999",
		"a.b.18446744073709551616",
		"a.b.18446744073709551617",
		"a.b.1.0",
	};
	struct fixture *f = *state;
	struct value *root = new_tree(&f->arena);

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++)
		assert_null(find(f, root, paths[i]));
	assert_null(find(f, NULL, ""));
	assert_null(find(f, NULL, "a"));
}

static void a_path_covers_what_is_below_it(void **state)
{
	static const struct {
		const char *a, *b;
		bool covers;
	} cases[] = {
		{"", "", true},
		{"", "a", true},
		{"a", "", false},
		{"a", "a", true},
		{"a", "a.b.c", true},
		{"a.b", "a", false},
		{"a", "ab", false},
		{"a.b", "a.c", false},
		{"a.b", "\"a.b\"", false},
		{"\"a\"", "a.b", true},
	};
	struct fixture *f = *state;
	struct path a;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(parse(f, str_from(cases[i].a)));
		a = f->path;
		assert_true(parse(f, str_from(cases[i].b)));
		assert_int_equal(path_covers(&a, &f->path), cases[i].covers);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_empty_path_is_the_root),
		TEST(dots_separate_keys),
		TEST(a_bare_key_may_be_anything_but_syntax),
		TEST(a_quoted_key_is_a_json_string),
		TEST(a_key_may_hold_nul),
		TEST(faults_are_found_where_they_are),
		TEST(a_path_has_a_largest_depth),
		TEST(only_special_keys_are_quoted),
		TEST(what_is_written_is_read_back),
		TEST(digits_index_a_list_and_name_a_key),
		TEST(what_is_not_there_is_not_found),
		TEST(a_path_covers_what_is_below_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
