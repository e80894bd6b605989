#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
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

static struct value *new_int(struct arena *arena, const char *digits)
{
	struct value *value = value_new(arena, VALUE_NULL);

	value_set_int(value, arena, str_from(digits));
	return value;
}

static struct value *new_real(struct arena *arena, double real)
{
	struct value *value = value_new(arena, VALUE_REAL);

	value->real = real;
	return value;
}

static struct value *new_bool(struct arena *arena, bool boolean)
{
	struct value *value = value_new(arena, VALUE_BOOL);

	value->boolean = boolean;
	return value;
}

/* The key of number @i: "k0", "k1", ... */
static struct str key_of(struct arena *arena, unsigned int i)
{
	char key[16];

	(void)snprintf(key, sizeof(key), "k%u", i);
	return arena_str(arena, str_from(key));
}

/* Members k0 to k(@count - 1), each the integer of its number. */
static struct value *new_object(struct arena *arena, unsigned int count)
{
	struct value *object = value_new(arena, VALUE_OBJECT);
	struct str key;

	for (unsigned int i = 0; i < count; i++) {
		key = key_of(arena, i);
		*value_object_slot(object, arena, key) =
			new_int(arena, key.ptr + 1);
	}
	return object;
}

static void integers_are_made_canonical(void **state)
{
	static const char *const texts[][2] = {
		{"0", "0"},
		{"-0", "0"},
		{"+0", "0"},
		{"000", "0"},
		{"-000", "0"},
		{"7", "7"},
		{"-7", "-7"},
		{"+007", "7"},
		{"-007", "-7"},
		{"1234567890123456789012345678901234567890",
		 "1234567890123456789012345678901234567890"},
		{"-0001234567890123456789012345678901234567890",
		 "-1234567890123456789012345678901234567890"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct value *value = new_int(*state, texts[i][0]);

		assert_int_equal(value->type, VALUE_INT);
		assert_true(str_is(value_text(value), texts[i][1]));
	}
}

static void integers_that_fit_64_bits_are_numbers(void **state)
{
	static const struct {
		const char *digits;
		int64_t number;
	} cases[] = {
		{"0", 0},
		{"-1", -1},
		{"9223372036854775807", INT64_MAX},
		{"-9223372036854775808", INT64_MIN},
		{"+0009223372036854775807", INT64_MAX},
	};
	static const char *const beyond[] = {
		"9223372036854775808",
		"-9223372036854775809",
		"12345678901234567890123",
		"-12345678901234567890123",
		"1234567890123456789012345678901234567890",
	};
	int64_t number;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_true(value_to_int64(new_int(*state, cases[i].digits),
					   &number));
		assert_true(number == cases[i].number);
	}
	for (size_t i = 0; i < ARRAY_SIZE(beyond); i++)
		assert_false(
			value_to_int64(new_int(*state, beyond[i]), &number));
	assert_false(value_to_int64(NULL, &number));
	assert_false(value_to_int64(new_real(*state, 1.0), &number));
	assert_false(
		value_to_int64(value_new_string(*state, STR("1")), &number));
}

static void decimal_literals_are_reals(void **state)
{
	static const struct {
		const char *literal;
		double real;
	} cases[] = {
		{"0.0", 0.0},
		{"1", 1.0},
		{"+1.5", 1.5},
		{"-2.25", -2.25},
		{".5", 0.5},
		{"5.", 5.0},
		{"1e3", 1000.0},
		{"1E+3", 1000.0},
		{"25e-2", 0.25},
		{"0010.5", 10.5},
		{"1e-400", 0.0},
		{"4.9e-324", 4.9406564584124654e-324},
		{"1.7976931348623157e308", 1.7976931348623157e308},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct value *value = value_new(*state, VALUE_NULL);

		assert_true(value_set_real(value, str_from(cases[i].literal)));
		assert_int_equal(value->type, VALUE_REAL);
		assert_true(value->real == cases[i].real);
	}
}

