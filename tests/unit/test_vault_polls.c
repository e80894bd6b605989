#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/vault_polls.h"

/* --- polling --- */

static void wait_for_two(struct fixture *fixture)
{
	fixture->answered = fixture->answers == 2;
}

static void each_question_comes_at_its_phase(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.phase = phase_in(HOUR_MS - HOUR_MS / 4, HOUR_MS);
	fixture->config.jitter_percent = 0;
	fetch(fixture, "{\"vaults\":[]}");
	assert_next_within(fixture, HOUR_MS - HOUR_MS / 4,
			   HOUR_MS - HOUR_MS / 4);
}

static void who_may_wait_begins_at_its_phase(void **state)
{
	struct fixture *fixture = *state;
	int64_t now = time(NULL);

	fixture->config.may_wait = true;
	fixture->config.phase = phase_in(30000, 60000);
	start(fixture);
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	assert_int_equal(fixture->server.asked, 0);
	assert_in_range(vault_poller_next(fixture->poller), now + 20, now + 31);

	plan_login(fixture, ENTERPRISE);
	responder_plan_data(&fixture->server, "{\"vaults\":[]}");
	vault_poller_poll_now(fixture->poller);
	wait_for_answer(fixture);
	assert_int_equal(fixture->outcome, VAULT_FETCHED);
}

static void who_may_wait_begins_by_itself(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.may_wait = true;
	fixture->config.interval_ms = 100;
	fetch(fixture, "{\"vaults\":[]}");
	assert_int_equal(fixture->outcome, VAULT_FETCHED);
}

static void it_asks_again_by_itself(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.interval_ms = 10;
	fixture->then = wait_for_two;
	plan_login(fixture, ENTERPRISE);
	responder_plan_data(&fixture->server, "{\"vaults\":[{\"id\":\"1\"}]}");
	responder_plan_data(&fixture->server, "{\"vaults\":[{\"id\":\"2\"}]}");
	responder_plan(&fixture->server, STR(""), RESPONDER_HOLDS);
	start(fixture);
	wait_for_answer(fixture);
	assert_string_equal(buf_str(&fixture->seen).ptr, "2||-|-|-|-\n");
}

static void one_question_at_a_time(void **state)
{
	struct fixture *fixture = *state;

	plan_login(fixture, ENTERPRISE);
	responder_plan_data(&fixture->server, "{\"vaults\":[]}");
	start(fixture);
	vault_poller_poll_now(fixture->poller);
	vault_poller_poll_now(fixture->poller);
	assert_int_equal(vault_poller_next(fixture->poller), 0);
	wait_for_answer(fixture);
	assert_int_equal(fixture->server.asked, 2);
	assert_int_equal(fixture->answers, 1);
}

static void ask_again(struct fixture *fixture)
{
	fixture->then = NULL;
	fixture->answered = false;
	vault_poller_poll_now(fixture->poller);
}

static void a_callback_may_ask_again(void **state)
{
	struct fixture *fixture = *state;

	plan_login(fixture, ENTERPRISE);
	responder_plan_data(&fixture->server, "{\"vaults\":[]}");
	responder_plan_data(&fixture->server, "{\"vaults\":[{\"id\":\"2\"}]}");
	fixture->then = ask_again;
	start(fixture);
	wait_for_answer(fixture);
	assert_int_equal(fixture->answers, 2);
	assert_string_equal(buf_str(&fixture->seen).ptr, "2||-|-|-|-\n");
}

static void close_poller(struct fixture *fixture)
{
	vault_poller_close(fixture->poller);
	fixture->poller = NULL;
}

static void a_callback_may_close(void **state)
{
	struct fixture *fixture = *state;

	fixture->then = close_poller;
	fetch(fixture, "{\"vaults\":[{\"id\":\"1\"}]}");
	assert_int_equal(fixture->outcome, VAULT_FETCHED);
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	assert_int_equal(fixture->answers, 1);
}

static void closing_ends_a_question(void **state)
{
	struct fixture *fixture = *state;

	responder_plan(&fixture->server, STR(""), RESPONDER_HOLDS);
	start(fixture);
	while (!fixture->server.asked)
		uv_run(&fixture->loop, UV_RUN_ONCE);
	close_poller(fixture);
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	assert_int_equal(fixture->answers, 0);
}

/* --- two feeds --- */

static void feeds_are_asked_for_one_after_the_other(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.feeds = VAULT_FEEDS;
	plan_login(fixture, ENTERPRISE);
	responder_plan_data(&fixture->server, "{\"vaults\":[{\"id\":\"c\"}]}");
	responder_plan_data(&fixture->server, "{\"vaults\":[{\"id\":\"m\"}]}");
	start(fixture);
	wait_for_answer(fixture);
	assert_int_equal(fixture->answers, 2);
	assert_int_equal(fixture->feeds, 3);
	assert_string_equal(buf_str(&fixture->seen).ptr, "m||-|-|-|-\n");
	assert_true(responder_was_asked(
		&fixture->server, 2,
		"GET /users.get_vaults?enabled=true&types=monitoring&types="
		"monitoring HTTP/1.1"));
	assert_false(vault_poller_is_asking(fixture->poller));
}

