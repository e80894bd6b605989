#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/workspaces.h"

#define DAY_MS INT64_C(86400000)

/* --- files alone ---------------------------------------------------------- */

static void without_a_login_files_are_served_at_once(void **state)
{
	struct fixture *fixture = *state;

	scratch_write("clearml.conf", "a: 1");
	start(fixture);
	assert_value(fixture, "a", "1");
	assert_int_equal(fixture->workspace->state, WORKSPACE_READY);
	assert_true(workspace_is_settled(fixture->workspace));
	assert_non_null(fixture->workspace->unasked);
	assert_int_equal(fixture->snapshots, 1);
	assert_int_equal(fixture->workspace->snapshot->cause, CAUSE_START);
}

static void a_broken_file_keeps_what_was_good(void **state)
{
	struct fixture *fixture = *state;

	scratch_write("clearml.conf", "a: 1");
	start(fixture);
	scratch_write("clearml.conf", "a: {");
	workspace_reload(fixture->workspace, CAUSE_FILE);
	assert_value(fixture, "a", "1");
	assert_int_equal(fixture->workspace->state, WORKSPACE_DEGRADED);
	assert_int_equal(fixture->generation, 1);
	scratch_write("clearml.conf", "a: 2 # mended");
	workspace_reload(fixture->workspace, CAUSE_FILE);
	assert_value(fixture, "a", "2");
	assert_int_equal(fixture->workspace->state, WORKSPACE_READY);
	assert_int_equal(fixture->generation, 2);
	assert_int_equal(fixture->workspace->snapshot->cause, CAUSE_FILE);
}

static void equal_values_are_no_new_generation(void **state)
{
	struct fixture *fixture = *state;
	const struct snapshot *first;

	scratch_write("clearml.conf", "a: 1");
	start(fixture);
	first = fixture->workspace->snapshot;
	scratch_write("clearml.conf", "\n\n# moved\na: 1");
	workspace_reload(fixture->workspace, CAUSE_FILE);
	assert_int_equal(fixture->generation, 1);
	assert_int_equal(fixture->workspace->snapshot->generation, 1);
	assert_int_equal(fixture->workspace->snapshot->cause, CAUSE_START);
	/* But who watches the documents is told. */
	assert_ptr_not_equal(fixture->workspace->snapshot, first);
	assert_int_equal(fixture->snapshots, 2);
}

static void who_takes_over_gets_a_generation_of_its_own(void **state)
{
	struct fixture *fixture = *state;

	scratch_write("clearml.conf", "a: 1");
	start(fixture);
	workspace_renew(fixture->workspace);
	assert_value(fixture, "a", "1");
	assert_int_equal(fixture->workspace->snapshot->generation, 2);
	assert_int_equal(fixture->workspace->snapshot->cause, CAUSE_WORKSPACE);
}

/* --- vaults --------------------------------------------------------------- */

static void vaults_come_when_the_server_has_answered(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	assert_int_equal(fixture->workspace->snapshot->cause, CAUSE_VAULT);
	assert_string_equal(workspace_names(fixture->workspace)->company_id,
			    "c1");
	assert_true(workspace_can_serve(fixture->workspace));
	assert_null(workspace_problem(fixture->workspace));
}

static void the_same_vaults_again_are_no_news(void **state)
{
	struct fixture *fixture = *state;
	uint64_t generation;

	log_in(fixture);
	generation = fixture->generation;
	poll_again(fixture);
	assert_true(fixture->server.polls >= 2);
	assert_int_equal(fixture->generation, generation);
}

static void a_bad_answer_keeps_the_vaults(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	fixture->server.mood = CLEARML_FAILS;
	poll_again(fixture);
	assert_value(fixture, "team", "1");
	assert_int_equal(fixture->workspace->state, WORKSPACE_DEGRADED);
	assert_non_null(workspace_problem(fixture->workspace));
	assert_false(workspace_can_serve(fixture->workspace));
	fixture->server.mood = CLEARML_WELL;
	poll_again(fixture);
	assert_int_equal(fixture->workspace->state, WORKSPACE_READY);
}

static void vaults_that_are_taken_away_are_gone(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	fixture->server.vaults = "";
	poll_again(fixture);
	assert_value(fixture, "team", NULL);
	assert_int_equal(fixture->workspace->state, WORKSPACE_READY);
}

