#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/mem.h"
#include "text/expiry.h"

#define NOW INT64_C(1795995200) /* 2026-11-29T23:33:20Z */

static void how_long_and_when(void **state)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} cases[] = {
		{"90d", INT64_C(90) * 86400},
		{"12h", INT64_C(12) * 3600},
		{"2w", INT64_C(14) * 86400},
		{"30m", 1800},
		{"7s", 7},
		{"2026-11-30", 1600},
		{"2026-11-30T00:10", 2200},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(expiry_parse(cases[i].text, NOW),
				 cases[i].seconds);
}

static void what_is_neither_or_over_is_none(void **state)
{
	static const char *const cases[] = {
		"",
		"90",
		"d",
		"-1d",
		"1.5h",
		"90 d",
		"2026-11-29",
		"2026-02-31",
		"2027-13-01",
		"2027-02-31",
		"tomorrow",
		"99999999999999999999d",
		"2027-01-01x",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(expiry_parse(cases[i], NOW), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(how_long_and_when),
		cmocka_unit_test(what_is_neither_or_over_is_none),
	};

	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
