#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/workspaces.h"
#include "fetch/session.h"
#include "state/pair_file.h"

/* An upstream, which is nobody's but the test's, and its answers. */
struct asked {
	struct fixture *fixture;
	struct upstream *upstream;
	unsigned int answers, vaults;
	bool done;  /* every feed has had an answer */
	bool close; /* by its first answer */
};

static void on_answer(void *data, struct upstream *upstream,
		      const struct vault_answer *answer)
{
	struct asked *asked = data;

	assert_ptr_equal(upstream, asked->upstream);
	asked->answers++;
	asked->vaults += (unsigned int)answer->count;
	asked->done = !upstream_is_asking(upstream);
	if (!asked->close)
		return;
	upstream_close(TAKE(asked->upstream));
	asked->done = true;
}

static struct login login_with(const struct fixture *fixture, const char *key)
{
	return (struct login){
		.api_server = mem_strdup(fixture->server.responder.url),
		.access_key = mem_strdup(key),
		.secret_key = mem_strdup("secret-of-the-key"),
		.verify = true,
	};
}

static void begin(struct asked *asked, struct fixture *fixture)
{
	struct login login = login_with(fixture, "KEYOFONE");

	asked->fixture = fixture;
	asked->upstream =
		upstream_new(&fixture->host.upstream, &login, on_answer, asked);
	assert_false(upstream_is_answered(asked->upstream));
	assert_true(upstream_is_asking(asked->upstream));
	assert_null(login.access_key);
}

static void wait_for(struct asked *asked)
{
	asked->done = false;
	responder_run(&asked->fixture->loop, &asked->done);
}

static void ask(struct asked *asked, struct fixture *fixture)
{
	begin(asked, fixture);
	wait_for(asked);
}

static void ask_again(struct asked *asked)
{
	upstream_prove_now(asked->upstream);
	wait_for(asked);
}

static void asked_deinit(struct asked *asked)
{
	upstream_close(asked->upstream);
}

static void each_type_of_vault_is_a_feed(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(asked_deinit) struct asked asked = {0};

	fixture->server.vaults = VAULT("v1", "a: 1") "," VAULT("v2", "b: 2");
	ask(&asked, fixture);
	assert_int_equal(asked.answers, VAULT_FEEDS);
	assert_int_equal(asked.vaults, 2);
	assert_true(upstream_is_answered(asked.upstream));
	assert_true(upstream_is_well(asked.upstream));
	assert_null(upstream_error(asked.upstream));
	assert_null(upstream_fault(asked.upstream));
	assert_true(asked.upstream->last_success > 0);
}

static void mode_sdk_knows_one(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(asked_deinit) struct asked asked = {0};

	set_settings(fixture, "[daemon]\nmode = sdk\n");
	ask(&asked, fixture);
	assert_int_equal(asked.answers, 1);
	assert_true(upstream_is_answered(asked.upstream));
}

static void a_refusal_says_by_whom_and_how(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(asked_deinit) struct asked asked = {0};
	const struct vault_fault *fault;

	fixture->server.mood = CLEARML_REFUSES;
	ask(&asked, fixture);
	assert_int_equal(asked.answers, VAULT_FEEDS);
	assert_true(upstream_is_answered(asked.upstream));
	assert_false(upstream_is_well(asked.upstream));
	assert_int_equal(upstream_outcome(asked.upstream), VAULT_REFUSED);
	fault = upstream_fault(asked.upstream);
	assert_string_equal(fault->endpoint, "auth.login");
	assert_int_equal(fault->status, 401);
	assert_int_equal(fault->subcode, 20);
	assert_int_equal(asked.upstream->last_success, 0);
}

static void it_recovers(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(asked_deinit) struct asked asked = {0};

	fixture->server.mood = CLEARML_FAILS;
	ask(&asked, fixture);
	assert_int_equal(upstream_outcome(asked.upstream), VAULT_FAILED);
	assert_non_null(upstream_error(asked.upstream));
	fixture->server.mood = CLEARML_WELL;
	ask_again(&asked);
	assert_true(upstream_is_well(asked.upstream));
	assert_null(upstream_error(asked.upstream));
}