static void a_failure_is_the_answer_to_all_that_were_to_come(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.feeds = VAULT_FEEDS;
	plan_login(fixture, ENTERPRISE);
	responder_plan_data(&fixture->server, "{}");
	start(fixture);
	wait_for_answer(fixture);
	assert_int_equal(fixture->feeds, 3);
	assert_int_equal(fixture->outcome, VAULT_FAILED);
	assert_int_equal(fixture->server.asked, 2);
}

static void the_second_may_fail_alone(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.feeds = VAULT_FEEDS;
	plan_login(fixture, ENTERPRISE);
	responder_plan_data(&fixture->server, "{\"vaults\":[]}");
	responder_plan_data(&fixture->server, "{}");
	start(fixture);
	wait_for_answer(fixture);
	assert_int_equal(fixture->answers, 2);
	assert_int_equal(fixture->outcome, VAULT_FAILED);
	assert_string_equal(fixture->error, "the server's answer holds no list "
					    "of vaults");
}

static void a_callback_may_close_between_feeds(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.feeds = VAULT_FEEDS;
	fixture->then = close_poller;
	plan_login(fixture, ENTERPRISE);
	responder_plan_data(&fixture->server, "{\"vaults\":[]}");
	start(fixture);
	while (!fixture->answers)
		uv_run(&fixture->loop, UV_RUN_ONCE);
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	assert_int_equal(fixture->answers, 1);
}

/* --- one question for both --- */

#define C    "{\"id\":\"c\",\"type\":\"config\"}"
#define M    "{\"id\":\"m\",\"type\":\"monitoring\"}"
#define BOTH "{\"vaults\":[" C "," M "]}"

static void plan_ordinary(struct fixture *fixture)
{
	responder_plan_data(&fixture->server, "{\"vaults\":[" C "]}");
	responder_plan_data(&fixture->server, "{\"vaults\":[" M "]}");
}

static void poll_now(struct fixture *fixture)
{
	vault_poller_poll_now(fixture->poller);
	wait_for_answer(fixture);
}

/* A login and six questions. */
static void prove_that_both_will_do(struct fixture *fixture)
{
	fixture->config.feeds = VAULT_FEEDS;
	plan_login(fixture, ENTERPRISE);
	plan_ordinary(fixture);
	start(fixture);
	wait_for_answer(fixture);
	responder_plan_data(&fixture->server, BOTH);
	responder_plan_data(&fixture->server, BOTH);
	plan_ordinary(fixture);
	poll_now(fixture);
	assert_int_equal(fixture->server.asked, 7);
	assert_int_equal(fixture->answers, 4);
	fixture->feeds = 0;
}

static void both_feeds_have_their_answer_of_one_question(void **state)
{
	struct fixture *fixture = *state;

	prove_that_both_will_do(fixture);
	responder_plan_data(&fixture->server, BOTH);
	poll_now(fixture);
	assert_int_equal(fixture->server.asked, 8);
	assert_true(responder_was_asked(
		&fixture->server, 7,
		"GET /users.get_vaults?enabled=true&types=config&types="
		"monitoring HTTP/1.1"));
	assert_int_equal(fixture->answers, 6);
	assert_int_equal(fixture->feeds, 3);
	assert_string_equal(buf_str(&fixture->seen).ptr,
			    "m||-|monitoring|-|-\n");
	assert_false(vault_poller_is_asking(fixture->poller));
}

/* What only the ordinary questions show is looked for with each login. */
static void after_a_login_each_feed_is_asked_for(void **state)
{
	struct fixture *fixture = *state;

	prove_that_both_will_do(fixture);
	plan_login(fixture, ENTERPRISE);
	plan_ordinary(fixture);
	vault_poller_prove_now(fixture->poller);
	wait_for_answer(fixture);
	assert_int_equal(fixture->server.asked, 10);
}

static void a_question_for_both_that_fails_is_asked_otherwise(void **state)
{
	struct fixture *fixture = *state;

	prove_that_both_will_do(fixture);
	responder_plan_error(&fixture->server, 500, 0, "no");
	plan_ordinary(fixture);
	poll_now(fixture);
	assert_int_equal(fixture->outcome, VAULT_FETCHED);
	assert_int_equal(fixture->feeds, 3);
	responder_plan(&fixture->server, STR(""), RESPONDER_RESETS);
	plan_ordinary(fixture);
	poll_now(fixture);
	assert_int_equal(fixture->outcome, VAULT_FETCHED);
	assert_int_equal(fixture->server.asked, 13);
}

