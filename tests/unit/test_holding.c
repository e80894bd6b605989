#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "config/history.h"
#include "config/snapshot.h"
#include "read/doc.h"
#include "serve/holding.h"
#include "value/value.h"

#define NOW 1000000

struct place {
	struct list all;
	struct history history;
};

static int make_place(void **state)
{
	struct place *place = mem_alloc(sizeof(*place));

	list_init(&place->all);
	history_init(&place->history, 4, SIZE_MAX);
	*state = place;
	return 0;
}

static int free_place(void **state)
{
	struct place *place = *state;

	assert_true(list_is_empty(&place->all));
	history_deinit(&place->history);
	mem_free(place);
	return 0;
}

/* @age: seconds that it has been there. */
static void publish(struct place *place, uint64_t generation, int64_t age)
{
	_cleanup_(snapshot_unrefp) struct snapshot *snapshot = NULL;
	struct stack_docs docs = {0};
	struct doc *doc = doc_new();

	doc->root = value_new(&doc->arena, VALUE_OBJECT);
	stack_docs_insert(&docs, LAYER_FILE, doc);
	snapshot = snapshot_new(&docs);
	snapshot->generation = generation;
	snapshot->time = NOW - age;
	history_add(&place->history, snapshot);
}

static void a_generation_is_one_struct_however_many_hold_it(void **state)
{
	struct place *place = *state;
	struct holding *one = holding_take(&place->all, "x", 3);
	struct holding *other = holding_take(&place->all, "y", 3);

	assert_ptr_not_equal(one, other);
	assert_ptr_equal(holding_take(&place->all, "x", 3), one);
	assert_int_equal(one->count, 2);
	assert_null(holding_release(one));
	assert_null(holding_release(other));
	assert_ptr_equal(place->all.next, &one->link);
	assert_null(holding_release(one));
	assert_null(holding_release(NULL));
}

static void age_is_that_of_the_next_generation(void **state)
{
	struct place *place = *state;
	static const uint64_t held[] = {0, 1, 2, 3, 5, 7, 8, 9};
	static const int64_t behind[] = {-1,   90000, 90000, 90000,
					 4000, 100,   -1,    -1};
	struct holding *holding;

	publish(place, 2, 100000);
	publish(place, 4, 90000);
	publish(place, 6, 4000);
	publish(place, 7, 2000);
	publish(place, 8, 100); /* 2 has fallen out */
	for (size_t i = 0; i < ARRAY_SIZE(held); i++) {
		holding = holding_take(&place->all, "x", held[i]);
		assert_int_equal(holding_behind(holding, &place->history, NOW),
				 behind[i]);
		holding_release(holding);
	}
	holding = holding_take(&place->all, "x", 7);
	assert_int_equal(holding_behind(holding, &place->history, NOW - 500),
			 0); /* the clock was put back */
	holding_release(holding);
}

static void those_who_are_behind_are_counted_by_age(void **state)
{
	struct place *place = *state;
	struct holding *held[] = {
		holding_take(&place->all, "x", 1),
		holding_take(&place->all, "x", 5),
		holding_take(&place->all, "x", 5),
		holding_take(&place->all, "x", 7),
		holding_take(&place->all, "x", 8),
		holding_take(&place->all, "y", 1),
	};
	struct behind behind;

	publish(place, 4, 86400);
	publish(place, 6, 86399);
	publish(place, 7, 3599);
	publish(place, 8, 59);
	behind = holdings_behind(&place->all, "x", &place->history, NOW);
	assert_int_equal(behind.count[BEHIND_LONGER], 1);
	assert_int_equal(behind.count[BEHIND_DAY], 2);
	assert_int_equal(behind.count[BEHIND_HOUR], 0);
	assert_int_equal(behind.count[BEHIND_MINUTE], 1);
	for (size_t i = 0; i < ARRAY_SIZE(held); i++)
		holding_release(held[i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_generation_is_one_struct_however_many_hold_it,
			make_place, free_place),
		cmocka_unit_test_setup_teardown(
			age_is_that_of_the_next_generation, make_place,
			free_place),
		cmocka_unit_test_setup_teardown(
			those_who_are_behind_are_counted_by_age, make_place,
			free_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
