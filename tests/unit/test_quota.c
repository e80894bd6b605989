#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/quota.h"

static struct quota quota_of(size_t connections, size_t watchers)
{
	struct quota quota = {0};

	quota.limits[QUOTA_CONNECTIONS] = connections;
	quota.limits[QUOTA_WATCHERS] = watchers;
	return quota;
}

static void a_user_gets_as_much_as_the_limit(void **state)
{
	struct quota quota = quota_of(2, 1);
	struct charge charges[3] = {0};

	(void)state;
	quota_init(&quota);
	assert_true(charge_take(&charges[0], &quota, 7, QUOTA_CONNECTIONS, 1));
	assert_true(charge_take(&charges[1], &quota, 7, QUOTA_CONNECTIONS, 1));
	assert_false(charge_take(&charges[2], &quota, 7, QUOTA_CONNECTIONS, 1));
	charge_release(&charges[0]);
	assert_true(charge_take(&charges[2], &quota, 7, QUOTA_CONNECTIONS, 1));
	charge_release(&charges[1]);
	charge_release(&charges[2]);
	quota_deinit(&quota);
}

static void users_and_kinds_do_not_share(void **state)
{
	struct quota quota = quota_of(1, 1);
	struct charge charges[3] = {0};

	(void)state;
	quota_init(&quota);
	assert_true(charge_take(&charges[0], &quota, 7, QUOTA_CONNECTIONS, 1));
	assert_true(charge_take(&charges[1], &quota, 8, QUOTA_CONNECTIONS, 1));
	assert_true(charge_take(&charges[2], &quota, 7, QUOTA_WATCHERS, 1));
	for (int i = 0; i < 3; i++)
		charge_release(&charges[i]);
	quota_deinit(&quota);
}

static void an_amount_counts_whole_or_not_at_all(void **state)
{
	struct quota quota = quota_of(10, 0);
	struct charge charges[2] = {0};

	(void)state;
	quota_init(&quota);
	assert_false(
		charge_take(&charges[0], &quota, 7, QUOTA_CONNECTIONS, 11));
	assert_null(charges[0].account);
	assert_true(charge_take(&charges[0], &quota, 7, QUOTA_CONNECTIONS, 8));
	assert_false(charge_take(&charges[1], &quota, 7, QUOTA_CONNECTIONS, 3));
	assert_true(charge_take(&charges[1], &quota, 7, QUOTA_CONNECTIONS, 2));
	charge_release(&charges[0]);
	charge_release(&charges[1]);
	quota_deinit(&quota);
}

static void releasing_twice_gives_nothing(void **state)
{
	struct quota quota = quota_of(1, 0);
	struct charge first = {0}, second = {0}, third = {0};

	(void)state;
	quota_init(&quota);
	assert_true(charge_take(&first, &quota, 7, QUOTA_CONNECTIONS, 1));
	charge_release(&first);
	charge_release(&first);
	assert_true(charge_take(&second, &quota, 7, QUOTA_CONNECTIONS, 1));
	assert_false(charge_take(&third, &quota, 7, QUOTA_CONNECTIONS, 1));
	charge_release(&second);
	quota_deinit(&quota);
}

static void a_lowered_limit_holds_for_what_comes(void **state)
{
	struct quota quota = quota_of(2, 0);
	struct charge charges[3] = {0};

	(void)state;
	quota_init(&quota);
	assert_true(charge_take(&charges[0], &quota, 7, QUOTA_CONNECTIONS, 1));
	assert_true(charge_take(&charges[1], &quota, 7, QUOTA_CONNECTIONS, 1));
	quota.limits[QUOTA_CONNECTIONS] = 1;
	assert_false(charge_take(&charges[2], &quota, 7, QUOTA_CONNECTIONS, 1));
	charge_release(&charges[0]);
	assert_false(charge_take(&charges[2], &quota, 7, QUOTA_CONNECTIONS, 1));
	charge_release(&charges[1]);
	assert_true(charge_take(&charges[2], &quota, 7, QUOTA_CONNECTIONS, 1));
	charge_release(&charges[2]);
	quota_deinit(&quota);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_user_gets_as_much_as_the_limit),
		cmocka_unit_test(users_and_kinds_do_not_share),
		cmocka_unit_test(an_amount_counts_whole_or_not_at_all),
		cmocka_unit_test(releasing_twice_gives_nothing),
		cmocka_unit_test(a_lowered_limit_holds_for_what_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