static void who_asks_to_be_left_alone_is_not_asked_on(void **state)
{
	struct fixture *fixture = *state;

	prove_that_both_will_do(fixture);
	responder_plan_body(&fixture->server, "503 BAD\r\nRetry-After: 7200",
			    STR("away"));
	poll_now(fixture);
	assert_int_equal(fixture->outcome, VAULT_FAILED);
	assert_int_equal(fixture->feeds, 3);
	assert_next_within(fixture, 2 * HOUR_MS, 4 * HOUR_MS);
	assert_int_equal(fixture->server.asked, 8);
}

/* The login that the question needed first was refused. */
static void who_cannot_log_in_asks_nothing_else(void **state)
{
	struct fixture *fixture = *state;

	prove_that_both_will_do(fixture);
	responder_plan_error(&fixture->server, 401, 30, "Invalid token");
	responder_plan_body(&fixture->server, "404 NOT FOUND", STR(NO_LOGIN));
	poll_now(fixture);
	assert_int_equal(fixture->outcome, VAULT_FAILED);
	assert_int_equal(fixture->server.asked, 9);
}

static void close_at_the_first_share(struct fixture *fixture)
{
	if (fixture->answers == 5)
		close_poller(fixture);
}

static void a_callback_may_close_between_shares(void **state)
{
	struct fixture *fixture = *state;

	prove_that_both_will_do(fixture);
	fixture->then = close_at_the_first_share;
	responder_plan_data(&fixture->server, BOTH);
	vault_poller_poll_now(fixture->poller);
	while (fixture->answers < 5)
		uv_run(&fixture->loop, UV_RUN_ONCE);
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	assert_int_equal(fixture->answers, 5);
}

static void ask_again_at_the_last(struct fixture *fixture)
{
	if (fixture->answers == 6)
		ask_again(fixture);
}

static void a_callback_may_ask_again_after_both(void **state)
{
	struct fixture *fixture = *state;

	prove_that_both_will_do(fixture);
	fixture->then = ask_again_at_the_last;
	responder_plan_data(&fixture->server, BOTH);
	responder_plan_data(&fixture->server, BOTH);
	poll_now(fixture);
	assert_int_equal(fixture->answers, 8);
	assert_int_equal(fixture->server.asked, 9);
}

static void closing_ends_a_proof(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.feeds = VAULT_FEEDS;
	plan_login(fixture, ENTERPRISE);
	plan_ordinary(fixture);
	start(fixture);
	wait_for_answer(fixture);
	responder_plan_data(&fixture->server, BOTH);
	responder_plan(&fixture->server, STR(""), RESPONDER_HOLDS);
	vault_poller_poll_now(fixture->poller);
	while (fixture->server.asked < 5)
		uv_run(&fixture->loop, UV_RUN_ONCE);
	close_poller(fixture);
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	assert_int_equal(fixture->answers, 2);
}

/* --- proofs --- */

/* Longer than an answer takes on a busy machine: the next question must not
 * come before its answer is planned. */
#define PROVE_MS UINT64_C(300)
#define SLOW_MS  20

static void plan_vaults(struct fixture *fixture)
{
	responder_plan_data(&fixture->server, "{\"vaults\":[]}");
}

static bool logged_in(struct fixture *fixture, size_t turn)
{
	return responder_was_asked(&fixture->server, turn, "/auth.login") &&
	       responder_was_asked(&fixture->server, turn, "Basic ");
}

static void the_key_is_proved_each_interval(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.prove_ms = PROVE_MS;
	fetch(fixture, "{\"vaults\":[]}");
	assert_true(vault_poller_proved_at(fixture->poller) > 0);
	for (size_t i = 0; i < 3; i++) {
		plan_login(fixture, ENTERPRISE);
		plan_vaults(fixture);
		wait_for_answer(fixture);
		assert_int_equal(fixture->outcome, VAULT_FETCHED);
		assert_true(logged_in(fixture, 2 + 2 * i));
	}
}

static void be_slow(uv_poll_t *poll, int status, int events)
{
	(void)poll;
	(void)status;
	(void)events;
	uv_sleep(SLOW_MS);
}

/* What else is done in a turn makes it long: the loop's time, from which timers
 * count, is older than any clock. */
static void a_proof_comes_when_turns_are_long(void **state)
{
	struct fixture *fixture = *state;
	uv_poll_t busy;
	int pipe[2];

	fixture->config.prove_ms = 2 * PROVE_MS;
	assert_int_equal(uv_pipe(pipe, 0, 0), 0);
	uv_poll_init(&fixture->loop, &busy, pipe[1]);
	uv_poll_start(&busy, UV_WRITABLE, be_slow);
	fetch(fixture, "{\"vaults\":[]}");
	for (size_t i = 0; i < 2; i++) {
		plan_login(fixture, ENTERPRISE);
		plan_vaults(fixture);
		wait_for_answer(fixture);
		assert_true(logged_in(fixture, 2 + 2 * i));
	}
	uv_close((uv_handle_t *)&busy, NULL);
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	close(pipe[0]);
	close(pipe[1]);
}

