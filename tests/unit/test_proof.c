#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fetch/proof.h"

#define MINUTE INT64_C(60000)
#define HALF   (UINT32_C(1) << 31)

static struct proof each_quarter_hour(void)
{
	return (struct proof){
		.interval_ms = (uint64_t)(15 * MINUTE),
		.jitter_percent = 20,
		.phase = HALF,
	};
}

static void nothing_is_due_before_the_first_login(void **state)
{
	struct proof proof = each_quarter_hour();

	(void)state;
	assert_true(proof_left(&proof, 0) == PROOF_NEVER);
}

/* A fleet that starts at the same moment must not log in together. */
static void the_first_is_at_the_phase(void **state)
{
	struct proof proof = each_quarter_hour();

	(void)state;
	proof_made(&proof, 5000, (uint64_t)(15 * MINUTE), UINT32_MAX);
	assert_int_equal(proof_left(&proof, 5000), 15 * MINUTE / 2);
	assert_int_equal(proof_left(&proof, 6000), 15 * MINUTE / 2 - 1000);
	assert_int_equal(proof_left(&proof, 5000 + 15 * MINUTE), 0);
}

static void those_after_it_are_early_by_the_jitter_and_never_late(void **state)
{
	static const uint32_t randoms[] = {0, 1, HALF, UINT32_MAX};
	struct proof proof = each_quarter_hour();
	uint64_t left;

	(void)state;
	proof_made(&proof, 0, 0, 0);
	for (size_t i = 0; i < sizeof(randoms) / sizeof(randoms[0]); i++) {
		proof_made(&proof, 0, 0, randoms[i]);
		left = proof_left(&proof, 0);
		assert_in_range(left, 12 * MINUTE, 15 * MINUTE);
	}
	assert_int_equal(left, 12 * MINUTE + 1);
}

static void who_asks_need_not_wait(void **state)
{
	struct proof proof = each_quarter_hour();

	(void)state;
	proof_demand(&proof);
	assert_int_equal(proof_left(&proof, 0), 0);
	proof_made(&proof, 0, 0, 0);
	assert_true(proof_left(&proof, 0) > 0);
	proof_demand(&proof);
	assert_int_equal(proof_left(&proof, 0), 0);
}

static void without_an_interval_it_is_only_on_demand(void **state)
{
	struct proof proof = {.jitter_percent = 20};

	(void)state;
	proof_made(&proof, 0, 0, 0);
	assert_true(proof_left(&proof, INT64_MAX) == PROOF_NEVER);
	proof_demand(&proof);
	assert_int_equal(proof_left(&proof, 0), 0);
	proof_made(&proof, 0, 0, 0);
	assert_true(proof_left(&proof, INT64_MAX) == PROOF_NEVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_due_before_the_first_login),
		cmocka_unit_test(the_first_is_at_the_phase),
		cmocka_unit_test(
			those_after_it_are_early_by_the_jitter_and_never_late),
		cmocka_unit_test(who_asks_need_not_wait),
		cmocka_unit_test(without_an_interval_it_is_only_on_demand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
