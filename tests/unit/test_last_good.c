#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/quiet.h"
#include "../support/scratch.h"
#include "base/clock.h"
#include "base/mem.h"
#include "config/stack.h"
#include "fetch/cache.h"
#include "fetch/cache_file.h"
#include "state/last_good.h"

#define MINUTE ((int64_t)60 * 1000)
#define DAY    ((int64_t)24 * 60 * MINUTE)
#define NOWHERE                                                                \
	{                                                                      \
		.kinds = { LAYER_VAULT, LAYER_MONITORING }                     \
	}

static const struct last_good_limits limits = {
	.stale_ms = 30 * DAY,
	.grace_ms = 10 * MINUTE,
};

static const struct last_good_limits endless = {0, 10 * MINUTE};

/* --- how long ------------------------------------------------------------- */

static void nothing_kept_never_lapses(void **state)
{
	struct last_good none = {.place = NOWHERE};

	(void)state;
	assert_int_equal(last_good_lapse(&none, &limits, 100 * DAY),
			 LAST_GOOD_ON);
	assert_int_equal(last_good_left(&none, &limits, 0), -1);
	assert_int_equal(last_good_age(&none, 0), -1);
}

static void a_bad_day_may_last_for_the_stale_limit(void **state)
{
	struct last_good kept = {.place = NOWHERE};

	(void)state;
	last_good_answered(&kept, DAY);
	assert_int_equal(last_good_left(&kept, &limits, DAY), 30 * DAY);
	assert_int_equal(last_good_age(&kept, 3 * DAY), 2 * DAY);
	assert_int_equal(last_good_lapse(&kept, &limits, 31 * DAY - 1),
			 LAST_GOOD_ON);
	assert_int_equal(last_good_left(&kept, &limits, 31 * DAY - 1), 1);
	assert_int_equal(last_good_lapse(&kept, &limits, 31 * DAY),
			 LAST_GOOD_STALE);
	assert_false(kept.kept);
	assert_int_equal(last_good_lapse(&kept, &limits, 32 * DAY),
			 LAST_GOOD_ON);
}

static void without_a_limit_it_lasts(void **state)
{
	struct last_good kept = {.place = NOWHERE};

	(void)state;
	last_good_answered(&kept, 0);
	assert_int_equal(last_good_left(&kept, &endless, 1000 * DAY), -1);
	assert_int_equal(last_good_lapse(&kept, &endless, 1000 * DAY),
			 LAST_GOOD_ON);
	assert_true(last_good_refused(&kept, 1000 * DAY));
	assert_int_equal(last_good_left(&kept, &endless, 1000 * DAY),
			 10 * MINUTE);
}

static void a_refusal_counts_from_the_first(void **state)
{
	struct last_good kept = {.place = NOWHERE};

	(void)state;
	last_good_answered(&kept, 0);
	assert_true(last_good_refused(&kept, MINUTE));
	assert_false(last_good_refused(&kept, 9 * MINUTE));
	assert_int_equal(last_good_left(&kept, &limits, 10 * MINUTE), MINUTE);
	assert_int_equal(last_good_lapse(&kept, &limits, 11 * MINUTE - 1),
			 LAST_GOOD_ON);
	assert_int_equal(last_good_lapse(&kept, &limits, 11 * MINUTE),
			 LAST_GOOD_REVOKED);
	assert_true(kept.refused);
}

static void a_good_answer_ends_a_refusal(void **state)
{
	struct last_good kept = {.place = NOWHERE};

	(void)state;
	last_good_answered(&kept, 0);
	assert_true(last_good_refused(&kept, MINUTE));
	kept.unsaved = false;
	last_good_answered(&kept, 2 * MINUTE);
	assert_false(kept.refused);
	assert_true(kept.unsaved);
	assert_int_equal(last_good_lapse(&kept, &limits, DAY), LAST_GOOD_ON);
}

static void without_a_grace_a_refusal_drops_at_once(void **state)
{
	static const struct last_good_limits none = {30 * DAY, 0};
	struct last_good kept = {.place = NOWHERE};

	(void)state;
	last_good_answered(&kept, 0);
	assert_true(last_good_refused(&kept, MINUTE));
	assert_int_equal(last_good_lapse(&kept, &none, MINUTE),
			 LAST_GOOD_REVOKED);
}

