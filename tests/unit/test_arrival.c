#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/share.h"
#include "engine/arrival.h"

#define MINUTE ((int64_t)60 * 1000)

/* One vault; @edited: when the server says it was edited. */
struct text {
	const char *id, *data, *edited;
};

static const struct text first = {"a", "k: 1", "10:00"};
static const struct text second = {"a", "k: 2", "10:01"};
static const struct text third = {"a", "k: 3", "10:02"};

/* Of the place in the queue for `second` (and `third`) this is the last. */
static const struct arrival_rule last = {1, 10 * MINUTE, "machine"};
static const struct arrival_rule off = {SHARE_WHOLE, 0, "machine"};

static struct vault vault_of(const struct text *text)
{
	return (struct vault){
		.id = text->id,
		.description = "",
		.last_update = text->edited,
		.data = str_from(text->data),
	};
}

static enum arrival_verdict meet_at(struct arrival *arrival,
				    const struct text *text, int64_t boot_ms,
				    const struct arrival_rule *rule)
{
	const struct vault vault = vault_of(text);
	const struct vault_answer answer = {
		.outcome = VAULT_FETCHED, .vaults = &vault, .count = 1};

	return arrival_meet(arrival, &answer, rule, boot_ms);
}

static enum arrival_verdict meet(struct arrival *arrival,
				 const struct text *text, int64_t boot_ms)
{
	return meet_at(arrival, text, boot_ms, &last);
}

static int set_up(void **state)
{
	struct arrival *arrival = mem_alloc(sizeof(*arrival));

	assert_int_equal(meet(arrival, &first, 0), ARRIVAL_IN_FORCE);
	*state = arrival;
	return 0;
}

static int tear_down(void **state)
{
	struct arrival *arrival = *state;

	arrival_deinit(arrival);
	mem_free(arrival);
	return 0;
}

static void assert_waits(const struct arrival *arrival, const char *data)
{
	struct vault_answer answer = arrival_answer(arrival, VAULT_CONFIG);

	assert_int_equal(arrival->state, ARRIVAL_WAITING);
	assert_true(arrival_is_shown(arrival));
	assert_int_equal(answer.count, 1);
	assert_true(str_is(answer.vaults[0].data, data));
}

static void another_revision_waits_its_time(void **state)
{
	struct arrival *arrival = *state;

	assert_int_equal(meet(arrival, &second, MINUTE), ARRIVAL_BEGINS);
	assert_waits(arrival, "k: 2");
	assert_int_equal(meet(arrival, &second, 2 * MINUTE), ARRIVAL_GOES_ON);
	assert_int_equal(arrival_left(arrival, &last, 2 * MINUTE), 9 * MINUTE);
	assert_int_equal(arrival_left(arrival, &last, 11 * MINUTE - 1), 1);
	assert_int_equal(arrival_left(arrival, &last, 11 * MINUTE), 0);
	arrival_take(arrival);
	assert_int_equal(arrival->state, ARRIVAL_NONE);
	assert_int_equal(arrival_left(arrival, &last, 12 * MINUTE), -1);
	assert_int_equal(meet(arrival, &second, 12 * MINUTE), ARRIVAL_IN_FORCE);
}

static void an_answer_after_its_time_is_taken_too(void **state)
{
	assert_int_equal(meet(*state, &second, 0), ARRIVAL_BEGINS);
	assert_int_equal(meet(*state, &second, 10 * MINUTE), ARRIVAL_TAKEN);
}

/* Whoever goes first is found by a tenth of the machines, not by luck. */
static void the_share_goes_first(void **state)
{
	unsigned int took = 0;
	char machine[16];

	(void)state;
	for (unsigned int i = 0; i < 1000; i++) {
		const struct arrival_rule rule = {SHARE_WHOLE / 10, MINUTE,
						  machine};
		struct arrival arrival = {0};

		(void)snprintf(machine, sizeof(machine), "m%u", i);
		(void)meet_at(&arrival, &first, 0, &rule);
		took += meet_at(&arrival, &second, 0, &rule) == ARRIVAL_TAKEN;
		arrival_deinit(&arrival);
	}
	assert_in_range(took, 80, 120);
}

static void the_old_one_again_ends_the_wait(void **state)
{
	struct arrival *arrival = *state;

	(void)meet(arrival, &second, 0);
	assert_int_equal(meet(arrival, &first, MINUTE), ARRIVAL_IN_FORCE);
	assert_false(arrival_is_shown(arrival));
	assert_int_equal(meet(arrival, &second, 20 * MINUTE), ARRIVAL_BEGINS);
}

