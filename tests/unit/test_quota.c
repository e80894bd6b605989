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

static void a_charge_follows_what_it_pays_for(void **state)
{
	struct quota quota = quota_of(0, 0);
	struct charge a = {0}, b = {0};

	(void)state;
	quota_init(&quota);
	quota.limits[QUOTA_BYTES] = 100;
	assert_true(charge_set_bytes(&a, &quota, 7, 0));
	assert_null(a.account);
	assert_true(charge_set_bytes(&a, &quota, 7, 60));
	assert_true(charge_set_bytes(&b, &quota, 7, 40));
	assert_int_equal(quota_bytes_left(&quota, 7), 0);
	assert_int_equal(quota_bytes_left(&quota, 8), 100);
	assert_false(charge_set_bytes(&b, &quota, 7, 41));
	assert_int_equal(b.amount, 40);
	assert_true(charge_set_bytes(&a, &quota, 7, 10));
	assert_true(charge_set_bytes(&b, &quota, 7, 90));
	quota.limits[QUOTA_BYTES] = 50; /* what shrinks is never refused */
	assert_true(charge_set_bytes(&b, &quota, 7, 80));
	assert_false(charge_set_bytes(&b, &quota, 7, SIZE_MAX));
	charge_release(&a);
	assert_true(charge_set_bytes(&b, &quota, 7, 0));
	assert_true(list_is_empty(&quota.accounts));
	quota_deinit(&quota);
}

static void calls_are_counted_by_the_second(void **state)
{
	struct quota quota = quota_of(1, 0);
	struct charge charge = {0};

	(void)state;
	quota_init(&quota);
	quota.rates[RATE_ENVIRONMENT] = 2;
	assert_true(quota_count_call(&quota, 7, RATE_ENVIRONMENT, 5000));
	/* To come back is no way to begin anew. */
	assert_true(charge_take(&charge, &quota, 7, QUOTA_CONNECTIONS, 1));
	charge_release(&charge);
	assert_true(quota_count_call(&quota, 7, RATE_ENVIRONMENT, 5900));
	assert_false(quota_count_call(&quota, 7, RATE_ENVIRONMENT, 5999));
	assert_true(quota_count_call(&quota, 8, RATE_ENVIRONMENT, 5999));
	assert_true(quota_count_call(&quota, 7, RATE_ENVIRONMENT, 6000));
	/* Nobody is remembered for longer than that. */
	assert_true(quota_count_call(&quota, 9, RATE_ENVIRONMENT, 9000));
	assert_true(list_is_empty(quota.accounts.next) ||
		    quota.accounts.next == quota.accounts.prev);
	quota_deinit(&quota);
}

static void each_rate_has_a_time_of_its_own(void **state)
{
	struct quota quota = quota_of(1, 0);

	(void)state;
	quota_init(&quota);
	quota.rates[RATE_ENVIRONMENT] = quota.rates[RATE_SERVER] = 1;
	assert_true(quota_count_call(&quota, 7, RATE_SERVER, 5000));
	assert_true(quota_count_call(&quota, 7, RATE_ENVIRONMENT, 5000));
	assert_true(quota_count_call(&quota, 7, RATE_ENVIRONMENT, 6000));
	assert_false(quota_count_call(&quota, 7, RATE_SERVER, 64999));
	assert_true(quota_count_call(&quota, 7, RATE_SERVER, 65000));
	assert_true(quota_count_call(&quota, 9, RATE_ENVIRONMENT, 126000));
	assert_true(quota.accounts.next == quota.accounts.prev);
	quota_deinit(&quota);
}

static void work_counts_for_one_turn_of_the_loop(void **state)
{
	struct quota quota = quota_of(2, 0);
	struct charge a = {0}, b = {0}, other = {0}, none = {0};

	(void)state;
	quota_init(&quota);
	assert_true(charge_take(&a, &quota, 7, QUOTA_CONNECTIONS, 1));
	assert_true(charge_take(&b, &quota, 7, QUOTA_CONNECTIONS, 1));
	assert_false(quota_has_others(&quota));
	assert_true(charge_take(&other, &quota, 8, QUOTA_CONNECTIONS, 1));
	assert_true(quota_has_others(&quota));
	charge_spend(&a, 1, 30);
	charge_spend(&b, 1, 12);
	charge_spend(&none, 1, 12);
	assert_int_equal(charge_spent(&a, 1), 42);
	assert_int_equal(charge_spent(&other, 1), 0);
	assert_int_equal(charge_spent(&a, 2), 0);
	charge_spend(&a, 2, 1);
	assert_int_equal(charge_spent(&b, 2), 1);
	charge_release(&a);
	charge_release(&b);
	charge_release(&other);
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
		cmocka_unit_test(a_charge_follows_what_it_pays_for),
		cmocka_unit_test(calls_are_counted_by_the_second),
		cmocka_unit_test(each_rate_has_a_time_of_its_own),
		cmocka_unit_test(work_counts_for_one_turn_of_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
