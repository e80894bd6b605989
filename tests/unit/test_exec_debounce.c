/* When a command is told of a change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exec/exec_debounce.h"

#define NOW 5000

static void a_change_is_due_when_it_was_quiet(void **state)
{
	struct exec_debounce debounce = {0};

	(void)state;
	assert_int_equal(exec_debounce_moment(&debounce, NOW), 0);
	exec_debounce_change(&debounce, true, NOW);
	assert_false(exec_debounce_is_due(&debounce, NOW + 499));
	assert_int_equal(exec_debounce_moment(&debounce, NOW), NOW + 500);
	exec_debounce_change(&debounce, true, NOW + 400);
	assert_false(exec_debounce_is_due(&debounce, NOW + 899));
	assert_true(exec_debounce_is_due(&debounce, NOW + 900));
	assert_int_equal(exec_debounce_moment(&debounce, NOW + 900), 0);
}

static void a_burst_that_does_not_end_is_due(void **state)
{
	struct exec_debounce debounce = {0};

	(void)state;
	for (int i = 0; i < 100; i++)
		exec_debounce_change(&debounce, true, NOW + i * 100LL);
	assert_true(exec_debounce_is_due(&debounce, NOW + 5000));
	assert_false(exec_debounce_is_due(&debounce, NOW + 4999));
}

static void what_is_taken_back_was_none(void **state)
{
	struct exec_debounce debounce = {.max_ms = 1000};

	(void)state;
	exec_debounce_change(&debounce, true, NOW);
	exec_debounce_change(&debounce, false, NOW + 100);
	assert_int_equal(exec_debounce_moment(&debounce, NOW + 100), 0);
	assert_false(exec_debounce_is_due(&debounce, NOW + 10000));
	assert_false(exec_debounce_is_overdue(&debounce, NOW + 10000));
	exec_debounce_change(&debounce, true, NOW + 10000);
	assert_false(exec_debounce_is_due(&debounce, NOW + 10499));
}

static void each_takes_its_share_of_the_time(void **state)
{
	struct exec_debounce debounce = {.splay_ms = 2000};

	(void)state;
	exec_debounce_change(&debounce, true, NOW);
	assert_false(exec_debounce_is_due(&debounce, NOW + 1999));
	assert_true(exec_debounce_is_due(&debounce, NOW + 2000));
	exec_debounce_change(&debounce, true, NOW + 1900);
	assert_false(exec_debounce_is_due(&debounce, NOW + 2000));
	assert_true(exec_debounce_is_due(&debounce, NOW + 2400));
}

static void work_that_does_not_end_is_overdue(void **state)
{
	struct exec_debounce debounce = {.max_ms = 3000};

	(void)state;
	exec_debounce_change(&debounce, true, NOW);
	exec_debounce_change(&debounce, true, NOW + 2800);
	assert_false(exec_debounce_is_overdue(&debounce, NOW + 2999));
	assert_true(exec_debounce_is_overdue(&debounce, NOW + 3000));
	assert_int_equal(exec_debounce_moment(&debounce, NOW + 2800),
			 NOW + 3000);
	exec_debounce_forget(&debounce);
	assert_false(exec_debounce_is_overdue(&debounce, NOW + 9000));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_change_is_due_when_it_was_quiet),
		cmocka_unit_test(a_burst_that_does_not_end_is_due),
		cmocka_unit_test(what_is_taken_back_was_none),
		cmocka_unit_test(each_takes_its_share_of_the_time),
		cmocka_unit_test(work_that_does_not_end_is_overdue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
