#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/workspaces.h"

/* What a workspace has kept when the next process begins. */

static void vaults_of_an_earlier_process_are_there_at_once(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	fixture->server.mood = CLEARML_FAILS;
	start_again(fixture);
	assert_value(fixture, "team", "1");
	assert_int_equal(fixture->workspace->state, WORKSPACE_READY);
	assert_string_equal(workspace_names(fixture->workspace)->user_name,
			    "Ada");
}

static void another_keys_vaults_are_not_restored(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	write_login(fixture, "KEYOFTWO", "a: 1");
	start_again(fixture);
	assert_value(fixture, "team", NULL);
	assert_int_equal(fixture->workspace->state, WORKSPACE_STARTING);
	wait_for_answer(fixture);
}

static void a_refusal_goes_on_counting_in_the_next_process(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	fixture->server.mood = CLEARML_REFUSES;
	poll_again(fixture);
	fixture->workspace->last_good.refusal_ms -= INT64_C(300000);
	start_again(fixture);
	assert_value(fixture, "team", "1");
	assert_in_range(workspace_lapses_in(fixture->workspace), 290000,
			300000);
}

static void restored_vaults_of_another_company_go_with_its_first_answer(
	void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	fixture->server.company = "c2";
	fixture->server.features = "basic";
	start_again(fixture);
	assert_value(fixture, "team", "1");
	poll_again(fixture);
	assert_value(fixture, "team", NULL);
}

static void without_a_secret(struct fixture *fixture, const char *key)
{
	_cleanup_(mem_freep) char *text =
		mem_printf("api { api_server: \"%s\", "
			   "credentials { access_key: %s } }",
			   fixture->server.responder.url, key);

	scratch_write("clearml.conf", text);
}

static void another_login_is_not_served_what_was_restored(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	without_a_secret(fixture, "KEYOFONE");
	start_again(fixture);
	assert_value(fixture, "team", "1");
	assert_null(fixture->workspace->upstream);
	fixture->server.mood = CLEARML_FAILS;
	write_login(fixture, "KEYOFTWO", "a: 1");
	workspace_reload(fixture->workspace, CAUSE_FILE);
	assert_value(fixture, "team", NULL);
	wait_for_answer(fixture);
	assert_value(fixture, "team", NULL);
}

static void the_same_login_goes_on_with_what_was_restored(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	without_a_secret(fixture, "KEYOFONE");
	start_again(fixture);
	fixture->server.mood = CLEARML_FAILS;
	write_login(fixture, "KEYOFONE", "a: 1");
	workspace_reload(fixture->workspace, CAUSE_FILE);
	assert_value(fixture, "team", "1");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(vaults_of_an_earlier_process_are_there_at_once),
		TEST(another_keys_vaults_are_not_restored),
		TEST(a_refusal_goes_on_counting_in_the_next_process),
		TEST(restored_vaults_of_another_company_go_with_its_first_answer),
		TEST(another_login_is_not_served_what_was_restored),
		TEST(the_same_login_goes_on_with_what_was_restored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