static void a_server_that_no_longer_offers_vaults_leaves_those_it_gave(
	void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	fixture->server.features = "basic";
	poll_again(fixture);
	assert_value(fixture, "team", "1");
	assert_int_equal(fixture->workspace->state, WORKSPACE_DEGRADED);
	assert_non_null(strstr(workspace_problem(fixture->workspace),
			       "no longer offers vaults"));
}

static void variables_switch_vaults_off(void **state)
{
	struct fixture *fixture = *state;

	set_env(fixture, "CLEARML_AGENT_DISABLE_VAULT_SUPPORT=1");
	fixture->server.vaults = VAULT("v1", "team: 1");
	write_login(fixture, "KEYOFONE", "");
	start(fixture);
	assert_int_equal(fixture->workspace->state, WORKSPACE_READY);
	wait_for_answer(fixture);
	assert_value(fixture, "team", NULL);
	assert_int_equal(fixture->server.logins, 1);
	assert_int_equal(fixture->server.polls, 0);
}

static void offline_no_server_is_asked(void **state)
{
	struct fixture *fixture = *state;

	fixture->host.offline = true;
	write_login(fixture, "KEYOFONE", "a: 1");
	start(fixture);
	assert_value(fixture, "a", "1");
	assert_int_equal(fixture->workspace->state, WORKSPACE_OFFLINE);
	assert_null(fixture->workspace->upstream);
}

/* --- refusal and lapse ---------------------------------------------------- */

/* As if the last good answer had been @ms earlier. */
static void age_by(struct fixture *fixture, int64_t ms)
{
	struct last_good *last_good = &fixture->workspace->last_good;

	last_good->good_ms -= ms;
	last_good->refusal_ms -= ms;
}

static void a_refusal_is_borne_for_the_grace(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	fixture->server.mood = CLEARML_REFUSES;
	poll_again(fixture);
	assert_string_equal(workspace_state_shown(fixture->workspace),
			    "refused");
	assert_in_range(workspace_lapses_in(fixture->workspace), 595000,
			600000);
	workspace_lapse(fixture->workspace);
	assert_value(fixture, "team", "1");
	age_by(fixture, 600000);
	workspace_lapse(fixture->workspace);
	assert_value(fixture, "team", NULL);
	assert_int_equal(fixture->workspace->snapshot->cause, CAUSE_REVOKED);
	assert_int_equal(workspace_lapses_in(fixture->workspace), -1);
}

static void a_good_answer_ends_the_refusal(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	fixture->server.mood = CLEARML_REFUSES;
	poll_again(fixture);
	fixture->server.mood = CLEARML_WELL;
	poll_again(fixture);
	assert_string_equal(workspace_state_shown(fixture->workspace), "ready");
	age_by(fixture, 600000);
	workspace_lapse(fixture->workspace);
	assert_value(fixture, "team", "1");
}

static void a_bad_day_is_borne_for_the_stale_limit(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	fixture->server.mood = CLEARML_FAILS;
	poll_again(fixture);
	assert_int_equal(workspace_stale(fixture->workspace), -1);
	age_by(fixture, DAY_MS);
	assert_in_range(workspace_stale(fixture->workspace), 86400, 86410);
	workspace_lapse(fixture->workspace);
	assert_value(fixture, "team", "1");
	age_by(fixture, 30 * DAY_MS);
	workspace_lapse(fixture->workspace);
	assert_value(fixture, "team", NULL);
	assert_value(fixture, "a", "1");
	assert_int_equal(fixture->workspace->snapshot->cause,
			 CAUSE_STALE_LIMIT);
}

static void after_a_lapse_the_next_good_answer_serves_again(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	age_by(fixture, 31 * DAY_MS);
	workspace_lapse(fixture->workspace);
	assert_value(fixture, "team", NULL);
	poll_again(fixture);
	assert_value(fixture, "team", "1");
}

/* --- another login -------------------------------------------------------- */

static void change_key(struct fixture *fixture, const char *key)
{
	write_login(fixture, key, "a: 1");
	workspace_reload(fixture->workspace, CAUSE_FILE);
}

