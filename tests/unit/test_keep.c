#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/keep.h"

#define MINUTE ((int64_t)60 * 1000)
#define DAY    ((int64_t)24 * 60 * MINUTE)

static const struct keep_limits limits = {
	.stale_ms = 30 * DAY,
	.grace_ms = 10 * MINUTE,
};

static void nothing_kept_never_lapses(void **state)
{
	struct keep keep = {0};

	(void)state;
	assert_int_equal(keep_lapse(&keep, &limits, 100 * DAY), KEEP_ON);
	assert_int_equal(keep_left(&keep, &limits, 0), -1);
	assert_int_equal(keep_age(&keep, 0), -1);
}

static void a_bad_day_may_last_for_the_stale_limit(void **state)
{
	struct keep keep = {0};

	(void)state;
	keep_answered(&keep, DAY);
	assert_int_equal(keep_left(&keep, &limits, DAY), 30 * DAY);
	assert_int_equal(keep_age(&keep, 3 * DAY), 2 * DAY);
	assert_int_equal(keep_lapse(&keep, &limits, 31 * DAY - 1), KEEP_ON);
	assert_int_equal(keep_left(&keep, &limits, 31 * DAY - 1), 1);
	assert_int_equal(keep_lapse(&keep, &limits, 31 * DAY), KEEP_STALE);
	assert_false(keep.kept);
	assert_int_equal(keep_lapse(&keep, &limits, 32 * DAY), KEEP_ON);
}

static void without_a_limit_it_lasts(void **state)
{
	static const struct keep_limits endless = {0, 10 * MINUTE};
	struct keep keep = {0};

	(void)state;
	keep_answered(&keep, 0);
	assert_int_equal(keep_left(&keep, &endless, 1000 * DAY), -1);
	assert_int_equal(keep_lapse(&keep, &endless, 1000 * DAY), KEEP_ON);
	keep_refused(&keep, 1000 * DAY);
	assert_int_equal(keep_left(&keep, &endless, 1000 * DAY), 10 * MINUTE);
}

static void a_refusal_counts_from_the_first(void **state)
{
	struct keep keep = {0};

	(void)state;
	keep_answered(&keep, 0);
	keep_refused(&keep, MINUTE);
	keep_refused(&keep, 9 * MINUTE);
	assert_int_equal(keep_left(&keep, &limits, 10 * MINUTE), MINUTE);
	assert_int_equal(keep_lapse(&keep, &limits, 11 * MINUTE - 1), KEEP_ON);
	assert_int_equal(keep_lapse(&keep, &limits, 11 * MINUTE), KEEP_REVOKED);
	assert_true(keep.refused);
}

static void a_good_answer_ends_a_refusal(void **state)
{
	struct keep keep = {0};

	(void)state;
	keep_answered(&keep, 0);
	keep_refused(&keep, MINUTE);
	keep_answered(&keep, 2 * MINUTE);
	assert_false(keep.refused);
	assert_int_equal(keep_lapse(&keep, &limits, DAY), KEEP_ON);
}

static void without_a_grace_a_refusal_drops_at_once(void **state)
{
	static const struct keep_limits none = {30 * DAY, 0};
	struct keep keep = {0};

	(void)state;
	keep_answered(&keep, 0);
	keep_refused(&keep, MINUTE);
	assert_int_equal(keep_lapse(&keep, &none, MINUTE), KEEP_REVOKED);
}

static void what_an_earlier_process_kept_is_as_old_as_the_wall_says(
	void **state)
{
	struct keep keep;

	(void)state;
	keep_restore(&keep, MINUTE, 1000000, 1000000 - 3600, 0);
	assert_int_equal(keep_age(&keep, MINUTE), 60 * MINUTE);
	assert_false(keep.refused);
	keep_restore(&keep, MINUTE, 1000000, 1000000 - 3600, 1000000 - 300);
	assert_int_equal(keep_left(&keep, &limits, MINUTE), 5 * MINUTE);
	keep_restore(&keep, MINUTE, 1000000, 1000000 - 31 * 86400, 0);
	assert_int_equal(keep_lapse(&keep, &limits, MINUTE), KEEP_STALE);
}

static void a_clock_set_back_makes_nothing_younger_than_now(void **state)
{
	struct keep keep;

	(void)state;
	keep_restore(&keep, MINUTE, 1000000, 2000000, 0);
	assert_int_equal(keep_age(&keep, MINUTE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_kept_never_lapses),
		cmocka_unit_test(a_bad_day_may_last_for_the_stale_limit),
		cmocka_unit_test(without_a_limit_it_lasts),
		cmocka_unit_test(a_refusal_counts_from_the_first),
		cmocka_unit_test(a_good_answer_ends_a_refusal),
		cmocka_unit_test(without_a_grace_a_refusal_drops_at_once),
		cmocka_unit_test(
			what_an_earlier_process_kept_is_as_old_as_the_wall_says),
		cmocka_unit_test(
			a_clock_set_back_makes_nothing_younger_than_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
