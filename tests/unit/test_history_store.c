#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <uv.h>

#include "../support/histories.h"
#include "base/log.h"
#include "config/mask.h"
#include "config/secrets.h"
#include "state/history_store.h"

#define FIRST 100 /* generation of this process */

struct bench {
	uv_loop_t loop;
	struct secrets *secrets;
	struct history_store *store;
	struct buf found; /* "50 40": what an earlier process has left */
	uint64_t oldest;  /* that is to stay, once something was found */
};

static uint64_t on_found(void *data, const struct history_entry *entry)
{
	struct bench *bench = data;

	buf_printf(&bench->found, "%s%d", bench->found.len ? " " : "",
		   (int)entry->snapshot->generation);
	snapshot_unref(entry->snapshot);
	return bench->oldest;
}

static void open_store(struct bench *bench)
{
	const struct history_store_place place = {
		.loop = &bench->loop,
		.state_dir = scratch_at("state"),
		.workspace = "research",
		.limit = 64,
		.bytes_limit = SIZE_MAX,
		.secrets = bench->secrets,
		.on_found = on_found,
		.data = bench,
	};

	bench->store = history_store_new(&place);
}

static int enter(void **state)
{
	struct bench *bench = mem_alloc(sizeof(*bench));

	(void)histories_enter(NULL);
	log_set_level(LOG_LEVEL_ERROR);
	uv_loop_init(&bench->loop);
	bench->secrets = secrets_new(NULL);
	open_store(bench);
	*state = bench;
	return 0;
}

/* All that there is to do is done. */
static void finish(struct bench *bench)
{
	(void)uv_run(&bench->loop, UV_RUN_DEFAULT);
}

static void close_store(struct bench *bench)
{
	history_store_close(TAKE(bench->store));
	finish(bench);
}

static int leave(void **state)
{
	struct bench *bench = *state;

	close_store(bench);
	assert_int_equal(uv_loop_close(&bench->loop), 0);
	secrets_free(bench->secrets);
	buf_deinit(&bench->found);
	mem_free(bench);
	return histories_leave(NULL);
}

static void add_text(struct bench *bench, uint64_t generation, const char *own)
{
	_cleanup_(doc_unrefp) struct doc *shared = docs_read("{}");
	struct snapshot *snapshot = histories_snapshot(generation, shared, own);

	history_store_add(bench->store, snapshot, generation - 1,
			  bench->oldest);
	snapshot_unref(snapshot);
}

static void add(struct bench *bench, uint64_t generation)
{
	char own[32];

	(void)snprintf(own, sizeof(own), "{\"own\":%d}", (int)generation);
	add_text(bench, generation, own);
}

static void assert_found(struct bench *bench, const char *expected)
{
	assert_string_equal(buf_str(&bench->found).ptr, expected);
}

static void nothing_is_done_before_it_is_said_whose_it_is(void **state)
{
	struct bench *bench = *state;

	add(bench, FIRST);
	finish(bench);
	assert_int_equal(histories_count_files(""), 0);
	history_store_set_owner(bench->store, HISTORIES_OWNER);
	finish(bench);
	histories_assert_found("100");
}

static void what_comes_meanwhile_is_written_too(void **state)
{
	struct bench *bench = *state;

	history_store_set_owner(bench->store, HISTORIES_OWNER);
	for (uint64_t i = 0; i < 5; i++)
		add(bench, FIRST + i);
	finish(bench);
	histories_assert_found("104 103 102 101 100");
}

static void what_has_left_before_it_was_written_is_not(void **state)
{
	struct bench *bench = *state;

	add(bench, FIRST);
	bench->oldest = FIRST + 1;
	add(bench, FIRST + 1);
	history_store_set_owner(bench->store, HISTORIES_OWNER);
	finish(bench);
	histories_assert_found("101");
}

static void earlier_ones_come_back_the_newest_first(void **state)
{
	struct bench *bench = *state;

	history_disk_free(histories_five());
	history_store_set_owner(bench->store, HISTORIES_OWNER);
	add(bench, FIRST);
	finish(bench);
	assert_found(bench, "50 40 30 20 10");
	histories_assert_found("100 50 40-49 30-39 20-29 10-19");
}

static void those_for_which_there_is_no_room_go(void **state)
{
	struct bench *bench = *state;

	history_disk_free(histories_five());
	history_store_set_owner(bench->store, HISTORIES_OWNER);
	add(bench, FIRST);
	bench->oldest = 40;
	finish(bench);
	histories_assert_found("100 50 40-49");
}

static void their_secrets_are_known(void **state)
{
	struct bench *bench = *state;
	_cleanup_(mem_freep) char *shown = NULL;

	history_store_set_owner(bench->store, HISTORIES_OWNER);
	add_text(bench, 10, "{\"git_pass\":\"swordfish-1\"}");
	close_store(bench);
	open_store(bench);
	history_store_set_owner(bench->store, HISTORIES_OWNER);
	add(bench, FIRST);
	finish(bench);
	assert_found(bench, "10");
	shown = mask_text(bench->secrets, "not swordfish-1");
	assert_string_equal(shown, "not ****");
}

