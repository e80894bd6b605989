#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "../support/holds.h"

/* --- what is served stays ------------------------------------------------- */

static void what_comes_waits(void **state)
{
	struct fixture *fixture = *state;
	unsigned int snapshots;

	start_with(fixture, "a: 1");
	hold(fixture, 0);
	assert_int_equal(hold_generation(hold_of(fixture)), 1);
	assert_false(hold_of(fixture)->differs);
	snapshots = fixture->snapshots;
	save(fixture, "a: 2");
	save(fixture, "a: 3");
	assert_value(fixture, "a", "1");
	assert_int_equal(fixture->generation, 1);
	assert_int_equal(fixture->snapshots, snapshots);
	assert_true(hold_of(fixture)->differs);
	/* The layers are as they are. */
	save(fixture, "a: {");
	assert_int_equal(fixture->workspace->state, WORKSPACE_DEGRADED);
	save(fixture, "a: 4");
	release(fixture);
	assert_value(fixture, "a", "4");
	assert_int_equal(fixture->generation, 2);
	assert_int_equal(fixture->workspace->snapshot->cause, CAUSE_RELEASE);
	assert_false(has_file());
}

static void without_a_change_a_release_changes_nothing(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, "a: 1");
	hold(fixture, 0);
	release(fixture);
	assert_int_equal(fixture->generation, 1);
	hold(fixture, 0);
	save(fixture, "a: 2");
	save(fixture, "a: 1");
	assert_false(hold_of(fixture)->differs);
	release(fixture);
	assert_int_equal(fixture->generation, 1);
}

static void nothing_comes_in_while_it_is_written(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, "a: 1");
	ask(fixture, 0, 0);
	assert_non_null(hold_why_not(hold_of(fixture)));
	save(fixture, "a: 2");
	assert_value(fixture, "a", "1");
	wait_for_disk(fixture);
	assert_value(fixture, "a", "1");
	assert_true(hold_of(fixture)->differs);
	hold_release(hold_of(fixture));
	assert_value(fixture, "a", "1"); /* until it is off the disk */
	wait_for_disk(fixture);
	assert_value(fixture, "a", "2");
}

static void its_file_is_there_when_it_holds(void **state)
{
	struct fixture *fixture = *state;
	struct stat st;

	start_with(fixture, "a: 1");
	ask(fixture, 0, 0);
	assert_int_equal(fixture->holds, 0);
	wait_for_disk(fixture);
	assert_int_equal(fixture->holds, 1);
	assert_int_equal(stat(scratch_at(HOLD_FILE), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void what_cannot_be_written_is_not_held(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, "a: 1");
	scratch_folder(HOLD_FILE); /* which nothing replaces */
	ask(fixture, 0, 0);
	save(fixture, "a: 2");
	wait_for_disk(fixture);
	assert_false(hold_is_on(hold_of(fixture)));
	assert_non_null(strstr(hold_of(fixture)->problem, "cannot be written"));
	assert_value(fixture, "a", "2");
	assert_int_equal(fixture->workspace->snapshot->cause, CAUSE_FILE);
}

static void what_cannot_be_replaced_stays(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, "a: 1");
	hold(fixture, 0);
	assert_int_equal(unlink(scratch_at(HOLD_FILE)), 0);
	scratch_folder(HOLD_FILE);
	ask(fixture, 0, 0);
	wait_for_disk(fixture);
	assert_int_equal(hold_of(fixture)->state, HOLD_ON);
	assert_non_null(hold_of(fixture)->problem);
	release(fixture); /* nor removed */
	assert_int_equal(hold_of(fixture)->state, HOLD_ON);
	assert_non_null(strstr(hold_of(fixture)->problem, "cannot be removed"));
	save(fixture, "a: 2");
	assert_value(fixture, "a", "1");
	assert_int_equal(rmdir(scratch_at(HOLD_FILE)), 0);
	release(fixture);
	assert_value(fixture, "a", "2");
}

static void who_takes_over_serves_what_is_held(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, "a: 1");
	hold(fixture, 0);
	save(fixture, "a: 2");
	workspace_renew(fixture->workspace);
	assert_value(fixture, "a", "1");
	assert_int_equal(fixture->workspace->snapshot->generation, 2);
	release(fixture);
	assert_value(fixture, "a", "2");
}