static void yet_another_one_begins_anew(void **state)
{
	struct arrival *arrival = *state;

	(void)meet(arrival, &second, 0);
	assert_int_equal(meet(arrival, &third, 9 * MINUTE), ARRIVAL_BEGINS);
	assert_waits(arrival, "k: 3");
	assert_int_equal(arrival_left(arrival, &last, 10 * MINUTE), 9 * MINUTE);
}

static void what_was_skipped_never_comes(void **state)
{
	struct arrival *arrival = *state;

	(void)meet(arrival, &second, 0);
	arrival_skip(arrival);
	assert_int_equal(arrival_left(arrival, &last, 20 * MINUTE), -1);
	assert_int_equal(meet(arrival, &second, 20 * MINUTE), ARRIVAL_GOES_ON);
	assert_int_equal(meet_at(arrival, &second, 20 * MINUTE, &off),
			 ARRIVAL_GOES_ON);
	assert_true(arrival_is(arrival, arrival->name));
	assert_int_equal(meet(arrival, &third, 21 * MINUTE), ARRIVAL_BEGINS);
	assert_int_equal(meet(arrival, &second, 22 * MINUTE), ARRIVAL_BEGINS);
}

static void switched_off_nothing_waits(void **state)
{
	struct arrival *arrival = *state;

	(void)meet(arrival, &second, 0);
	assert_int_equal(arrival_left(arrival, &off, 1), 0);
	assert_int_equal(meet_at(arrival, &second, 1, &off), ARRIVAL_TAKEN);
	assert_int_equal(meet_at(arrival, &third, 2, &off), ARRIVAL_IN_FORCE);
}

/* Without that the texts of the first answer after it would be taken for new.
 */
static void switched_on_what_is_in_force_is_known(void **state)
{
	struct arrival arrival = {0};

	(void)state;
	(void)meet_at(&arrival, &first, 0, &off);
	assert_int_equal(meet(&arrival, &first, 1), ARRIVAL_IN_FORCE);
	assert_int_equal(meet(&arrival, &second, 2), ARRIVAL_BEGINS);
	arrival_deinit(&arrival);
}

static void without_an_id_nothing_waits(void **state)
{
	const struct arrival_rule nobody = {1, MINUTE, NULL};

	assert_int_equal(meet_at(*state, &second, 0, &nobody),
			 ARRIVAL_IN_FORCE);
}

static void forgotten_the_next_is_the_first(void **state)
{
	struct arrival *arrival = *state;

	(void)meet(arrival, &second, 0);
	arrival_skip(arrival);
	arrival_forget(arrival);
	assert_int_equal(arrival_left(arrival, &last, 0), -1);
	assert_int_equal(meet(arrival, &second, 1), ARRIVAL_IN_FORCE);
}

/* --- what a revision is --------------------------------------------------- */

static void another_name_or_time_is_no_revision(void **state)
{
	const struct text edited = {"a", "k: 1", "11:00"};

	assert_int_equal(meet(*state, &edited, 0), ARRIVAL_IN_FORCE);
}

static enum arrival_verdict meet_list(struct arrival *arrival,
				      const struct text *texts, size_t count)
{
	struct vault vaults[3];
	const struct vault_answer answer = {
		.outcome = VAULT_FETCHED, .vaults = vaults, .count = count};

	for (size_t i = 0; i < count; i++)
		vaults[i] = vault_of(&texts[i]);
	return arrival_meet(arrival, &answer, &last, 0);
}

static void one_more_and_one_less_and_another_order_are_revisions(void **state)
{
	static const struct text lists[][3] = {
		{{"a", "k: 1", ""}, {"b", "l: 1", ""}, {"c", "m: 1", ""}},
		{{"b", "l: 1", ""}, {"a", "k: 1", ""}, {"c", "m: 1", ""}},
		{{"a", "k: 1l: ", ""}, {"b", "1", ""}, {"c", "m: 1", ""}},
		{{"a", "k: 1", ""}, {"x", "l: 1", ""}, {"c", "m: 1", ""}},
	};
	struct arrival arrival = {0};

	(void)state;
	(void)meet_list(&arrival, lists[0], 2);
	assert_int_equal(meet_list(&arrival, lists[0], 2), ARRIVAL_IN_FORCE);
	assert_int_equal(meet_list(&arrival, lists[0], 3), ARRIVAL_BEGINS);
	assert_int_equal(meet_list(&arrival, lists[0], 1), ARRIVAL_BEGINS);
	assert_int_equal(meet_list(&arrival, lists[0], 0), ARRIVAL_BEGINS);
	for (size_t i = 1; i < ARRAY_SIZE(lists); i++)
		assert_int_equal(meet_list(&arrival, lists[i], 2),
				 ARRIVAL_BEGINS);
	arrival_deinit(&arrival);
}