static void a_part_of_the_answers_lapses_and_is_not_kept(void **state)
{
	struct last_good begun = {.place = NOWHERE};

	(void)state;
	last_good_begin(&begun, 0);
	assert_false(begun.kept);
	assert_int_equal(last_good_age(&begun, DAY), -1);
	assert_int_equal(last_good_left(&begun, &limits, DAY), 29 * DAY);
	assert_true(last_good_refused(&begun, DAY));
	assert_int_equal(last_good_lapse(&begun, &limits, DAY + 10 * MINUTE),
			 LAST_GOOD_REVOKED);
	assert_int_equal(last_good_left(&begun, &limits, 2 * DAY), -1);
}

static void a_part_makes_what_is_kept_no_younger(void **state)
{
	struct last_good kept = {.place = NOWHERE};

	(void)state;
	last_good_answered(&kept, 0);
	last_good_begin(&kept, DAY);
	assert_int_equal(last_good_age(&kept, DAY), DAY);
	assert_int_equal(last_good_lapse(&kept, &limits, 30 * DAY),
			 LAST_GOOD_STALE);
}

static void what_was_somebody_elses_is_not_kept(void **state)
{
	struct last_good kept = {.place = NOWHERE};

	(void)state;
	last_good_answered(&kept, 0);
	assert_true(last_good_refused(&kept, MINUTE));
	last_good_drop(&kept);
	assert_int_equal(last_good_age(&kept, DAY), -1);
	assert_true(last_good_refused(&kept, DAY));
}

static void a_lapse_has_its_cause(void **state)
{
	(void)state;
	assert_int_equal(last_good_cause(LAST_GOOD_STALE), CAUSE_STALE_LIMIT);
	assert_int_equal(last_good_cause(LAST_GOOD_REVOKED), CAUSE_REVOKED);
}

/* --- the file ------------------------------------------------------------- */

struct fixture {
	uv_loop_t loop;
	struct stack stack;
	struct last_good last_good;
};

static void open_it(struct fixture *fixture, bool read_only)
{
	const struct last_good_place place = {
		.loop = &fixture->loop,
		.state_dir = scratch_root,
		.name = "research",
		.read_only = read_only,
		.kinds = {LAYER_VAULT, LAYER_MONITORING},
	};

	last_good_init(&fixture->last_good, &place);
}

static void close_it(struct fixture *fixture)
{
	last_good_close(&fixture->last_good);
	assert_int_equal(uv_run(&fixture->loop, UV_RUN_DEFAULT), 0);
}

static int enter(void **state)
{
	struct fixture *fixture = mem_alloc(sizeof(*fixture));

	scratch_enter();
	assert_int_equal(uv_loop_init(&fixture->loop), 0);
	stack_init(&fixture->stack);
	open_it(fixture, false);
	*state = fixture;
	return 0;
}

static int leave(void **state)
{
	struct fixture *fixture = *state;

	close_it(fixture);
	stack_deinit(&fixture->stack);
	assert_int_equal(uv_loop_close(&fixture->loop), 0);
	mem_free(fixture);
	scratch_leave();
	return 0;
}

static void read_it(struct fixture *fixture)
{
	const struct layer_context context = {.limits = READ_LIMITS_DEFAULT};

	(void)stack_read(&fixture->stack, &context);
}

static void give(struct fixture *fixture, enum layer_kind kind,
		 const char *text)
{
	const char *const ids[] = {"v1"};
	struct layer *layer;

	(void)stack_set_sources(&fixture->stack, kind, ids, 1, &layer);
	layer_set_description(layer, "team");
	layer_set_text(layer, READ_HOCON, str_from(text));
	read_it(fixture);
}

static void save(struct fixture *fixture)
{
	_cleanup_(cache_entry_deinit) struct cache_entry entry = {
		.api_server = "https://api",
		.company_id = "c1",
		.access_key = "KEY",
	};

	last_good_save(&fixture->last_good, &entry, &fixture->stack);
}

/* As another process. */
static bool restore(struct fixture *fixture, const char *key,
		    struct cache_entry *entry)
{
	struct cache_query whose = {
		.api_server = "https://api",
		.access_key = key,
	};

