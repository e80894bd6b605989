#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

static void an_empty_buf_is_an_empty_text(void **state)
{
	struct buf buf = BUF_INIT;
	struct str text = buf_str(&buf);

	(void)state;
	assert_int_equal(text.len, 0);
	assert_string_equal(text.ptr, "");
	buf_deinit(&buf);
	buf_deinit(&buf);
	assert_null(buf.data);
}

static void growth_keeps_every_byte(void **state)
{
	_cleanup_(buf_deinit) struct buf buf = BUF_INIT;

	(void)state;
	for (int i = 0; i < 70000; i++)
		buf_putc(&buf, (char)(i % 251));
	assert_int_equal(buf.len, 70000);
	for (int i = 0; i < 70000; i++)
		assert_int_equal((unsigned char)buf.data[i], i % 251);
}

static void pieces_follow_one_another(void **state)
{
	_cleanup_(buf_deinit) struct buf buf = BUF_INIT;

	(void)state;
	buf_puts(&buf, "a");
	buf_add(&buf, "b\0c", 3);
	buf_add_str(&buf, STR("d"));
	buf_add_str(&buf, (struct str){0});
	buf_printf(&buf, "%s%d", "e", 6);
	assert_int_equal(buf.len, 7);
	assert_memory_equal(buf_str(&buf).ptr, "ab\0cde6", 8);
}

/* Around the first capacity, 256, the terminating NUL decides. */
static void a_formatted_piece_of_any_length_fits(void **state)
{
	(void)state;
	for (int len = 0; len < 1030; len++) {
		_cleanup_(buf_deinit) struct buf buf = BUF_INIT;

		buf_printf(&buf, "%*s|", len, "");
		assert_int_equal(buf.len, len + 1);
		assert_int_equal(buf.data[len], '|');
		assert_int_equal(strlen(buf_str(&buf).ptr), len + 1);
	}
}

static void a_full_buf_has_room_for_the_nul(void **state)
{
	(void)state;
	for (size_t len = 250; len < 260; len++) {
		_cleanup_(buf_deinit) struct buf buf = BUF_INIT;

		memset(buf_reserve(&buf, len), 'x', len);
		buf.len += len;
		assert_int_equal(strlen(buf_str(&buf).ptr), len);
		assert_int_equal(buf.len, len);
	}
}

static void dropping_moves_the_rest_to_the_front(void **state)
{
	_cleanup_(buf_deinit) struct buf buf = BUF_INIT;

	(void)state;
	buf_puts(&buf, "abcdef");
	buf_drop(&buf, 0);
	buf_drop(&buf, 2);
	assert_string_equal(buf_str(&buf).ptr, "cdef");
	buf_drop(&buf, 4);
	assert_int_equal(buf.len, 0);
	buf_drop(&buf, 0);
	buf_puts(&buf, "g");
	assert_string_equal(buf_str(&buf).ptr, "g");
}

static void taken_bytes_belong_to_the_caller(void **state)
{
	struct buf buf = BUF_INIT;
	_cleanup_(mem_freep) char *taken = NULL;
	_cleanup_(mem_freep) char *nothing = NULL;

	(void)state;
	buf_puts(&buf, "mine");
	taken = buf_take(&buf);
	assert_string_equal(taken, "mine");
	assert_null(buf.data);
	assert_int_equal(buf.len, 0);
	nothing = buf_take(&buf);
	assert_string_equal(nothing, "");
}

static void a_long_one_keeps_every_byte_and_can_be_taken(void **state)
{
	struct buf buf = BUF_INIT;
	_cleanup_(mem_freep) char *taken = NULL;
	size_t len = 3 * BUF_MAPPED + 5;

	(void)state;
	for (size_t i = 0; i < len; i++)
		buf_putc(&buf, (char)('a' + i % 23));
	assert_true(buf.cap > len && buf.cap >= BUF_MAPPED);
	taken = buf_take(&buf);
	assert_null(buf.data);
	assert_int_equal(strlen(taken), len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(taken[i], 'a' + i % 23);
	buf_add(&buf, taken, len);
	assert_memory_equal(buf.data, taken, len);
	buf_deinit(&buf);
	assert_int_equal(buf.cap, 0);
}

static void integers_are_written_in_decimal(void **state)
{
	static const struct {
		long long number;
		const char *text;
	} cases[] = {
		{0, "0"},
		{7, "7"},
		{-10, "-10"},
		{INT64_MAX, "9223372036854775807"},
		{INT64_MIN, "-9223372036854775808"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(buf_deinit) struct buf buf = BUF_INIT;

		buf_put_int(&buf, cases[i].number);
		assert_string_equal(buf_str(&buf).ptr, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_buf_is_an_empty_text),
		cmocka_unit_test(growth_keeps_every_byte),
		cmocka_unit_test(pieces_follow_one_another),
		cmocka_unit_test(a_formatted_piece_of_any_length_fits),
		cmocka_unit_test(a_full_buf_has_room_for_the_nul),
		cmocka_unit_test(dropping_moves_the_rest_to_the_front),
		cmocka_unit_test(taken_bytes_belong_to_the_caller),
		cmocka_unit_test(a_long_one_keeps_every_byte_and_can_be_taken),
		cmocka_unit_test(integers_are_written_in_decimal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