static void what_is_forgotten_is_nowhere(void **state)
{
	struct bench *bench = *state;

	history_store_set_owner(bench->store, HISTORIES_OWNER);
	add(bench, FIRST);
	finish(bench);
	add(bench, FIRST + 1); /* is being written */
	add(bench, FIRST + 2); /* waits */
	history_store_forget(bench->store);
	add(bench, FIRST + 3);
	finish(bench);
	histories_assert_found("103");
}

static void what_is_forgotten_while_it_is_read_is_told_to_nobody(void **state)
{
	struct bench *bench = *state;

	history_disk_free(histories_five());
	history_store_set_owner(bench->store, HISTORIES_OWNER);
	add(bench, FIRST);
	history_store_forget(bench->store);
	add(bench, FIRST + 1);
	finish(bench);
	assert_found(bench, "");
	histories_assert_found("101");
}

static void a_logins_waits_for_the_login(void **state)
{
	struct bench *bench = *state;

	history_disk_free(histories_five());
	history_store_set_owner(bench->store, "");
	add(bench, FIRST);
	finish(bench);
	assert_found(bench, "");
	assert_int_equal(histories_count_files(".generation"), 5);
	history_store_set_owner(bench->store, HISTORIES_OWNER);
	finish(bench);
	assert_found(bench, "50 40 30 20 10");
	histories_assert_found("100 50 40-49 30-39 20-29 10-19");
}

static void another_login_is_shown_nothing(void **state)
{
	struct bench *bench = *state;

	history_disk_free(histories_five());
	history_store_set_owner(bench->store, "https://api\nanother\n\n");
	add(bench, FIRST);
	finish(bench);
	assert_found(bench, "");
	assert_int_equal(histories_count_files(".generation"), 1);
}

/* The disk is away, and comes back. */
static void take_disk(void)
{
	assert_int_equal(rename("state/history", "state/away"), 0);
	scratch_write("state/history", "a file in its place");
}

static void give_disk(void)
{
	assert_int_equal(unlink("state/history"), 0);
	assert_int_equal(rename("state/away", "state/history"), 0);
}

static void start_without_disk(struct bench *bench)
{
	history_store_set_owner(bench->store, HISTORIES_OWNER);
	add(bench, FIRST);
	finish(bench);
	assert_null(history_store_problem(bench->store));
	take_disk();
}

static void what_cannot_be_written_is_tried_with_the_next(void **state)
{
	struct bench *bench = *state;

	start_without_disk(bench);
	add(bench, FIRST + 1);
	add(bench, FIRST + 2); /* while that fails */
	finish(bench);
	assert_string_equal(history_store_problem(bench->store),
			    strerror(ENOTDIR));
	give_disk();
	add(bench, FIRST + 3);
	finish(bench);
	assert_null(history_store_problem(bench->store));
	histories_assert_found("103 102 101 100");
}

static void what_could_not_be_written_is_tried_at_the_end(void **state)
{
	struct bench *bench = *state;

	start_without_disk(bench);
	add(bench, FIRST + 1);
	finish(bench);
	give_disk();
	close_store(bench);
	histories_assert_found("101 100");
}

static void what_could_not_be_forgotten_is_tried_at_the_end(void **state)
{
	struct bench *bench = *state;

	start_without_disk(bench);
	history_store_forget(bench->store);
	finish(bench);
	assert_non_null(history_store_problem(bench->store));
	give_disk();
	close_store(bench);
	histories_assert_found("");
}

static void a_close_waits_for_the_disk(void **state)
{
	struct bench *bench = *state;

	history_disk_free(histories_five());
	history_store_set_owner(bench->store, HISTORIES_OWNER);
	add(bench, FIRST);
	close_store(bench);
	assert_found(bench, "");
	histories_assert_found("100 50 40-49 30-39 20-29 10-19");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_is_done_before_it_is_said_whose_it_is),
		TEST(what_comes_meanwhile_is_written_too),
		TEST(what_has_left_before_it_was_written_is_not),
		TEST(earlier_ones_come_back_the_newest_first),
		TEST(those_for_which_there_is_no_room_go),
		TEST(their_secrets_are_known),
		TEST(what_is_forgotten_is_nowhere),
		TEST(what_is_forgotten_while_it_is_read_is_told_to_nobody),
		TEST(a_logins_waits_for_the_login),
		TEST(another_login_is_shown_nothing),
		TEST(what_cannot_be_written_is_tried_with_the_next),
		TEST(what_could_not_be_written_is_tried_at_the_end),
		TEST(what_could_not_be_forgotten_is_tried_at_the_end),
		TEST(a_close_waits_for_the_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
