#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fleet/plan.h"

#include "base/buf.h"
#include "base/mem.h"

static void rising_shares_are_stages(void **state)
{
	struct plan plan = {0};

	(void)state;
	assert_null(plan_set_stages(&plan, STR("1%,10%, 100%")));
	assert_int_equal(plan.stages, 3);
	assert_int_equal(plan.shares[0], 100);
	assert_int_equal(plan.shares[2], 10000);
	assert_null(plan_set_stages(&plan, STR("0.05%,12.5%")));
	assert_int_equal(plan.stages, 2);
	assert_int_equal(plan.shares[0], 5);
	assert_int_equal(plan.shares[1], 1250);
}

static void what_is_no_share_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"1",
		"%",
		"10%,1%",
		"10%,10%",
		"101%",
		"0%",
		"-1%",
		"1%,,2%",
		"1.234%",
		"1%;2%",
		"100.01%",
		"1 0%",
		"10 %",
		"5.%",
		"1e1%",
		"1%,x%",
		"1%,",
		"99999999999999999999%",
	};
	struct plan plan = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_non_null(plan_set_stages(&plan, str_from(wrong[i])));
}

static void a_plan_is_bounded(void **state)
{
	struct plan plan = {0};

	(void)state;
	for (int i = 1; i <= PLAN_STAGES_MAX; i++)
		assert_true(plan_add_stage(&plan, i));
	assert_false(plan_add_stage(&plan, PLAN_STAGES_MAX + 1));
}

static void limits_are_one_of_a_kind(void **state)
{
	static const char *const wrong[] = {
		"broken", "broken>", "broken>x",  "broken>-1",
		"slow>1", ">1",      "broken>1,", "broken>0,broken>1",
	};
	struct plan plan = {0};

	(void)state;
	assert_null(
		plan_set_limits(&plan, STR("broken>0, behind>5,offline>2")));
	assert_int_equal(plan.limit_count, 3);
	assert_int_equal(plan.limits[1].most, 5);
	assert_null(plan_set_limits(&plan, STR("")));
	assert_int_equal(plan.limit_count, 0);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_non_null(plan_set_limits(&plan, str_from(wrong[i])));
}

static void who_is_broken_counts_at_once(void **state)
{
	struct plan_tally tally = {.broken = 1, .behind = 9};
	_cleanup_(buf_deinit) struct buf why = BUF_INIT;
	struct plan plan = {0};

	(void)state;
	assert_null(plan_set_limits(&plan, STR("broken>1,behind>8")));
	assert_false(plan_is_exceeded(&plan, &tally, false, &why));
	tally.broken = 2;
	assert_true(plan_is_exceeded(&plan, &tally, false, &why));
	assert_string_equal(buf_str(&why).ptr,
			    "2 hosts are broken, and the limit is 1");
}

static void who_is_behind_counts_at_the_end(void **state)
{
	struct plan_tally tally = {.behind = 1};
	_cleanup_(buf_deinit) struct buf why = BUF_INIT;
	struct plan plan = {0};

	(void)state;
	assert_null(plan_set_limits(&plan, STR("behind>0")));
	assert_false(plan_is_exceeded(&plan, &tally, false, &why));
	assert_true(plan_is_exceeded(&plan, &tally, true, &why));
	assert_string_equal(buf_str(&why).ptr,
			    "1 host is behind, and the limit is 0");
}

static void shares_are_written_as_typed(void **state)
{
	static const struct {
		unsigned int share;
		const char *text;
	} cases[] = {
		{10000, "100%"}, {100, "1%"}, {1250, "12.5%"}, {5, "0.05%"}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(buf_deinit) struct buf text = BUF_INIT;

		plan_add_share(&text, cases[i].share);
		assert_string_equal(buf_str(&text).ptr, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rising_shares_are_stages),
		cmocka_unit_test(what_is_no_share_is_refused),
		cmocka_unit_test(a_plan_is_bounded),
		cmocka_unit_test(limits_are_one_of_a_kind),
		cmocka_unit_test(who_is_broken_counts_at_once),
		cmocka_unit_test(who_is_behind_counts_at_the_end),
		cmocka_unit_test(shares_are_written_as_typed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