static void what_strtod_takes_beyond_decimals_is_refused(void **state)
{
	static const struct str literals[] = {
		STR("0x10"),
		STR("0x1p3"),
		STR("inf"),
		STR("-Infinity"),
		STR("nan"),
		STR("NAN(1)"),
		STR("1e400"),
		STR("-1e400"),
		STR(" 1"),
		STR("\n1"),
		STR("1 "),
		STR("1\0"),
		STR("1.5\0"
		    "2"),
		STR("1e"),
		STR("1e+"),
		STR("."),
		STR("-"),
		STR("+"),
		STR(""),
		STR("e5"),
		STR("--1"),
		STR("1.2.3"),
		STR("1_000"),
		STR("1,5"),
		STR("1d"),
		STR("x"),
		{NULL, 0},
	};

	for (size_t i = 0; i < ARRAY_SIZE(literals); i++) {
		struct value *value = value_new(*state, VALUE_BOOL);

		assert_false(value_set_real(value, literals[i]));
		assert_int_equal(value->type, VALUE_BOOL);
	}
}

/* Around the buffer on the stack, 512 bytes: 0.000...1e500. */
static void a_long_literal_keeps_all_its_digits(void **state)
{
	for (int digits = 490; digits < 520; digits++) {
		_cleanup_(buf_deinit) struct buf literal = BUF_INIT;
		struct value *value = value_new(*state, VALUE_NULL);

		buf_printf(&literal, "0.%0*de500", digits, 1);
		assert_true(value_set_real(value, buf_str(&literal)));
		assert_true(value->real > 1e-30 && value->real < 1e30);
	}
}

static void lists_keep_their_order(void **state)
{
	struct value *list = value_new(*state, VALUE_LIST);
	struct value *items[1000];

	for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
		items[i] = value_new(*state, VALUE_NULL);
		value_list_add(list, *state, items[i]);
	}
	assert_int_equal(list->list.count, ARRAY_SIZE(items));
	for (size_t i = 0; i < ARRAY_SIZE(items); i++)
		assert_ptr_equal(list->list.items[i], items[i]);
}

static void assert_members(struct arena *arena, const struct value *object,
			   unsigned int count)
{
	unsigned int i = 0;
	struct member *m;
	struct str key;

	assert_int_equal(object->object.count, count);
	for (value_each (object, m)) {
		key = key_of(arena, i++);
		assert_true(str_equal(member_key(m), key));
		assert_ptr_equal(value_get(object, key), m->value);
		assert_true(str_is(value_text(m->value), key.ptr + 1));
	}
	assert_int_equal(i, count);
	assert_null(value_get(object, key_of(arena, count)));
	assert_null(value_get(object, STR("")));
}

static void every_key_is_found_and_keeps_its_place(void **state)
{
	for (unsigned int count = 0; count < 140; count++)
		assert_members(*state, new_object(*state, count), count);
	assert_members(*state, new_object(*state, 10000), 10000);
}

static void a_known_key_has_one_place(void **state)
{
	struct value *object = new_object(*state, 100);
	struct value *other = value_new(*state, VALUE_NULL);

	for (unsigned int i = 0; i < 100; i++)
		*value_object_slot(object, *state, key_of(*state, i)) = other;
	assert_int_equal(object->object.count, 100);
	assert_ptr_equal(value_get(object, STR("k99")), other);
	assert_true(str_is(member_key(&object->object.members[0]), "k0"));
}

static void a_new_place_is_empty(void **state)
{
	struct value *object = value_new(*state, VALUE_OBJECT);

	assert_null(*value_object_slot(object, *state, STR("a")));
	assert_null(value_get(object, STR("a")));
	assert_int_equal(object->object.count, 1);
}

static void keys_may_be_empty_or_hold_nul(void **state)
{
	struct value *object = value_new(*state, VALUE_OBJECT);
	struct value *one = new_bool(*state, true);
	struct value *two = new_bool(*state, false);

	*value_object_slot(object, *state, STR("")) = one;
	*value_object_slot(object, *state, STR("\0")) = two;
	assert_ptr_equal(value_get(object, STR("")), one);
	assert_ptr_equal(value_get(object, STR("\0")), two);
}