/* --- back to an older one ------------------------------------------------- */

static void an_older_generation_is_served_byte_for_byte(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(mem_freep) char *was = NULL, *is = NULL;

	start_with(fixture, "a: 1\nb: [1, {x: 2}]\nc: \"\\u00e4\"");
	was = bytes_of(fixture);
	save(fixture, "a: 2");
	save(fixture, "a: 3");
	hold(fixture, 1);
	is = bytes_of(fixture);
	assert_string_equal(was, is);
	assert_int_equal(fixture->workspace->snapshot->generation, 4);
	assert_int_equal(fixture->workspace->snapshot->cause, CAUSE_HOLD);
	assert_int_equal(hold_generation(hold_of(fixture)), 1);
	assert_true(hold_of(fixture)->differs);
	/* It costs its bytes: the values are those of then. */
	assert_ptr_equal(fixture->workspace->snapshot->root,
			 history_at(&fixture->workspace->history, 1)->root);
	hold(fixture, 2); /* in its place */
	assert_value(fixture, "a", "2");
	release(fixture);
	assert_value(fixture, "a", "3");
	assert_int_equal(fixture->generation, 6);
	/* The history tells all of them. */
	assert_int_equal(fixture->workspace->history.count, 6);
}

static void what_failed_leaves_the_newest(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, "a: 1");
	save(fixture, "a: 2");
	scratch_folder(HOLD_FILE);
	ask(fixture, 1, 0);
	wait_for_disk(fixture);
	assert_value(fixture, "a", "2");
	assert_int_equal(fixture->generation, 2);
}

/* --- logins and vaults ---------------------------------------------------- */

static void vaults_that_are_taken_away_are_served_and_told(void **state)
{
	struct fixture *fixture = *state;
	const struct hold_losses *losses;

	log_in(fixture);
	fixture->server.vaults =
		VAULT("v1", "team { pass: swordfish-4711, x: 1 }");
	poll_again(fixture);
	hold(fixture, 0);
	losses = &hold_of(fixture)->losses;
	assert_int_equal(losses->count, 0);
	fixture->server.vaults = VAULT("v1", "team { pass: another-0815 }");
	poll_again(fixture);
	assert_value(fixture, "team.pass", "\"swordfish-4711\"");
	assert_int_equal(losses->count, 1);
	assert_string_equal(losses->secrets[0], "team.pass");
	assert_int_equal(losses->vault_count, 0);
	fixture->server.vaults = "";
	poll_again(fixture);
	assert_int_equal(losses->vault_count, 1);
	assert_string_equal(losses->vaults[0], "v1");
	fixture->server.vaults =
		VAULT("v1", "team { pass: swordfish-4711, x: 2 }");
	poll_again(fixture);
	assert_int_equal(losses->count + losses->vault_count, 0);
	assert_true(hold_of(fixture)->differs);
}

static void what_lapses_is_served_and_told(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	hold(fixture, 0);
	fixture->server.mood = CLEARML_REFUSES;
	poll_again(fixture);
	fixture->workspace->last_good.refusal_ms -= 3600000;
	workspace_lapse(fixture->workspace);
	assert_value(fixture, "team", "1");
	assert_int_equal(hold_of(fixture)->losses.vault_count, 1);
	assert_string_equal(workspace_state_shown(fixture->workspace),
			    "refused");
}

