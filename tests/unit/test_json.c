#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/source.h"
#include "value/json.h"
#include "value/value.h"

static int set_up(void **state)
{
	*state = mem_alloc(sizeof(struct arena));
	return 0;
}

static int tear_down(void **state)
{
	arena_free(*state);
	mem_free(*state);
	return 0;
}

static void assert_real(double real, const char *expected)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	json_write_real(&out, real);
	assert_string_equal(buf_str(&out).ptr, expected);
}

static void assert_json(const struct value *value, const char *expected)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	json_write(&out, value);
	assert_string_equal(buf_str(&out).ptr, expected);
}

static void assert_pretty(const struct value *value, const char *expected)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	json_write_pretty(&out, value);
	assert_string_equal(buf_str(&out).ptr, expected);
}

/* What Python's repr() says. */
static const struct {
	double real;
	const char *text;
} pythons[] = {
	{0.0, "0.0"},
	{-0.0, "-0.0"},
	{1.0, "1.0"},
	{-1.0, "-1.0"},
	{0.1, "0.1"},
	{-0.1, "-0.1"},
	{0.5, "0.5"},
	{1.5, "1.5"},
	{100.0, "100.0"},
	{123456.789, "123456.789"},
	{3.141592653589793, "3.141592653589793"},
	{2.718281828459045, "2.718281828459045"},
	{0.30000000000000004, "0.30000000000000004"},
	{1e15, "1000000000000000.0"},
	{1e16, "1e+16"},
	{-1e16, "-1e+16"},
	{1e17, "1e+17"},
	{1e22, "1e+22"},
	{1e23, "1e+23"},
	{1e100, "1e+100"},
	{1e-4, "0.0001"},
	{1e-5, "1e-05"},
	{0.00012345, "0.00012345"},
	{1.2345e-05, "1.2345e-05"},
	{1e-7, "1e-07"},
	{9999999999999998.0, "9999999999999998.0"},
	{9007199254740992.0, "9007199254740992.0"},
	{123456789012345680.0, "1.2345678901234568e+17"},
	{0.1e-6, "1e-07"},
	{5e-324, "5e-324"},
	{1e-323, "1e-323"},
	{2.2250738585072011e-308, "2.225073858507201e-308"},
	{2.2250738585072014e-308, "2.2250738585072014e-308"},
	{2.225073858507201e-308, "2.225073858507201e-308"},
	{1.7976931348623157e308, "1.7976931348623157e+308"},
	{-1.7976931348623157e308, "-1.7976931348623157e+308"},
	{4.35, "4.35"},
	{2.675, "2.675"},
	{1e21, "1e+21"},
	{179.99999999999997, "179.99999999999997"},
	{6.02214076e23, "6.02214076e+23"},
	{6.62607015e-34, "6.62607015e-34"},
	{5.960464477539063e-08, "5.960464477539063e-08"},
	{6.103515625e-05, "6.103515625e-05"},
	{618970019642690137449562112.0, "6.189700196426902e+26"},
	{1.1920928955078125e-07, "1.1920928955078125e-07"},
	{9.5367431640625e-07, "9.5367431640625e-07"},
	{8.41e21, "8.41e+21"},
	{9.5e-6, "9.5e-06"},
	{1.0000000000000002, "1.0000000000000002"},
	{0.9999999999999999, "0.9999999999999999"},
	{1e-310, "1e-310"},
	{2e-310, "2e-310"},
	{4.9406564584124654e-300, "4.9406564584124654e-300"},
};

static void reals_look_as_python_prints_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(pythons); i++)
		assert_real(pythons[i].real, pythons[i].text);
}

/* There the neighbour below is nearer than the one above, and rounding to
 * sixteen digits may go the wrong way. */
static void powers_of_two_are_shortest_too(void **state)
{
	static const struct {
		double real;
		const char *text;
	} reals[] = {
		{0x1p-24, "5.960464477539063e-08"},
		{0x1p-44, "5.684341886080802e-14"},
		{0x1p-77, "6.617444900424222e-24"},
		{0x1p+89, "6.189700196426902e+26"},
		{-0x1p+89, "-6.189700196426902e+26"},
		{0x1p-1017, "7.120236347223045e-307"},
		{0x1p-1022, "2.2250738585072014e-308"},
		{0x1p-1074, "5e-324"},
		{0x1p+1023, "8.98846567431158e+307"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(reals); i++)
		assert_real(reals[i].real, reals[i].text);
}

/* A fixed sequence of bit patterns, all magnitudes and subnormals too. */
static void every_real_reads_back_the_same(void **state)
{
	uint64_t bits = 1;
	double real;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		_cleanup_(buf_deinit) struct buf out = BUF_INIT;

		bits = bits * UINT64_C(6364136223846793005) +
		       UINT64_C(1442695040888963407);
		memcpy(&real, &bits, sizeof(real));
		if (!__builtin_isfinite(real))
			continue;
		json_write_real(&out, real);
		assert_true(strtod(buf_str(&out).ptr, NULL) == real);
		assert_true(strpbrk(out.data, ".e") != NULL);
		assert_true(out.len <= 24);
	}
}