static void a_new_login_proves_itself_first(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	change_key(fixture, "KEYOFTWO");
	assert_non_null(fixture->workspace->candidate);
	assert_value(fixture, "team", "1");
	assert_int_equal(fixture->logouts, 0);
	wait_for_answer(fixture);
	assert_null(fixture->workspace->candidate);
	assert_string_equal(fixture->workspace->upstream->login.access_key,
			    "KEYOFTWO");
	assert_int_equal(fixture->logouts, 1);
	assert_value(fixture, "team", "1");
}

static void a_new_login_that_is_refused_replaces_nothing(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	fixture->server.mood = CLEARML_REFUSES;
	change_key(fixture, "KEYOFTWO");
	wait_for_answer(fixture);
	assert_value(fixture, "team", "1");
	assert_int_equal(fixture->logouts, 0);
	assert_int_equal(fixture->workspace->state, WORKSPACE_DEGRADED);
	assert_string_equal(workspace_state_shown(fixture->workspace),
			    "degraded");
	assert_ptr_equal(workspace_problem(fixture->workspace),
			 workspace_candidate_problem(fixture->workspace));
	change_key(fixture, "KEYOFONE");
	assert_int_equal(fixture->logouts, 0);
}

static void a_login_of_another_company_takes_its_vaults_with_it(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	fixture->server.company = "c2";
	fixture->server.vaults = VAULT("v2", "other: 2");
	change_key(fixture, "KEYOFTWO");
	assert_value(fixture, "team", "1");
	wait_for_answer(fixture);
	assert_value(fixture, "team", NULL);
	assert_value(fixture, "other", "2");
}

/* Whose server does not even say that there are none. */
static void nobody_is_served_the_vaults_of_another_company(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	fixture->server.company = "c2";
	fixture->server.features = "basic";
	change_key(fixture, "KEYOFTWO");
	assert_value(fixture, "team", "1");
	wait_for_answer(fixture);
	assert_value(fixture, "team", NULL);
	assert_int_equal(fixture->workspace->state, WORKSPACE_READY);
}

static void without_a_login_any_more_its_vaults_are_gone(void **state)
{
	struct fixture *fixture = *state;

	log_in(fixture);
	scratch_write("clearml.conf", "a: 2");
	workspace_reload(fixture->workspace, CAUSE_FILE);
	assert_value(fixture, "a", "2");
	assert_value(fixture, "team", NULL);
	assert_null(fixture->workspace->upstream);
	assert_int_equal(fixture->logouts, 1);
	assert_int_equal(fixture->workspace->state, WORKSPACE_READY);
}

/* --- between a question and its answer ------------------------------------ */

static void log_out_meanwhile(void *data)
{
	struct fixture *fixture = data;

	scratch_write("clearml.conf", "a: 2");
	workspace_reload(fixture->workspace, CAUSE_FILE);
	fixture->answered = true; /* nobody is asked any more */
}

static void the_answer_to_a_login_that_is_gone_is_nobodys(void **state)
{
	struct fixture *fixture = *state;

	fixture->server.vaults = VAULT("v1", "team: 1");
	fixture->server.meanwhile = log_out_meanwhile;
	write_login(fixture, "KEYOFONE", "a: 1");
	start(fixture);
	wait_for_answer(fixture);
	assert_int_equal(fixture->answers, 0);
	assert_value(fixture, "a", "2");
	assert_value(fixture, "team", NULL);
	assert_int_equal(fixture->workspace->state, WORKSPACE_READY);
}

static void edit_meanwhile(void *data)
{
	struct fixture *fixture = data;

	write_login(fixture, "KEYOFONE", "a: 2");
	workspace_reload(fixture->workspace, CAUSE_FILE);
}

static void a_file_saved_before_the_answer_is_served_with_it(void **state)
{
	struct fixture *fixture = *state;

	fixture->server.vaults = VAULT("v1", "team: 1");
	fixture->server.meanwhile = edit_meanwhile;
	write_login(fixture, "KEYOFONE", "a: 1");
	start(fixture);
	wait_for_answer(fixture);
	assert_value(fixture, "a", "2");
	assert_value(fixture, "team", "1");
	assert_int_equal(fixture->server.logins, 1);
	assert_int_equal(fixture->workspace->state, WORKSPACE_READY);
}

static void change_key_meanwhile(void *data)
{
	struct fixture *fixture = data;

	change_key(fixture, "KEYOFTWO");
}