/* Who wants vaults or nothing is given those that are held. */
static void whether_there_are_vaults_is_as_it_was(void **state)
{
	struct fixture *fixture = *state;
	bool expected;

	log_in(fixture);
	hold(fixture, 0);
	scratch_write("clearml.conf", "a: 2");
	workspace_reload(fixture->workspace, CAUSE_FILE);
	assert_null(fixture->workspace->upstream);
	assert_value(fixture, "team", "1");
	assert_null(workspace_vaults_lack(fixture->workspace, &expected));
	release(fixture);
	assert_non_null(workspace_vaults_lack(fixture->workspace, &expected));
}

static void another_company_ends_it(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	hold(fixture, 0);
	fixture->server.company = "c2";
	fixture->server.vaults = VAULT("v2", "other: 2");
	write_login(fixture, "KEYOFTWO", "a: 1");
	workspace_reload(fixture->workspace, CAUSE_FILE);
	assert_value(fixture, "team", "1"); /* it is not proved yet */
	wait_for_answer(fixture);
	assert_value(fixture, "team", NULL);
	assert_value(fixture, "other", "2");
	wait_for_disk(fixture);
	assert_false(has_file());
}

static void another_key_of_the_same_user_is_no_end(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	hold(fixture, 0);
	write_login(fixture, "KEYOFTWO", "a: 2");
	workspace_reload(fixture->workspace, CAUSE_FILE);
	wait_for_answer(fixture);
	wait_for_disk(fixture);
	assert_value(fixture, "team", "1");
	assert_value(fixture, "a", "1");
	start_again(fixture); /* and its file says so */
	assert_value(fixture, "a", "1");
	assert_int_equal(hold_of(fixture)->state, HOLD_ON);
	poll_again(fixture);
	assert_value(fixture, "a", "1");
}

static void a_file_of_another_login_holds_nothing(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	hold(fixture, 0);
	write_login(fixture, "KEYOFTWO", "a: 2");
	start_again(fixture);
	assert_value(fixture, "team", NULL);
	assert_value(fixture, "a", "2");
	assert_true(is_set_aside());
	wait_for_answer(fixture);
}

static void restored_it_ends_with_the_first_answer_to_another(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	hold(fixture, 0);
	fixture->server.company = "c2";
	start_again(fixture);
	assert_value(fixture, "team", "1");
	fixture->server.vaults = "";
	poll_again(fixture);
	assert_value(fixture, "team", NULL);
	assert_false(hold_is_on(hold_of(fixture)));
	wait_for_disk(fixture);
	assert_false(has_file());
}

/* By no way: neither by the history nor by holding on. */
static void what_another_login_was_given_does_not_come_back(void **state)
{
	struct fixture *fixture = *state;
	const struct snapshot *given, *now;

	log_in(fixture);
	given = snapshot_ref(fixture->workspace->snapshot);
	assert_null(workspace_why_not_again(fixture->workspace, given));
	fixture->server.company = "c2";
	fixture->server.vaults = VAULT("v2", "other: 2");
	write_login(fixture, "KEYOFTWO", "a: 1");
	workspace_reload(fixture->workspace, CAUSE_FILE);
	wait_for_answer(fixture);
	now = fixture->workspace->snapshot;
	assert_non_null(workspace_why_not_again(fixture->workspace, given));
	assert_null(workspace_why_not_again(fixture->workspace, now));
	snapshot_unref((struct snapshot *)given);
}

static void what_is_held_on_stays_whose_it_was(void **state)
{
	struct fixture *fixture = *state;
	const struct snapshot *before;

	log_in(fixture);
	before = history_get(&fixture->workspace->history, 1);
	hold(fixture, 0);
	save(fixture, "a: 2"); /* the login is gone */
	assert_non_null(workspace_why_not_again(fixture->workspace, before));
	hold(fixture, 0);
	assert_value(fixture, "team", "1");
	assert_string_equal(hold_of(fixture)->record->owner.company_id, "c1");
	fixture->server.company = "c2";
	fixture->server.vaults = "";
	write_login(fixture, "KEYOFTWO", "a: 3");
	workspace_reload(fixture->workspace, CAUSE_FILE);
	assert_value(fixture, "team", NULL);
	assert_value(fixture, "a", "3");
	wait_for_answer(fixture);
	wait_for_disk(fixture);
}

