#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>

#include "base/mem.h"
#include "fetch/backoff.h"

#define LEAST 0
#define HALF  (UINT32_MAX / 2 + 1)
#define MOST  UINT32_MAX

static const struct backoff minute = {
	.interval_ms = 60000,
	.jitter_percent = 20,
	.first_ms = 2000,
	.max_ms = 900000,
};

/* failures, random, asked -> delay */
static const struct {
	unsigned int failures;
	uint32_t random;
	uint64_t asked, delay;
} table[] = {
	/* The interval, a fifth up and down. */
	{0, LEAST, 0, 48000},
	{0, HALF, 0, 60000},
	{0, MOST, 0, 72000},
	/* 2 s, 4 s, 8 s, ... 15 min: the upper half of each. */
	{1, LEAST, 0, 2000},
	{1, MOST, 0, 1000},
	{2, LEAST, 0, 4000},
	{3, LEAST, 0, 8000},
	{3, HALF, 0, 6000},
	{9, LEAST, 0, 512000},
	{10, LEAST, 0, 900000},
	{10, MOST, 0, 450000},
	{1000, LEAST, 0, 900000},
	{UINT_MAX, LEAST, 0, 900000},
	/* What the server asks for is the least, up to the longest. */
	{1, LEAST, 1000, 2000},
	{1, LEAST, 30000, 30000},
	{1, MOST, 30000, 36000},
	{5, LEAST, 5000, 32000},
	{1, LEAST, UINT64_MAX, 900000},
	{1, MOST, UINT64_MAX, 1080000},
	{0, LEAST, 100000, 100000},
};

static void the_table_holds(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct backoff backoff = minute;

		backoff.failures = table[i].failures;
		assert_int_equal(backoff_delay(&backoff, 0, table[i].random,
					       table[i].asked),
				 table[i].delay);
	}
}

/* phase of a minute, in seconds; now, in seconds past a whole one -> wait */
static const struct {
	unsigned int phase, now, wait;
} phases[] = {
	/* From its own moment to the next one. */
	{0, 0, 60},
	{15, 15, 60},
	{45, 45, 60},
	/* Early or late by a jitter: back to the moment itself. */
	{15, 5, 70},
	{15, 25, 50},
	{0, 58, 62},
	/* From anywhere: the nearest moment to an interval from now. */
	{30, 0, 30},
	{30, 1, 89},
	{30, 59, 31},
	{0, 29, 31},
	{0, 31, 89},
};

static void a_success_leads_to_the_phase(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
		struct backoff backoff = minute;

		backoff.phase =
			(uint32_t)(phases[i].phase * (UINT64_C(1) << 32) / 60 +
				   1);
		assert_int_equal(backoff_delay(&backoff,
					       phases[i].now * UINT64_C(1000),
					       HALF, 0),
				 phases[i].wait * 1000);
	}
}

/* It stays within its jitter of its phase, for ever. */
static void jitter_does_not_add_up(void **state)
{
	struct backoff backoff = minute;
	uint64_t now = UINT64_C(1795487474000);

	(void)state;
	backoff.phase = HALF;
	for (unsigned int i = 0; i < 1000; i++) {
		now += backoff_delay(&backoff, now, i * UINT32_C(2654435761),
				     0);
		assert_in_range(now % 60000, 18000, 42000);
	}
}

static void no_jitter_makes_a_loop(void **state)
{
	struct backoff backoff = minute;

	(void)state;
	backoff.jitter_percent = 100;
	backoff.phase = HALF;
	assert_int_equal(backoff_delay(&backoff, 0, LEAST, 0), 15000);
}

/* All of a fleet are asked for the same wait at the same moment. */
static void a_wait_asked_for_is_spread_by_phase(void **state)
{
	struct backoff backoff = minute;

	(void)state;
	backoff.phase = HALF;
	backoff_failed(&backoff);
	assert_int_equal(backoff_delay(&backoff, 0, LEAST, 30000), 45000);
	assert_int_equal(backoff_delay(&backoff, 0, LEAST, 120000), 150000);
}

static void a_success_forgets_the_failures(void **state)
{
	struct backoff backoff = minute;

	(void)state;
	backoff_failed(&backoff);
	backoff_failed(&backoff);
	assert_int_equal(backoff_delay(&backoff, 0, LEAST, 0), 4000);
	backoff_succeeded(&backoff);
	assert_int_equal(backoff_delay(&backoff, 0, LEAST, 0), 48000);
}

/* Whoever has been served waits longer than who has not. */
static void after_a_success_failures_are_less_urgent(void **state)
{
	struct backoff backoff = minute;

	(void)state;
	backoff_succeeded(&backoff);
	backoff_failed(&backoff);
	assert_int_equal(backoff_delay(&backoff, 0, LEAST, 0), 15000);
	backoff_failed(&backoff);
	assert_int_equal(backoff_delay(&backoff, 0, LEAST, 0), 30000);
	backoff.interval_ms = 1000;
	assert_int_equal(backoff_delay(&backoff, 0, LEAST, 0), 4000);
}

static void failures_do_not_wrap_around(void **state)
{
	struct backoff backoff = minute;

	(void)state;
	backoff.failures = UINT_MAX;
	backoff_failed(&backoff);
	assert_int_equal(backoff_delay(&backoff, 0, LEAST, 0), 900000);
}

static void the_longest_wait_is_never_shorter_than_the_interval(void **state)
{
	struct backoff backoff = minute;

	(void)state;
	assert_int_equal(backoff_longest(&backoff, LEAST), 900000);
	assert_int_equal(backoff_longest(&backoff, MOST), 1080000);
	backoff.max_ms = 1000;
	assert_int_equal(backoff_longest(&backoff, LEAST), 60000);
}

static void the_first_question_waits_a_minute_at_most(void **state)
{
	struct backoff backoff = minute;

	(void)state;
	backoff.phase = HALF;
	assert_int_equal(backoff_before_first(&backoff, 0), 30000);
	assert_int_equal(backoff_before_first(&backoff, 40000), 50000);
	backoff.interval_ms = 3600000;
	assert_int_equal(backoff_before_first(&backoff, 40000), 50000);
	backoff.interval_ms = 10000;
	assert_int_equal(backoff_before_first(&backoff, 40000), 5000);
}

static void no_first_wait_exceeds_the_longest(void **state)
{
	struct backoff backoff = minute;

	(void)state;
	backoff.max_ms = 500;
	backoff_failed(&backoff);
	assert_int_equal(backoff_delay(&backoff, 0, LEAST, 0), 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_holds),
		cmocka_unit_test(a_success_leads_to_the_phase),
		cmocka_unit_test(jitter_does_not_add_up),
		cmocka_unit_test(no_jitter_makes_a_loop),
		cmocka_unit_test(a_wait_asked_for_is_spread_by_phase),
		cmocka_unit_test(a_success_forgets_the_failures),
		cmocka_unit_test(after_a_success_failures_are_less_urgent),
		cmocka_unit_test(failures_do_not_wrap_around),
		cmocka_unit_test(
			the_longest_wait_is_never_shorter_than_the_interval),
		cmocka_unit_test(the_first_question_waits_a_minute_at_most),
		cmocka_unit_test(no_first_wait_exceeds_the_longest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