/* Objects grow while others take memory of the same arena. */
static void objects_that_grow_together_do_not_mix(void **state)
{
	struct value *left = value_new(*state, VALUE_OBJECT);
	struct value *right = value_new(*state, VALUE_OBJECT);
	struct str key;

	for (unsigned int i = 0; i < 1000; i++) {
		key = key_of(*state, i);
		*value_object_slot(left, *state, key) =
			new_int(*state, key.ptr + 1);
		*value_object_slot(right, *state, key) =
			new_int(*state, key.ptr + 1);
	}
	assert_members(*state, left, 1000);
	assert_members(*state, right, 1000);
}

/* Every third key goes; the others stay, in order, and are found. */
static void assert_removal(struct arena *arena, unsigned int count)
{
	struct value *object = new_object(arena, count);
	unsigned int left = 0;
	struct value *found;

	for (unsigned int i = 0; i < count; i += 3)
		value_object_remove(object, key_of(arena, i));
	value_object_remove(object, STR("unknown"));
	for (unsigned int i = 0; i < count; i++) {
		found = value_get(object, key_of(arena, i));
		if (i % 3 == 0) {
			assert_null(found);
			continue;
		}
		assert_ptr_equal(object->object.members[left++].value, found);
		assert_true(
			str_is(value_text(found), key_of(arena, i).ptr + 1));
	}
	assert_int_equal(object->object.count, left);
	*value_object_slot(object, arena, STR("k0")) = object;
	assert_ptr_equal(value_get(object, STR("k0")), object);
	assert_ptr_equal(object->object.members[left].value, object);
}

static void removal_keeps_the_order_of_the_others(void **state)
{
	for (unsigned int count = 0; count < 70; count++)
		assert_removal(*state, count);
	assert_removal(*state, 1000);
}

static void an_emptied_object_can_be_filled_again(void **state)
{
	struct value *object = new_object(*state, 40);
	struct str key;

	for (unsigned int i = 40; i-- > 0;)
		value_object_remove(object, key_of(*state, i));
	assert_int_equal(object->object.count, 0);
	for (unsigned int i = 0; i < 40; i++) {
		key = key_of(*state, i);
		*value_object_slot(object, *state, key) =
			new_int(*state, key.ptr + 1);
	}
	assert_members(*state, object, 40);
}

/* Also on both sides of the size where a hash table begins. */
static void a_copied_object_goes_its_own_way(void **state)
{
	for (unsigned int count = 0; count < 70; count++) {
		struct value *object = new_object(*state, count);
		struct value *copy = value_copy(*state, object);
		struct value *same = value_copy(*state, object);

		*value_object_slot(copy, *state, STR("new")) = object;
		value_object_remove(copy, STR("k0"));
		if (count > 1)
			*value_object_slot(copy, *state, STR("k1")) = object;
		assert_members(*state, object, count);
		assert_members(*state, same, count);
		assert_null(value_get(copy, STR("k0")));
		assert_ptr_equal(value_get(copy, STR("new")), object);
	}
}

static void a_copied_list_goes_its_own_way(void **state)
{
	struct value *list = value_new(*state, VALUE_LIST), *copy;
	struct value *item = value_new(*state, VALUE_NULL);

	for (uint32_t count = 0; count < 20; count++) {
		copy = value_copy(*state, list);
		assert_true(value_equal(copy, list));
		value_list_add(copy, *state, item);
		assert_int_equal(list->list.count, count);
		value_list_add(list, *state, item);
		copy->list.items[0] = list;
		assert_ptr_equal(list->list.items[0], item);
	}
}

static void a_copied_scalar_keeps_its_place(void **state)
{
	struct value *value = value_new_string(*state, STR("a")), *copy;

	value->source = 3;
	value->offset = 77;
	copy = value_copy(*state, value);
	assert_true(value_equal(copy, value));
	assert_int_equal(copy->source, 3);
	assert_int_equal(copy->offset, 77);
}

static void only_objects_have_keys(void **state)
{
	assert_null(value_get(NULL, STR("a")));
	assert_null(value_get(value_new(*state, VALUE_LIST), STR("a")));
	assert_null(value_get(value_new_string(*state, STR("a")), STR("a")));
}