static void what_the_server_says_tells_no_secret(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(asked_deinit) struct asked asked = {0};

	fixture->server.mood = CLEARML_FAILS;
	fixture->server.message = "you said secret-of-the-key";
	ask(&asked, fixture);
	assert_non_null(strstr(upstream_error(asked.upstream), "you said"));
	assert_null(strstr(upstream_error(asked.upstream), "secret-of"));
}

static void a_server_without_vaults_is_well(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(asked_deinit) struct asked asked = {0};

	fixture->server.features = "basic";
	ask(&asked, fixture);
	assert_int_equal(upstream_outcome(asked.upstream), VAULT_UNSUPPORTED);
	assert_true(upstream_is_well(asked.upstream));
	assert_int_equal(fixture->server.polls, 0);
}

static void a_proof_is_a_login_by_the_key(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(asked_deinit) struct asked asked = {0};

	ask(&asked, fixture);
	assert_int_equal(fixture->server.logins, 1);
	assert_true(upstream_proved_at(asked.upstream) > 0);
	ask_again(&asked);
	assert_int_equal(fixture->server.logins, 2);
	assert_int_equal(fixture->server.polls, 2);
}

static void it_may_be_closed_by_its_answer(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(asked_deinit) struct asked asked = {.close = true};

	ask(&asked, fixture);
	assert_null(asked.upstream);
	assert_int_equal(asked.answers, 1);
}

static void another_login_or_setting_needs_another_upstream(void **state)
{
	static const char *const settings[] = {
		"[poll]\ninterval = 61s\n",   "[poll]\ntimeout = 11s\n",
		"[poll]\nbackoff_max = 3m\n", "[poll]\njitter = 7%\n",
		"[poll]\nprove = 3m\n",       "[limits]\nresponse = 1M\n",
	};
	struct fixture *fixture = *state;
	_cleanup_(asked_deinit) struct asked asked = {0};
	_cleanup_(login_deinit) struct login same =
		login_with(fixture, "KEYOFONE");
	_cleanup_(login_deinit) struct login other =
		login_with(fixture, "KEYOFTWO");
	const struct upstream_config *config = &fixture->host.upstream;

	ask(&asked, fixture);
	assert_true(upstream_is_for(asked.upstream, config, &same));
	assert_false(upstream_is_for(asked.upstream, config, &other));
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		set_settings(fixture, settings[i]);
		assert_false(upstream_is_for(asked.upstream, config, &same));
	}
	set_settings(fixture, "[limits]\nhistory = 3\n");
	assert_true(upstream_is_for(asked.upstream, config, &same));
}

static bool was_asked(struct responder *responder, const char *text)
{
	for (size_t i = 0; i < responder->asked; i++)
		if (responder_was_asked(responder, i, text))
			return true;
	return false;
}

static void on_tried(void *data, const struct api_reply *reply)
{
	bool *done = data;

	assert_int_equal(reply->outcome, API_OK);
	*done = true;
}

static void another_pair_is_tried_beside_it(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(asked_deinit) struct asked asked = {0};
	char key[] = "NEWKEY", secret[] = "new-secret";
	const struct pair pair = {.access_key = key, .secret_key = secret};
	struct session *session;
	bool done = false;

	ask(&asked, fixture);
	session = upstream_try(asked.upstream, &fixture->host.upstream, &pair);
	(void)session_login(session, on_tried, &done);
	responder_run(&fixture->loop, &done);
	/* NEWKEY:new-secret */
	assert_true(was_asked(&fixture->server.responder,
			      "Authorization: Basic TkVXS0VZOm5ldy1zZWNyZXQ="));
	session_close(session);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(each_type_of_vault_is_a_feed),
		TEST(mode_sdk_knows_one),
		TEST(a_refusal_says_by_whom_and_how),
		TEST(it_recovers),
		TEST(what_the_server_says_tells_no_secret),
		TEST(a_server_without_vaults_is_well),
		TEST(a_proof_is_a_login_by_the_key),
		TEST(it_may_be_closed_by_its_answer),
		TEST(another_login_or_setting_needs_another_upstream),
		TEST(another_pair_is_tried_beside_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
