#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "config/history.h"
#include "config/secret.h"
#include "config/snapshot.h"

static struct snapshot *snapshot_at(uint64_t generation)
{
	struct secrets *secrets = secrets_new(NULL);
	struct stack_docs docs = {0};
	struct snapshot *snapshot = snapshot_new(&docs, secrets);

	snapshot->generation = generation;
	secrets_free(secrets);
	return snapshot;
}

/* The history alone holds it. */
static void add(struct history *history, uint64_t generation)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot =
		snapshot_at(generation);

	history_add(history, snapshot);
}

static void assert_at(const struct history *history, uint64_t asked,
		      uint64_t generation)
{
	const struct snapshot *snapshot = history_at(history, asked);

	assert_non_null(snapshot);
	assert_int_equal(snapshot->generation, generation);
}

static void an_empty_history_has_nothing(void **state)
{
	_cleanup_(history_deinit) struct history history;

	(void)state;
	history_init(&history, 3);
	assert_null(history_get(&history, 0));
	assert_null(history_at(&history, 0));
	assert_null(history_at(&history, 1));
}

static void the_newest_comes_first(void **state)
{
	_cleanup_(history_deinit) struct history history;

	(void)state;
	history_init(&history, 4);
	add(&history, 10);
	add(&history, 20);
	add(&history, 30);
	assert_int_equal(history_get(&history, 0)->generation, 30);
	assert_int_equal(history_get(&history, 1)->generation, 20);
	assert_int_equal(history_get(&history, 2)->generation, 10);
	assert_null(history_get(&history, 3));
	assert_null(history_get(&history, 4));
	assert_null(history_get(&history, SIZE_MAX));
}

static void at_a_generation_is_what_was_served_then(void **state)
{
	_cleanup_(history_deinit) struct history history;

	(void)state;
	history_init(&history, 4);
	add(&history, 10);
	add(&history, 20);
	add(&history, 30);
	assert_at(&history, 10, 10);
	assert_at(&history, 19, 10);
	assert_at(&history, 20, 20);
	assert_at(&history, 29, 20);
	assert_at(&history, 30, 30);
	assert_null(history_at(&history, 9));
	assert_null(history_at(&history, 31));
	assert_null(history_at(&history, UINT64_MAX));
}

static void the_oldest_falls_out_of_the_ring(void **state)
{
	_cleanup_(history_deinit) struct history history;

	(void)state;
	history_init(&history, 3);
	for (uint64_t generation = 1; generation <= 8; generation++) {
		add(&history, generation * 10);
		assert_int_equal(history_get(&history, 0)->generation,
				 generation * 10);
	}
	assert_int_equal(history.count, 3);
	assert_at(&history, 60, 60);
	assert_null(history_at(&history, 59));
	assert_null(history_get(&history, 3));
}

static void a_history_of_one_has_the_current_alone(void **state)
{
	_cleanup_(history_deinit) struct history history;

	(void)state;
	history_init(&history, 1);
	add(&history, 1);
	assert_at(&history, 1, 1);
	add(&history, 2);
	assert_at(&history, 2, 2);
	assert_null(history_at(&history, 1));
	assert_null(history_get(&history, 1));
}

static void a_history_of_sixty_four_has_sixty_four(void **state)
{
	_cleanup_(history_deinit) struct history history;

	(void)state;
	history_init(&history, 64);
	for (uint64_t generation = 1; generation <= 1000; generation++)
		add(&history, generation);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(history_get(&history, i)->generation,
				 1000 - i);
	assert_null(history_get(&history, 64));
	assert_at(&history, 937, 937);
	assert_null(history_at(&history, 936));
}

static void what_falls_out_lives_while_somebody_holds_it(void **state)
{
	_cleanup_(history_deinit) struct history history;
	_cleanup_(snapshot_unrefp) struct snapshot *held = snapshot_at(1);

	(void)state;
	history_init(&history, 2);
	history_add(&history, held);
	assert_int_equal(held->refs, 2);
	add(&history, 2);
	add(&history, 3);
	assert_int_equal(held->refs, 1);
}

static void one_snapshot_may_be_in_it_twice(void **state)
{
	_cleanup_(history_deinit) struct history history;
	_cleanup_(snapshot_unrefp) struct snapshot *held = snapshot_at(1);

	(void)state;
	history_init(&history, 1);
	history_add(&history, held);
	history_add(&history, held);
	assert_int_equal(held->refs, 2);
}

static void the_newest_can_be_renewed(void **state)
{
	_cleanup_(history_deinit) struct history history;
	_cleanup_(snapshot_unrefp) struct snapshot *held = snapshot_at(2);

	(void)state;
	history_init(&history, 2);
	add(&history, 1);
	add(&history, 2);
	history_renew(&history, held);
	assert_ptr_equal(history_get(&history, 0), held);
	assert_int_equal(held->refs, 2);
	assert_at(&history, 1, 1);
	history_renew(&history, held);
	assert_int_equal(held->refs, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_history_has_nothing),
		cmocka_unit_test(the_newest_comes_first),
		cmocka_unit_test(at_a_generation_is_what_was_served_then),
		cmocka_unit_test(the_oldest_falls_out_of_the_ring),
		cmocka_unit_test(a_history_of_one_has_the_current_alone),
		cmocka_unit_test(a_history_of_sixty_four_has_sixty_four),
		cmocka_unit_test(what_falls_out_lives_while_somebody_holds_it),
		cmocka_unit_test(one_snapshot_may_be_in_it_twice),
		cmocka_unit_test(the_newest_can_be_renewed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