/* --- for somebody's environment ------------------------------------------- */

/* What @candidate says comes to for who has TEAM=blue. */
static void assert_for_caller(struct fixture *fixture, bool candidate,
			      const char *json)
{
	_cleanup_(env_unrefp) struct env *env = envs_of("TEAM=blue");
	_cleanup_(stack_docs_deinit) struct stack_docs docs = {0};
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	_cleanup_(stack_deinit) struct stack stack;
	const struct layer_context context = {
		.limits = READ_LIMITS_DEFAULT, .env = env, .vault_env = env};

	workspace_copy_stack(fixture->workspace, candidate, LAYER_KINDS,
			     &stack);
	assert_true(stack_docs_for(&stack, &context, &docs, &diag));
	json_write(&text, stack_docs_merge(&docs, &arena));
	assert_string_equal(buf_str(&text).ptr, json);
}

static void callers_are_given_what_is_held(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, "a: ${?TEAM}");
	hold(fixture, 0);
	save(fixture, "b: ${?TEAM}");
	assert_for_caller(fixture, false, "{\"a\":\"blue\"}");
	assert_for_caller(fixture, true, "{\"b\":\"blue\"}");
	start_again(fixture);
	assert_for_caller(fixture, false, "{\"a\":\"blue\"}");
	release(fixture);
	assert_for_caller(fixture, false, "{\"b\":\"blue\"}");
}

/* It is no part of a generation, and needs what a caller brings. */
static void what_was_lost_then_is_asked_for_still(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, "a: ${TEAM}");
	assert_non_null(workspace_find_lost(fixture->workspace));
	hold(fixture, 0);
	assert_non_null(workspace_find_lost(fixture->workspace));
	assert_for_caller(fixture, false, "{\"a\":\"blue\"}");
	start_again(fixture);
	assert_non_null(workspace_find_lost(fixture->workspace));
	assert_for_caller(fixture, false, "{\"a\":\"blue\"}");
}

static void what_is_lost_since_is_not_missed(void **state)
{
	struct fixture *fixture = *state;

	start_with(fixture, "a: ${?TEAM}");
	hold(fixture, 0);
	scratch_write("clearml.conf", "b: {");
	start_again(fixture);
	assert_non_null(stack_find_lost(&fixture->workspace->stack));
	assert_null(workspace_find_lost(fixture->workspace));
	assert_for_caller(fixture, false, "{\"a\":\"blue\"}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_comes_waits),
		TEST(without_a_change_a_release_changes_nothing),
		TEST(nothing_comes_in_while_it_is_written),
		TEST(its_file_is_there_when_it_holds),
		TEST(what_cannot_be_written_is_not_held),
		TEST(what_cannot_be_replaced_stays),
		TEST(who_takes_over_serves_what_is_held),
		TEST(an_older_generation_is_served_byte_for_byte),
		TEST(what_failed_leaves_the_newest),
		TEST(vaults_that_are_taken_away_are_served_and_told),
		TEST(what_lapses_is_served_and_told),
		TEST(whether_there_are_vaults_is_as_it_was),
		TEST(another_company_ends_it),
		TEST(another_key_of_the_same_user_is_no_end),
		TEST(a_file_of_another_login_holds_nothing),
		TEST(restored_it_ends_with_the_first_answer_to_another),
		TEST(what_another_login_was_given_does_not_come_back),
		TEST(what_is_held_on_stays_whose_it_was),
		TEST(callers_are_given_what_is_held),
		TEST(what_was_lost_then_is_asked_for_still),
		TEST(what_is_lost_since_is_not_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