static void a_revoked_key_is_found_by_the_proof_and_again_taken_by_one(
	void **state)
{
	struct fixture *fixture = *state;

	fixture->config.prove_ms = PROVE_MS;
	fetch(fixture, "{\"vaults\":[]}");
	for (size_t i = 0; i < 2; i++) {
		responder_plan_error(&fixture->server, 401, 22, "no");
		wait_for_answer(fixture);
		assert_int_equal(fixture->outcome, VAULT_REFUSED);
	}
	plan_login(fixture, ENTERPRISE);
	plan_vaults(fixture);
	wait_for_answer(fixture);
	assert_int_equal(fixture->outcome, VAULT_FETCHED);
}

/* Not reached is not refused, and no reason to ask more often. */
static void a_server_that_is_away_is_not_asked_for_a_proof(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.prove_ms = PROVE_MS;
	fetch(fixture, "{\"vaults\":[]}");
	responder_plan(&fixture->server, STR(""), RESPONDER_RESETS);
	wait_for_answer(fixture);
	assert_int_equal(fixture->outcome, VAULT_UNREACHABLE);
	assert_next_within(fixture, HOUR_MS / 8, HOUR_MS / 4);
}

static void a_server_without_vaults_is_proved_at_that_pace(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.prove_ms = PROVE_MS;
	plan_login(fixture, BASIC);
	plan_login(fixture, BASIC);
	responder_plan_error(&fixture->server, 401, 22, "no");
	start(fixture);
	for (size_t i = 0; i < 2; i++) {
		wait_for_answer(fixture);
		assert_int_equal(fixture->outcome, VAULT_UNSUPPORTED);
	}
	wait_for_answer(fixture);
	assert_int_equal(fixture->outcome, VAULT_REFUSED);
}

static void who_wants_a_proof_gets_one(void **state)
{
	struct fixture *fixture = *state;

	fetch(fixture, "{\"vaults\":[]}");
	plan_login(fixture, ENTERPRISE);
	plan_vaults(fixture);
	vault_poller_prove_now(fixture->poller);
	wait_for_answer(fixture);
	assert_true(logged_in(fixture, 2));
	plan_vaults(fixture);
	vault_poller_poll_now(fixture->poller);
	wait_for_answer(fixture);
	assert_int_equal(fixture->server.asked, 5);
}

/* The login that is under way may be of before. */
static void a_proof_that_is_wanted_meanwhile_is_another_one(void **state)
{
	struct fixture *fixture = *state;

	plan_login(fixture, ENTERPRISE);
	plan_vaults(fixture);
	plan_login(fixture, ENTERPRISE);
	plan_vaults(fixture);
	start(fixture);
	vault_poller_prove_now(fixture->poller);
	wait_for_answer(fixture);
	wait_for_answer(fixture);
	assert_true(logged_in(fixture, 2));
	assert_int_equal(fixture->server.asked, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_question_comes_at_its_phase),
		TEST(who_may_wait_begins_at_its_phase),
		TEST(who_may_wait_begins_by_itself),
		TEST(it_asks_again_by_itself),
		TEST(one_question_at_a_time),
		TEST(a_callback_may_ask_again),
		TEST(a_callback_may_close),
		TEST(closing_ends_a_question),
		TEST(feeds_are_asked_for_one_after_the_other),
		TEST(a_failure_is_the_answer_to_all_that_were_to_come),
		TEST(the_second_may_fail_alone),
		TEST(a_callback_may_close_between_feeds),
		TEST(both_feeds_have_their_answer_of_one_question),
		TEST(after_a_login_each_feed_is_asked_for),
		TEST(a_question_for_both_that_fails_is_asked_otherwise),
		TEST(who_asks_to_be_left_alone_is_not_asked_on),
		TEST(who_cannot_log_in_asks_nothing_else),
		TEST(a_callback_may_close_between_shares),
		TEST(a_callback_may_ask_again_after_both),
		TEST(closing_ends_a_proof),
		TEST(the_key_is_proved_each_interval),
		TEST(a_proof_comes_when_turns_are_long),
		TEST(a_revoked_key_is_found_by_the_proof_and_again_taken_by_one),
		TEST(a_server_that_is_away_is_not_asked_for_a_proof),
		TEST(a_server_without_vaults_is_proved_at_that_pace),
		TEST(who_wants_a_proof_gets_one),
		TEST(a_proof_that_is_wanted_meanwhile_is_another_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
