#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "read/decimal.h"

/* @digits of @base, one character each. */
static struct str converted(struct arena *arena, uint32_t base,
			    const char *digits, bool negative)
{
	struct decimal number;

	decimal_init(&number);
	for (; *digits; digits++)
		decimal_add_digit(&number, base,
				  (uint32_t)(*digits <= '9'
						     ? *digits - '0'
						     : *digits - 'a' + 10));
	return decimal_text(&number, arena, negative);
}

static const struct {
	uint32_t base;
	const char *digits, *decimal;
} numbers[] = {
	{2, "0", "0"},
	{2, "101", "5"},
	{8, "0017", "15"},
	{16, "ffffffff", "4294967295"},
	{16, "100000000", "4294967296"},
	{16, "3b9aca00", "1000000000"},
	{16, "de0b6b3a7640000", "1000000000000000000"},
	{16, "de0b6b3a7640001", "1000000000000000001"},
	{16, "ffffffffffffffff", "18446744073709551615"},
	{16, "10000000000000000", "18446744073709551616"},
	{10, "000000001000000000", "1000000000"},
	{10, "123456789012345678901234567", "123456789012345678901234567"},
	{60, "1z", "95"},
	{60, "1000000000000", "2176782336000000000000"},
};

static void any_base_becomes_decimal(void **state)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct str text;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		text = converted(&arena, numbers[i].base, numbers[i].digits,
				 false);
		assert_int_equal(text.len, strlen(numbers[i].decimal));
		assert_memory_equal(text.ptr, numbers[i].decimal, text.len);
	}
}

static void only_a_number_other_than_zero_is_negative(void **state)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;

	(void)state;
	assert_true(str_is(converted(&arena, 16, "10000000000", true),
			   "-1099511627776"));
	assert_true(str_is(converted(&arena, 16, "00", true), "0"));
}

/* Nothing left of the nine digits of a limb may get lost. */
static void zeros_within_a_number_stay(void **state)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	char digits[1002];

	(void)state;
	memset(digits, '0', sizeof(digits));
	digits[0] = '1';
	digits[sizeof(digits) - 1] = '\0';
	assert_true(str_is(converted(&arena, 10, digits, false), digits));
}

static void the_largest_number_fits(void **state)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct decimal number;
	struct str text;

	(void)state;
	decimal_init(&number);
	for (size_t i = 0; i < DECIMAL_DIGITS_MAX; i++)
		decimal_add_digit(&number, 60, 59);
	text = decimal_text(&number, &arena, true);
	assert_int_equal(text.len, 7285);
	assert_true(str_starts(text, STR("-")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_base_becomes_decimal),
		cmocka_unit_test(only_a_number_other_than_zero_is_negative),
		cmocka_unit_test(zeros_within_a_number_stay),
		cmocka_unit_test(the_largest_number_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