	close_it(fixture);
	open_it(fixture, false);
	*entry = (struct cache_entry){0};
	return last_good_restore(&fixture->last_good, &whose, entry);
}

static void what_is_kept_outlives_the_process(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(cache_entry_deinit) struct cache_entry entry = {0};
	const struct last_good *now = &fixture->last_good;

	give(fixture, LAYER_VAULT, "a: 1");
	give(fixture, LAYER_MONITORING, "b: 2");
	last_good_answered(&fixture->last_good, clock_boot_ms());
	save(fixture);
	assert_false(last_good_is_due(now));
	assert_true(restore(fixture, "KEY", &entry));
	assert_int_equal(access("cache/research.cache", F_OK), 0);
	assert_true(now->kept);
	assert_false(now->refused);
	assert_in_range(last_good_age(now, clock_boot_ms()), 0, 5000);
	assert_int_equal(entry.feeds[VAULT_CONFIG].count, 1);
	assert_string_equal(entry.feeds[VAULT_CONFIG].vaults[0].description,
			    "team");
	assert_true(
		str_is(entry.feeds[VAULT_MONITORING].vaults[0].data, "b: 2"));
}

static void a_broken_text_is_kept_as_it_last_was_good(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(cache_entry_deinit) struct cache_entry entry = {0};

	give(fixture, LAYER_VAULT, "a: 1");
	give(fixture, LAYER_VAULT, "a: {");
	last_good_answered(&fixture->last_good, clock_boot_ms());
	save(fixture);
	assert_true(restore(fixture, "KEY", &entry));
	assert_true(str_is(entry.feeds[VAULT_CONFIG].vaults[0].data, "a: 1"));
}

static void what_is_no_text_is_left_out(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(cache_entry_deinit) struct cache_entry entry = {0};

	give(fixture, LAYER_VAULT, "a: \xFF");
	last_good_answered(&fixture->last_good, clock_boot_ms());
	save(fixture);
	assert_true(restore(fixture, "KEY", &entry));
	assert_int_equal(entry.feeds[VAULT_CONFIG].count, 0);
}

static void an_earlier_day_is_as_old_as_the_wall_says(void **state)
{
	struct fixture *fixture = *state;
	struct last_good *now = &fixture->last_good;
	_cleanup_(cache_entry_deinit) struct cache_entry entry = {0};
	int64_t now_ms = clock_boot_ms();

	last_good_answered(now, now_ms - 20 * DAY);
	assert_true(last_good_refused(now, now_ms - 5 * MINUTE));
	save(fixture);
	assert_true(restore(fixture, "KEY", &entry));
	assert_true(now->refused);
	assert_in_range(last_good_age(now, clock_boot_ms()), 20 * DAY,
			20 * DAY + 5000);
	assert_in_range(last_good_left(now, &limits, clock_boot_ms()),
			5 * MINUTE - 5000, 5 * MINUTE);
}

static void a_clock_set_back_makes_nothing_younger_than_now(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(cache_entry_deinit) struct cache_entry entry = {0};

	last_good_answered(&fixture->last_good, clock_boot_ms() + DAY);
	save(fixture);
	assert_true(restore(fixture, "KEY", &entry));
	assert_in_range(last_good_age(&fixture->last_good, clock_boot_ms()), 0,
			5000);
}

static void a_refusal_that_ended_is_not_told_to_the_next_process(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(cache_entry_deinit) struct cache_entry entry = {0};

	last_good_answered(&fixture->last_good, clock_boot_ms());
	assert_true(last_good_refused(&fixture->last_good, clock_boot_ms()));
	last_good_forgive(&fixture->last_good);
	save(fixture);
	assert_true(restore(fixture, "KEY", &entry));
	assert_false(fixture->last_good.refused);
}

static void another_keys_file_is_not_restored(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(cache_entry_deinit) struct cache_entry entry = {0};

	last_good_answered(&fixture->last_good, clock_boot_ms());
	save(fixture);
	quiet_begin();
	assert_false(restore(fixture, "OTHER", &entry));
	quiet_end();
	assert_false(fixture->last_good.kept);
}