/* The texts may be guessed, so nothing that is told is made of them. */
static void a_name_tells_nothing_of_the_text(void **state)
{
	const struct text other = {"a", "k: 9", "10:01"};
	struct arrival *arrival = *state, twin = {0};

	(void)meet(&twin, &first, 0);
	(void)meet(&twin, &other, 0);
	(void)meet(arrival, &second, 0);
	assert_int_equal(strlen(twin.name), ARRIVAL_NAME_SIZE - 1);
	assert_string_equal(arrival->name, twin.name);
	(void)meet(arrival, &third, 0);
	assert_string_not_equal(arrival->name, twin.name);
	arrival_deinit(&twin);
}

/* --- restarts ------------------------------------------------------------- */

/* The same host with the file that @arrival would leave, @age_s after it first
 * saw the other one, by the wall clock. */
static struct arrival restart(const struct arrival *arrival,
			      const struct text *in_force, int64_t age_s)
{
	static struct vault vault;
	struct cache_vaults feed = {.vaults = &vault, .count = 1};
	struct arrival restored = {0};

	vault = vault_of(in_force);
	arrival_keep(arrival, &feed);
	feed.arrival.seen_at = clock_wall_s() - age_s;
	arrival_restore(&restored, &feed);
	return restored;
}

static void the_wait_goes_on_over_a_restart(void **state)
{
	struct arrival restored;

	(void)meet(*state, &second, MINUTE);
	restored = restart(*state, &first, 240);
	assert_false(arrival_is_shown(&restored));
	assert_int_equal(arrival_left(&restored, &last, clock_boot_ms()), -1);
	assert_int_equal(meet(&restored, &second, clock_boot_ms()),
			 ARRIVAL_GOES_ON);
	assert_in_range(arrival_left(&restored, &last, clock_boot_ms()),
			6 * MINUTE - 5000, 6 * MINUTE);
	arrival_deinit(&restored);
}

static void a_clock_that_was_set_back_makes_it_wait_anew(void **state)
{
	struct arrival restored;

	(void)meet(*state, &second, 5 * MINUTE);
	restored = restart(*state, &first, -86400);
	(void)meet(&restored, &second, clock_boot_ms());
	assert_in_range(arrival_left(&restored, &last, clock_boot_ms()),
			10 * MINUTE - 5000, 10 * MINUTE);
	arrival_deinit(&restored);
}

static void what_was_skipped_is_after_a_restart(void **state)
{
	struct arrival restored;

	(void)meet(*state, &second, 0);
	arrival_skip(*state);
	restored = restart(*state, &first, 1200);
	assert_int_equal(meet(&restored, &second, 20 * MINUTE),
			 ARRIVAL_GOES_ON);
	assert_int_equal(restored.state, ARRIVAL_SKIPPED);
	assert_true(arrival_is_shown(&restored));
	arrival_deinit(&restored);
}

/* A broken vault's file holds its last good text, which is not the server's. */
static void what_is_in_force_is_known_though_the_file_has_another(void **state)
{
	const struct text good = {"a", "k: 0", ""};
	struct arrival restored = restart(*state, &good, 60);

	assert_int_equal(meet(&restored, &first, MINUTE), ARRIVAL_IN_FORCE);
	assert_int_equal(meet(&restored, &good, MINUTE), ARRIVAL_BEGINS);
	arrival_deinit(&restored);
}

static void a_file_of_before_all_this_has_the_texts_in_force(void **state)
{
	const struct vault vault = vault_of(&first);
	const struct cache_vaults feed = {.vaults = &vault, .count = 1};
	struct arrival restored = {0};

	(void)state;
	arrival_restore(&restored, &feed);
	assert_int_equal(meet(&restored, &first, 0), ARRIVAL_IN_FORCE);
	assert_int_equal(meet(&restored, &second, 0), ARRIVAL_BEGINS);
	arrival_deinit(&restored);
}

