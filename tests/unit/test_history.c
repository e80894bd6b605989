#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/docs.h"
#include "base/mem.h"
#include "config/history.h"
#include "config/snapshot.h"

static struct snapshot *snapshot_at(uint64_t generation)
{
	struct stack_docs docs = {0};
	struct snapshot *snapshot = snapshot_new(&docs);

	snapshot->generation = generation;
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
	history_init(&history, 3, SIZE_MAX);
	assert_null(history_get(&history, 0));
	assert_null(history_at(&history, 0));
	assert_null(history_at(&history, 1));
}

static void the_newest_comes_first(void **state)
{
	_cleanup_(history_deinit) struct history history;

	(void)state;
	history_init(&history, 4, SIZE_MAX);
	assert_null(history_oldest(&history));
	add(&history, 10);
	add(&history, 20);
	add(&history, 30);
	assert_int_equal(history_get(&history, 0)->generation, 30);
	assert_int_equal(history_get(&history, 1)->generation, 20);
	assert_int_equal(history_get(&history, 2)->generation, 10);
	assert_null(history_get(&history, 3));
	assert_null(history_get(&history, 4));
	assert_null(history_get(&history, SIZE_MAX));
	assert_int_equal(history_oldest(&history)->generation, 10);
}

static void at_a_generation_is_what_was_served_then(void **state)
{
	_cleanup_(history_deinit) struct history history;

	(void)state;
	history_init(&history, 4, SIZE_MAX);
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
	history_init(&history, 3, SIZE_MAX);
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
	history_init(&history, 1, SIZE_MAX);
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
	history_init(&history, 64, SIZE_MAX);
	for (uint64_t generation = 1; generation <= 1000; generation++)
		add(&history, generation);
	for (size_t i = 0; i < 64; i++)
		assert_int_equal(history_get(&history, i)->generation,
				 1000 - i);
	assert_null(history_get(&history, 64));
	assert_int_equal(history_oldest(&history)->generation, 937);
	assert_at(&history, 937, 937);
	assert_null(history_at(&history, 936));
}

static void what_falls_out_lives_while_somebody_holds_it(void **state)
{
	_cleanup_(history_deinit) struct history history;
	_cleanup_(snapshot_unrefp) struct snapshot *held = snapshot_at(1);

	(void)state;
	history_init(&history, 2, SIZE_MAX);
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
	history_init(&history, 1, SIZE_MAX);
	history_add(&history, held);
	history_add(&history, held);
	assert_int_equal(held->refs, 2);
}

static void the_newest_can_be_renewed(void **state)
{
	_cleanup_(history_deinit) struct history history;
	_cleanup_(snapshot_unrefp) struct snapshot *held = snapshot_at(2);

	(void)state;
	history_init(&history, 2, SIZE_MAX);
	add(&history, 1);
	add(&history, 2);
	history_renew(&history, held);
	assert_ptr_equal(history_get(&history, 0), held);
	assert_int_equal(held->refs, 2);
	assert_at(&history, 1, 1);
	history_renew(&history, held);
	assert_int_equal(held->refs, 2);
}

static struct history_entry restored_at(uint64_t generation, uint64_t until)
{
	return (struct history_entry){.snapshot = snapshot_at(generation),
				      .until = until};
}

static void assert_unknown(const struct history *history, uint64_t generation)
{
	assert_null(history_at(history, generation));
}

static void those_of_earlier_processes_stand_behind(void **state)
{
	_cleanup_(history_deinit) struct history history;
	const struct history_entry found[] = {restored_at(20, 20),
					      restored_at(10, 19)};

	(void)state;
	history_init(&history, 4, SIZE_MAX);
	add(&history, 1000);
	history_restore(&history, found, 2);
	add(&history, 1001);
	assert_int_equal(history.count, 4);
	assert_int_equal(history.added, 2);
	assert_at(&history, 1001, 1001);
	assert_at(&history, 1000, 1000);
	assert_at(&history, 20, 20);
	assert_at(&history, 19, 10);
	add(&history, 1002);
	assert_int_equal(history.restored, 1);
	assert_unknown(&history, 19);
}

/* It may have served more before it was killed. */
static void what_came_after_the_last_that_was_kept_is_unknown(void **state)
{
	_cleanup_(history_deinit) struct history history;
	const struct history_entry found[] = {restored_at(20, 20),
					      restored_at(10, 15)};

	(void)state;
	history_init(&history, 4, SIZE_MAX);
	add(&history, 1000);
	history_restore(&history, found, 2);
	assert_unknown(&history, 21);
	assert_unknown(&history, 999);
	assert_unknown(&history, 16);
	assert_at(&history, 15, 10);
	assert_int_equal(history_previous(&history), 0);
	add(&history, 1001);
	assert_int_equal(history_previous(&history), 1000);
}

static void what_was_served_again_is_known_there_too(void **state)
{
	_cleanup_(history_deinit) struct history history;
	struct history_entry found = restored_at(10, 10);

	(void)state;
	found.again_from = 500;
	found.again_until = 510;
	history_init(&history, 4, SIZE_MAX);
	add(&history, 1000);
	history_restore(&history, &found, 1);
	assert_unknown(&history, 499);
	assert_at(&history, 500, 10);
	assert_at(&history, 510, 10);
	assert_unknown(&history, 511);
}