static void what_lapses_leaves_no_file(void **state)
{
	struct fixture *fixture = *state;
	int64_t now_ms = clock_boot_ms();

	last_good_answered(&fixture->last_good, now_ms);
	save(fixture);
	assert_int_equal(last_good_lapse(&fixture->last_good, &limits,
					 now_ms + 31 * DAY),
			 LAST_GOOD_STALE);
	close_it(fixture);
	assert_int_equal(access("cache/research.cache", F_OK), -1);
}

static void nothing_is_written_of_nothing(void **state)
{
	struct fixture *fixture = *state;

	save(fixture);
	close_it(fixture);
	assert_int_equal(access("cache/research.cache", F_OK), -1);
}

static void who_only_reads_writes_nothing(void **state)
{
	struct fixture *fixture = *state;

	close_it(fixture);
	open_it(fixture, true);
	last_good_answered(&fixture->last_good, clock_boot_ms());
	save(fixture);
	close_it(fixture);
	assert_int_equal(access("cache", F_OK), -1);
}

static void what_has_not_changed_is_due_once_an_hour(void **state)
{
	struct fixture *fixture = *state;
	struct last_good *kept = &fixture->last_good;

	assert_true(last_good_is_due(kept));
	last_good_answered(kept, clock_boot_ms());
	save(fixture);
	last_good_answered(kept, clock_boot_ms());
	assert_false(last_good_is_due(kept));
	kept->saved_ms -= LAST_GOOD_SAVE_MS;
	assert_true(last_good_is_due(kept));
}

static void count_saved(void *data)
{
	unsigned int *saved = data;

	(*saved)++;
}

/* Whoever waits is told also when it failed, and then may know. */
static void who_waits_for_the_disk_is_told(void **state)
{
	struct fixture *fixture = *state;
	struct last_good *kept = &fixture->last_good;
	unsigned int saved = 0;

	cache_listen(kept->cache, count_saved, &saved);
	last_good_answered(kept, clock_boot_ms());
	assert_false(last_good_is_saving(kept));
	save(fixture);
	assert_true(last_good_is_saving(kept));
	assert_false(last_good_is_saved(kept));
	assert_int_equal(uv_run(&fixture->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(saved, 1);
	assert_true(last_good_is_saved(kept));
	scratch_remove("cache");
	scratch_write("cache", "in the way");
	quiet_begin();
	give(fixture, LAYER_VAULT, "a: 2");
	save(fixture);
	assert_int_equal(uv_run(&fixture->loop, UV_RUN_DEFAULT), 0);
	quiet_end();
	assert_int_equal(saved, 2);
	assert_false(last_good_is_saving(kept));
	assert_false(last_good_is_saved(kept));
	assert_int_equal(unlink("cache"), 0);
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_kept_never_lapses),
		cmocka_unit_test(a_bad_day_may_last_for_the_stale_limit),
		cmocka_unit_test(a_part_of_the_answers_lapses_and_is_not_kept),
		cmocka_unit_test(a_part_makes_what_is_kept_no_younger),
		cmocka_unit_test(without_a_limit_it_lasts),
		cmocka_unit_test(a_refusal_counts_from_the_first),
		cmocka_unit_test(a_good_answer_ends_a_refusal),
		cmocka_unit_test(without_a_grace_a_refusal_drops_at_once),
		cmocka_unit_test(what_was_somebody_elses_is_not_kept),
		cmocka_unit_test(a_lapse_has_its_cause),
		in_folder(what_is_kept_outlives_the_process),
		in_folder(a_broken_text_is_kept_as_it_last_was_good),
		in_folder(what_is_no_text_is_left_out),
		in_folder(an_earlier_day_is_as_old_as_the_wall_says),
		in_folder(a_clock_set_back_makes_nothing_younger_than_now),
		in_folder(a_refusal_that_ended_is_not_told_to_the_next_process),
		in_folder(another_keys_file_is_not_restored),
		in_folder(what_lapses_leaves_no_file),
		in_folder(nothing_is_written_of_nothing),
		in_folder(who_only_reads_writes_nothing),
		in_folder(what_has_not_changed_is_due_once_an_hour),
		in_folder(who_waits_for_the_disk_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
