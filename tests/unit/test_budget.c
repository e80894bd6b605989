#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "serve/budget.h"
#include "serve/quota.h"

static uint64_t now;

static uint64_t read_clock(void)
{
	return now;
}

/* Two users, of whom the second may not be there. */
struct users {
	struct quota quota;
	struct budget budget;
	struct charge first, again, second; /* the first has two charges */
};

static void users_init(struct users *users, bool others)
{
	*users = (struct users){0};
	quota_init(&users->quota);
	users->quota.limits[QUOTA_CONNECTIONS] = 10;
	budget_init(&users->budget, &users->quota);
	users->budget.clock = read_clock;
	now = 1000;
	assert_true(charge_take(&users->first, &users->quota, 7,
				QUOTA_CONNECTIONS, 1));
	assert_true(charge_take(&users->again, &users->quota, 7,
				QUOTA_CONNECTIONS, 1));
	if (others)
		assert_true(charge_take(&users->second, &users->quota, 8,
					QUOTA_CONNECTIONS, 1));
}

static void users_deinit(struct users *users)
{
	charge_release(&users->first);
	charge_release(&users->again);
	charge_release(&users->second);
	quota_deinit(&users->quota);
}

static void spend(struct users *users, struct charge *charge, uint64_t ns)
{
	now += ns;
	budget_spend(&users->budget, charge);
}

static void a_user_has_a_share_of_a_turn_by_all_his_connections(void **state)
{
	struct users users;

	(void)state;
	users_init(&users, true);
	budget_begin(&users.budget);
	spend(&users, &users.first, BUDGET_SHARE_NS);
	assert_false(budget_is_exhausted(&users.budget, &users.first));
	spend(&users, &users.again, 1);
	assert_true(budget_is_exhausted(&users.budget, &users.first));
	assert_true(budget_is_exhausted(&users.budget, &users.again));
	assert_false(budget_is_exhausted(&users.budget, &users.second));
	users_deinit(&users);
}

static void who_is_alone_may_have_more(void **state)
{
	struct users users;

	(void)state;
	users_init(&users, false);
	budget_begin(&users.budget);
	spend(&users, &users.first, BUDGET_ALONE_NS);
	assert_false(budget_is_exhausted(&users.budget, &users.first));
	spend(&users, &users.first, 1);
	assert_true(budget_is_exhausted(&users.budget, &users.first));
	users_deinit(&users);
}

static void the_next_turn_gives_a_share_again(void **state)
{
	struct users users;

	(void)state;
	users_init(&users, true);
	budget_begin(&users.budget);
	spend(&users, &users.first, 2 * BUDGET_SHARE_NS);
	budget_next_turn(&users.budget);
	assert_false(budget_is_exhausted(&users.budget, &users.first));
	budget_add(&users.budget, &users.first, BUDGET_SHARE_NS + 1);
	assert_true(budget_is_exhausted(&users.budget, &users.first));
	users_deinit(&users);
}

/* And what went by before the second of two answers is charged once. */
static void time_while_the_clock_is_paused_is_charged_to_no_user(void **state)
{
	struct users users;

	(void)state;
	users_init(&users, true);
	budget_begin(&users.budget);
	budget_pause(&users.budget);
	now += 10 * BUDGET_SHARE_NS;
	budget_begin(&users.budget);
	spend(&users, &users.first, BUDGET_SHARE_NS / 2);
	budget_begin(&users.budget);
	spend(&users, &users.first, BUDGET_SHARE_NS / 2);
	assert_false(budget_is_exhausted(&users.budget, &users.first));
	users_deinit(&users);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_user_has_a_share_of_a_turn_by_all_his_connections),
		cmocka_unit_test(who_is_alone_may_have_more),
		cmocka_unit_test(the_next_turn_gives_a_share_again),
		cmocka_unit_test(
			time_while_the_clock_is_paused_is_charged_to_no_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