static void the_first_login_may_answer_while_the_next_is_proved(void **state)
{
	struct fixture *fixture = *state;

	fixture->server.vaults = VAULT("v1", "team: 1");
	fixture->server.meanwhile = change_key_meanwhile;
	write_login(fixture, "KEYOFONE", "a: 1");
	start(fixture);
	wait_for_answer(fixture);
	assert_value(fixture, "team", "1");
	assert_null(fixture->workspace->candidate);
	assert_string_equal(fixture->workspace->upstream->login.access_key,
			    "KEYOFTWO");
	assert_int_equal(fixture->logouts, 1);
}

/* --- declared ones -------------------------------------------------------- */

static void declare(struct fixture *fixture, const char *more)
{
	_cleanup_(mem_freep) char *text = mem_printf(
		"[workspace one]\napi_server = %s\naccess_key = KEYOFONE\n"
		"secret_key_file = %s\n%s\n",
		fixture->server.responder.url, scratch_at("secret"), more);

	set_settings(fixture, text);
}

static void write_secret(void)
{
	scratch_write("secret", "secret-of-the-key");
	assert_int_equal(chmod("secret", 0600), 0);
}

static void what_the_settings_declare_is_a_layer_of_its_own(void **state)
{
	struct fixture *fixture = *state;

	write_secret();
	declare(fixture, "");
	scratch_write("clearml.conf", "api { credentials.access_key: LOSER }");
	start(fixture);
	assert_string_equal(fixture->workspace->name, "one");
	assert_value(fixture, "api.credentials.access_key", "\"KEYOFONE\"");
	wait_for_answer(fixture);
	assert_int_equal(fixture->workspace->state, WORKSPACE_READY);
}

static void without_its_secret_a_declared_one_serves_its_files(void **state)
{
	struct fixture *fixture = *state;

	declare(fixture, "");
	scratch_write("clearml.conf", "a: 1");
	start(fixture);
	assert_value(fixture, "a", "1");
	assert_int_equal(fixture->workspace->state, WORKSPACE_DEGRADED);
	assert_non_null(fixture->workspace->login_error);
	write_secret();
	workspace_reload(fixture->workspace, CAUSE_FILE);
	assert_null(fixture->workspace->login_error);
	wait_for_answer(fixture);
	assert_int_equal(fixture->workspace->state, WORKSPACE_READY);
}

static void rights_of_its_own_take_the_place_of_all(void **state)
{
	struct fixture *fixture = *state;

	write_secret();
	declare(fixture, "read = *");
	start(fixture);
	assert_non_null(fixture->workspace->access);
	declare(fixture, "");
	workspace_set_settings(fixture->workspace,
			       &fixture->settings->workspaces[0]);
	assert_null(fixture->workspace->access);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(without_a_login_files_are_served_at_once),
		TEST(a_broken_file_keeps_what_was_good),
		TEST(equal_values_are_no_new_generation),
		TEST(who_takes_over_gets_a_generation_of_its_own),
		TEST(vaults_come_when_the_server_has_answered),
		TEST(the_same_vaults_again_are_no_news),
		TEST(a_bad_answer_keeps_the_vaults),
		TEST(vaults_that_are_taken_away_are_gone),
		TEST(a_server_that_no_longer_offers_vaults_leaves_those_it_gave),
		TEST(variables_switch_vaults_off),
		TEST(offline_no_server_is_asked),
		TEST(a_refusal_is_borne_for_the_grace),
		TEST(a_good_answer_ends_the_refusal),
		TEST(a_bad_day_is_borne_for_the_stale_limit),
		TEST(after_a_lapse_the_next_good_answer_serves_again),
		TEST(a_new_login_proves_itself_first),
		TEST(a_new_login_that_is_refused_replaces_nothing),
		TEST(a_login_of_another_company_takes_its_vaults_with_it),
		TEST(nobody_is_served_the_vaults_of_another_company),
		TEST(without_a_login_any_more_its_vaults_are_gone),
		TEST(the_answer_to_a_login_that_is_gone_is_nobodys),
		TEST(a_file_saved_before_the_answer_is_served_with_it),
		TEST(the_first_login_may_answer_while_the_next_is_proved),
		TEST(what_the_settings_declare_is_a_layer_of_its_own),
		TEST(without_its_secret_a_declared_one_serves_its_files),
		TEST(rights_of_its_own_take_the_place_of_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