static struct value *new_int(struct arena *arena, const char *digits)
{
	struct value *value = value_new(arena, VALUE_NULL);

	value_set_int(value, arena, str_from(digits));
	return value;
}

static void scalars_have_their_json_form(void **state)
{
	struct value *yes = value_new(*state, VALUE_BOOL);
	struct value *real = value_new(*state, VALUE_REAL);

	yes->boolean = true;
	assert_json(value_new(*state, VALUE_NULL), "null");
	assert_json(yes, "true");
	assert_json(value_new(*state, VALUE_BOOL), "false");
	assert_json(real, "0.0");
	assert_json(value_new_string(*state, STR("a\"\n")), "\"a\\\"\\n\"");
}

static void integers_keep_all_their_digits(void **state)
{
	assert_json(new_int(*state, "-0"), "0");
	assert_json(new_int(*state, "18446744073709551616"),
		    "18446744073709551616");
	assert_json(new_int(*state, "-123456789012345678901234567890"),
		    "-123456789012345678901234567890");
}

/* {"a": [1, []], "": {}, "b": {"c": null}} */
static struct value *new_tree(struct arena *arena)
{
	struct value *root = value_new(arena, VALUE_OBJECT);
	struct value *list = value_new(arena, VALUE_LIST);
	struct value *b = value_new(arena, VALUE_OBJECT);

	value_list_add(list, arena, new_int(arena, "1"));
	value_list_add(list, arena, value_new(arena, VALUE_LIST));
	*value_object_slot(root, arena, STR("a")) = list;
	*value_object_slot(root, arena, STR("")) =
		value_new(arena, VALUE_OBJECT);
	*value_object_slot(root, arena, STR("b")) = b;
	*value_object_slot(b, arena, STR("c")) = value_new(arena, VALUE_NULL);
	return root;
}

static void a_tree_fits_on_one_line_without_spaces(void **state)
{
	assert_json(new_tree(*state),
		    "{\"a\":[1,[]],\"\":{},\"b\":{\"c\":null}}");
}

static void for_people_each_value_has_a_line(void **state)
{
	assert_pretty(new_tree(*state), "{\n"
					"  \"a\": [\n"
					"    1,\n"
					"    []\n"
					"  ],\n"
					"  \"\": {},\n"
					"  \"b\": {\n"
					"    \"c\": null\n"
					"  }\n"
					"}");
	assert_pretty(value_new(*state, VALUE_LIST), "[]");
	assert_pretty(value_new(*state, VALUE_OBJECT), "{}");
	assert_pretty(new_int(*state, "7"), "7");
}

static void keys_are_escaped_like_strings(void **state)
{
	struct value *object = value_new(*state, VALUE_OBJECT);

	*value_object_slot(object, *state, STR("\"\0\xff")) =
		value_new(*state, VALUE_NULL);
	assert_json(object, "{\"\\\"\\u0000\uFFFD\":null}");
}

static void objects_made_by_hand_have_commas_in_between(void **state)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	(void)state;
	buf_putc(&out, '{');
	json_add_string(&out, "s", "{");
	json_add_int(&out, "i", -5);
	json_add_bool(&out, "t", true);
	json_add_bool(&out, "f", false);
	json_key(&out, "o");
	buf_putc(&out, '{');
	json_add_string(&out, "n", NULL);
	buf_puts(&out, "}");
	json_add_int(&out, "last", 1);
	buf_putc(&out, '}');
	assert_string_equal(buf_str(&out).ptr,
			    "{\"s\":\"{\",\"i\":-5,\"t\":true,\"f\":false,"
			    "\"o\":{\"n\":\"\"},\"last\":1}");
}

static void what_is_absent_is_left_out(void **state)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	(void)state;
	buf_putc(&out, '{');
	json_add_optional_string(&out, "a", NULL);
	json_add_optional_int(&out, "b", -1);
	json_add_optional_int(&out, "c", 0);
	json_add_optional_string(&out, "d", "");
	json_add_pos(&out, &(struct pos){0});
	assert_string_equal(buf_str(&out).ptr, "{\"c\":0,\"d\":\"\"");
	json_add_pos(&out, &(struct pos){3, 5});
	assert_string_equal(buf_str(&out).ptr,
			    "{\"c\":0,\"d\":\"\",\"line\":3,\"column\":5");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reals_look_as_python_prints_them),
		TEST(powers_of_two_are_shortest_too),
		TEST(every_real_reads_back_the_same),
		TEST(scalars_have_their_json_form),
		TEST(integers_keep_all_their_digits),
		TEST(a_tree_fits_on_one_line_without_spaces),
		TEST(for_people_each_value_has_a_line),
		TEST(keys_are_escaped_like_strings),
		TEST(objects_made_by_hand_have_commas_in_between),
		TEST(what_is_absent_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