/* A state folder that was put back from elsewhere. */
static void what_is_newer_than_this_process_is_not_taken(void **state)
{
	_cleanup_(history_deinit) struct history history;
	const struct history_entry found[] = {restored_at(2000, 2000),
					      restored_at(1000, 1999),
					      restored_at(999, 999)};

	(void)state;
	history_init(&history, 4, SIZE_MAX);
	add(&history, 1000);
	history_restore(&history, found, 3);
	assert_int_equal(history.count, 2);
	assert_at(&history, 999, 999);
}

static void what_was_restored_can_be_dropped(void **state)
{
	_cleanup_(history_deinit) struct history history;
	const struct history_entry found[] = {restored_at(20, 20),
					      restored_at(10, 19)};

	(void)state;
	history_init(&history, 8, SIZE_MAX);
	add(&history, 1000);
	add(&history, 1001);
	history_restore(&history, found, 2);
	history_drop_restored(&history);
	assert_int_equal(history.count, 2);
	assert_at(&history, 1000, 1000);
	assert_null(history_at(&history, 20));
	history_drop_restored(&history);
	assert_int_equal(history.count, 2);
}

static void no_more_is_restored_than_there_is_room_for(void **state)
{
	_cleanup_(history_deinit) struct history history;
	const struct history_entry found[] = {restored_at(20, 20),
					      restored_at(10, 19)};

	(void)state;
	history_init(&history, 2, SIZE_MAX);
	add(&history, 1000);
	history_restore(&history, found, 2);
	assert_int_equal(history.count, 2);
	assert_at(&history, 20, 20);
	assert_null(history_at(&history, 19));
}

/* A generation with a document of its own and one that it shares. */
static void add_doc(struct history *history, uint64_t generation,
		    struct doc *shared)
{
	struct stack_docs docs = {0};
	struct snapshot *snapshot;
	_cleanup_(mem_freep) char *text = mem_printf(
		"{\"own\": \"%01000llu\"}", (unsigned long long)generation);

	stack_docs_insert(&docs, LAYER_FILE, doc_ref(shared));
	stack_docs_insert(&docs, LAYER_VAULT, docs_read(text));
	snapshot = snapshot_new(&docs);
	snapshot->generation = generation;
	(void)rendition_json(snapshot->plain); /* somebody has asked */
	history_add(history, snapshot);
	snapshot_unref(snapshot);
}

static size_t kept_of(size_t bytes_limit, struct doc *shared)
{
	_cleanup_(history_deinit) struct history history;

	history_init(&history, 64, bytes_limit);
	for (uint64_t i = 1; i <= 100; i++) {
		add_doc(&history, i, shared);
		assert_at(&history, i, i); /* the current one is there always */
	}
	return history.count;
}

static void older_ones_are_bounded_in_bytes(void **state)
{
	_cleanup_(doc_unrefp) struct doc *small = docs_read("{\"a\": 1}");
	size_t ten, twenty;

	(void)state;
	assert_int_equal(kept_of(SIZE_MAX, small), 64);
	assert_int_equal(kept_of(0, small), 1);
	ten = kept_of((size_t)100 * 1024, small);
	twenty = kept_of((size_t)200 * 1024, small);
	assert_in_range(ten, 5, 40);
	assert_in_range(twenty - 1, 2 * (ten - 1), 2 * (ten - 1) + 1);
}

/* A document of 200 KiB that all have does not count against them. */
static void what_did_not_change_counts_once(void **state)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *small = docs_read("{\"a\": 1}");
	_cleanup_(doc_unrefp) struct doc *large = NULL;

	(void)state;
	buf_puts(&text, "{\"a\": [");
	for (size_t i = 0; i < 3000; i++)
		buf_puts(&text, "1,");
	buf_puts(&text, "1]}");
	large = docs_read(buf_str(&text).ptr);
	assert_true(large->arena.used + large->nodes.used > (size_t)100 * 1024);
	/* But the bytes of its answers do. */
	assert_true(kept_of((size_t)300 * 1024, large) > 10);
	assert_true(kept_of((size_t)300 * 1024, small) >
		    kept_of((size_t)300 * 1024, large));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_history_has_nothing),
		cmocka_unit_test(older_ones_are_bounded_in_bytes),
		cmocka_unit_test(what_did_not_change_counts_once),
		cmocka_unit_test(the_newest_comes_first),
		cmocka_unit_test(at_a_generation_is_what_was_served_then),
		cmocka_unit_test(the_oldest_falls_out_of_the_ring),
		cmocka_unit_test(a_history_of_one_has_the_current_alone),
		cmocka_unit_test(a_history_of_sixty_four_has_sixty_four),
		cmocka_unit_test(what_falls_out_lives_while_somebody_holds_it),
		cmocka_unit_test(one_snapshot_may_be_in_it_twice),
		cmocka_unit_test(the_newest_can_be_renewed),
		cmocka_unit_test(those_of_earlier_processes_stand_behind),
		cmocka_unit_test(
			what_came_after_the_last_that_was_kept_is_unknown),
		cmocka_unit_test(what_was_served_again_is_known_there_too),
		cmocka_unit_test(what_is_newer_than_this_process_is_not_taken),
		cmocka_unit_test(what_was_restored_can_be_dropped),
		cmocka_unit_test(no_more_is_restored_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
