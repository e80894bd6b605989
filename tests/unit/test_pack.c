#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/pack.h"

static const uint64_t numbers[] = {
	0, 1, 127, 128, 16383, 16384, UINT32_MAX, INT64_MAX, UINT64_MAX};

static void every_number_is_read_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		_cleanup_(buf_deinit) struct buf out = BUF_INIT;
		struct unpack in;

		pack_number(&out, numbers[i]);
		pack_signed(&out, (int64_t)numbers[i]);
		pack_signed(&out, -(int64_t)(numbers[i] / 2));
		in = (struct unpack){.rest = buf_str(&out)};
		assert_true(unpack_number(&in) == numbers[i]);
		assert_true(unpack_signed(&in) == (int64_t)numbers[i]);
		assert_true(unpack_signed(&in) == -(int64_t)(numbers[i] / 2));
		assert_false(in.failed);
		assert_int_equal(in.rest.len, 0);
	}
}

static void small_numbers_take_one_byte(void **state)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	(void)state;
	pack_number(&out, 127);
	pack_signed(&out, -64);
	pack_signed(&out, 63);
	assert_int_equal(out.len, 3);
}

static void texts_are_read_back(void **state)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	struct unpack in;

	(void)state;
	pack_text(&out, STR("a\0b"));
	pack_text(&out, STR(""));
	pack_optional(&out, NULL);
	pack_optional(&out, "");
	in = (struct unpack){.rest = buf_str(&out)};
	assert_true(str_equal(unpack_text(&in), STR("a\0b")));
	assert_int_equal(unpack_text(&in).len, 0);
	assert_int_equal(unpack_number(&in), 0);
	assert_int_equal(unpack_number(&in), 1);
	assert_int_equal(unpack_text(&in).len, 0);
	assert_false(in.failed);
}

static void assert_fails(struct str bytes)
{
	struct unpack in = {.rest = bytes};

	assert_int_equal(unpack_text(&in).len, 0);
	assert_true(in.failed);
	assert_int_equal(unpack_number(&in), 0);
	assert_int_equal(unpack_bytes(&in, 1).len, 0);
	assert_true(in.failed);
}

static void what_is_not_so_stops_the_reader(void **state)
{
	(void)state;
	assert_fails(STR(""));
	assert_fails(STR("\x80"));
	assert_fails(STR("\x02"
			 "a"));
	assert_fails(STR("\x01\xff"));
	/* more than 64 bits */
	assert_fails(STR("\x81\x80\x80\x80\x80\x80\x80\x80\x80\x02"));
	assert_fails(STR("\x81\x80\x80\x80\x80\x80\x80\x80\x80\x81\x00"));
}

static void a_number_has_a_maximum(void **state)
{
	struct unpack in = {.rest = STR("\x05\x06")};

	(void)state;
	assert_int_equal(unpack_number_to(&in, 5), 5);
	assert_int_equal(unpack_number_to(&in, 5), 0);
	assert_true(in.failed);
}

static void what_was_optional_is_read_back(void **state)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct unpack in;

	(void)state;
	pack_optional(&out, "name");
	pack_optional(&out, NULL);
	pack_optional(&out, "");
	in = (struct unpack){.rest = buf_str(&out)};
	assert_string_equal(unpack_optional(&in, &arena), "name");
	assert_null(unpack_optional(&in, &arena));
	assert_string_equal(unpack_optional(&in, &arena), "");
	assert_false(in.failed);
	assert_int_equal(in.rest.len, 0);
}

static void a_name_has_no_nul(void **state)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	struct unpack in;

	(void)state;
	pack_text(&out, STR("a\0b"));
	in = (struct unpack){.rest = buf_str(&out)};
	assert_int_equal(unpack_name(&in).len, 0);
	assert_true(in.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_is_read_back),
		cmocka_unit_test(small_numbers_take_one_byte),
		cmocka_unit_test(texts_are_read_back),
		cmocka_unit_test(what_was_optional_is_read_back),
		cmocka_unit_test(a_name_has_no_nul),
		cmocka_unit_test(what_is_not_so_stops_the_reader),
		cmocka_unit_test(a_number_has_a_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