/* Of each two of these only equal indexes are equal. */
static void values_of_other_type_or_content_differ(void **state)
{
	struct value *list = value_new(*state, VALUE_LIST);
	struct value *two = value_new(*state, VALUE_LIST);

	value_list_add(list, *state, new_int(*state, "1"));
	value_list_add(two, *state, new_int(*state, "1"));
	value_list_add(two, *state, new_int(*state, "2"));
	const struct value *const values[] = {
		value_new(*state, VALUE_NULL),
		new_bool(*state, false),
		new_bool(*state, true),
		new_int(*state, "1"),
		new_int(*state, "-1"),
		new_real(*state, 1.0),
		new_real(*state, 0.0),
		new_real(*state, -0.0),
		value_new_string(*state, STR("1")),
		value_new_string(*state, STR("")),
		value_new_string(*state, STR("\0")),
		value_new(*state, VALUE_LIST),
		list,
		two,
		value_new(*state, VALUE_OBJECT),
		new_object(*state, 1),
		new_object(*state, 30),
		new_object(*state, 31),
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		assert_false(value_equal(values[i], NULL));
		assert_false(value_equal(NULL, values[i]));
		for (size_t k = 0; k < ARRAY_SIZE(values); k++)
			assert_int_equal(value_equal(values[i], values[k]),
					 i == k);
	}
	assert_true(value_equal(NULL, NULL));
}

static void equality_is_about_content(void **state)
{
	assert_true(value_equal(new_int(*state, "-0"), new_int(*state, "00")));
	assert_true(value_equal(new_real(*state, 0.1), new_real(*state, 0.1)));
	assert_true(value_equal(value_new_string(*state, STR("a")),
				value_new_string(*state, STR("a"))));
	assert_true(value_equal(value_new(*state, VALUE_NULL),
				value_new(*state, VALUE_NULL)));
	assert_true(
		value_equal(new_object(*state, 50), new_object(*state, 50)));
}

static void the_order_of_keys_does_not_count(void **state)
{
	for (unsigned int count = 1; count < 100; count += 7) {
		struct value *forth = new_object(*state, count);
		struct value *back = value_new(*state, VALUE_OBJECT);
		struct str key;

		for (unsigned int i = count; i-- > 0;) {
			key = key_of(*state, i);
			*value_object_slot(back, *state, key) =
				new_int(*state, key.ptr + 1);
		}
		assert_true(value_equal(forth, back));
		*value_object_slot(back, *state, STR("k0")) =
			new_int(*state, "77");
		assert_false(value_equal(forth, back));
		value_object_remove(back, STR("k0"));
		assert_false(value_equal(forth, back));
		*value_object_slot(back, *state, STR("other")) =
			new_int(*state, "0");
		assert_false(value_equal(forth, back));
		assert_false(value_equal(back, forth));
	}
}

static void types_have_names(void **state)
{
	static const char *const names[] = {
		"null", "bool", "int", "real", "string", "list", "object",
	};

	for (int type = VALUE_NULL; type <= VALUE_OBJECT; type++)
		assert_string_equal(value_type_name(value_new(
					    *state, (enum value_type)type)),
				    names[type]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(integers_are_made_canonical),
		TEST(integers_that_fit_64_bits_are_numbers),
		TEST(decimal_literals_are_reals),
		TEST(what_strtod_takes_beyond_decimals_is_refused),
		TEST(a_long_literal_keeps_all_its_digits),
		TEST(lists_keep_their_order),
		TEST(every_key_is_found_and_keeps_its_place),
		TEST(a_known_key_has_one_place),
		TEST(a_new_place_is_empty),
		TEST(keys_may_be_empty_or_hold_nul),
		TEST(objects_that_grow_together_do_not_mix),
		TEST(removal_keeps_the_order_of_the_others),
		TEST(an_emptied_object_can_be_filled_again),
		TEST(a_copied_object_goes_its_own_way),
		TEST(a_copied_list_goes_its_own_way),
		TEST(a_copied_scalar_keeps_its_place),
		TEST(only_objects_have_keys),
		TEST(values_of_other_type_or_content_differ),
		TEST(equality_is_about_content),
		TEST(the_order_of_keys_does_not_count),
		TEST(types_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