static void what_is_called_bad_waits_until_it_is_not(void **state)
{
	_cleanup_(verdicts_deinit) struct verdicts verdicts = {0};
	struct arrival_rule rule = last, first_of_all = {9999, 0, "machine"};
	struct arrival *arrival = *state;

	(void)meet(arrival, &second, 0);
	rule.verdicts = first_of_all.verdicts = &verdicts;
	assert_int_equal(arrival_left(arrival, &rule, MINUTE), 9 * MINUTE);
	(void)verdicts_set(&verdicts, str_from(arrival->name), STR("{}"));
	assert_string_equal(arrival_verdict(arrival, &rule)->said, "bad");
	assert_int_equal(arrival_left(arrival, &rule, MINUTE), -1);
	assert_int_equal(arrival_left(arrival, &first_of_all, MINUTE), -1);
	assert_int_equal(meet_at(arrival, &second, 20 * MINUTE, &rule),
			 ARRIVAL_GOES_ON);
	/* Another one is not it. */
	assert_int_equal(meet_at(arrival, &third, 21 * MINUTE, &rule),
			 ARRIVAL_BEGINS);
	assert_int_equal(arrival_left(arrival, &rule, 31 * MINUTE), 0);
	/* Who stages nothing asks nobody. */
	(void)verdicts_set(&verdicts, str_from(arrival->name), STR("{}"));
	assert_int_equal(arrival_left(arrival, &rule, 31 * MINUTE), -1);
	rule.share = SHARE_WHOLE;
	assert_int_equal(arrival_left(arrival, &rule, 31 * MINUTE), 0);
	rule.share = 1;
	(void)verdicts_set(&verdicts, str_from(arrival->name), (struct str){0});
	assert_int_equal(arrival_left(arrival, &rule, 31 * MINUTE), 0);
}

static void nothing_is_taken_before_it_is_known_what_is_bad(void **state)
{
	const struct arrival_rule unsure = {.share = 9999,
					    .wait_ms = MINUTE,
					    .machine = "machine",
					    .unsure = true};
	struct arrival_rule sure = unsure;

	sure.unsure = false;
	assert_int_equal(meet_at(*state, &second, 0, &unsure), ARRIVAL_BEGINS);
	assert_int_equal(arrival_left(*state, &unsure, 2 * MINUTE), -1);
	assert_int_equal(arrival_left(*state, &sure, 2 * MINUTE), 0);
}

/* Hosts find each other's revisions by it, however they have come to them. */
static void what_is_in_force_has_its_name(void **state)
{
	char told[ARRIVAL_NAME_SIZE];
	struct arrival *arrival = *state, restored;

	(void)meet(arrival, &second, 0);
	memcpy(told, arrival->name, sizeof(told));
	assert_string_not_equal(arrival->in_force_name, told);
	arrival_take(arrival);
	assert_string_equal(arrival->in_force_name, told);
	restored = restart(arrival, &second, 0);
	(void)meet(&restored, &second, 0);
	assert_string_equal(restored.in_force_name, told);
	arrival_deinit(&restored);
	arrival_forget(arrival);
	assert_string_equal(arrival->in_force_name, "");
	(void)meet_at(arrival, &first, 0, &off);
	(void)meet_at(arrival, &second, 0, &off);
	assert_string_equal(arrival->in_force_name, told);
}

#define CLAIM(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(another_revision_waits_its_time),
		CLAIM(an_answer_after_its_time_is_taken_too),
		CLAIM(the_share_goes_first),
		CLAIM(the_old_one_again_ends_the_wait),
		CLAIM(yet_another_one_begins_anew),
		CLAIM(what_was_skipped_never_comes),
		CLAIM(switched_off_nothing_waits),
		CLAIM(switched_on_what_is_in_force_is_known),
		CLAIM(without_an_id_nothing_waits),
		CLAIM(forgotten_the_next_is_the_first),
		CLAIM(another_name_or_time_is_no_revision),
		CLAIM(one_more_and_one_less_and_another_order_are_revisions),
		CLAIM(a_name_tells_nothing_of_the_text),
		CLAIM(the_wait_goes_on_over_a_restart),
		CLAIM(a_clock_that_was_set_back_makes_it_wait_anew),
		CLAIM(what_was_skipped_is_after_a_restart),
		CLAIM(what_is_in_force_is_known_though_the_file_has_another),
		CLAIM(a_file_of_before_all_this_has_the_texts_in_force),
		CLAIM(what_is_called_bad_waits_until_it_is_not),
		CLAIM(nothing_is_taken_before_it_is_known_what_is_bad),
		CLAIM(what_is_in_force_has_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
