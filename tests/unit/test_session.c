#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/jwt.h"
#include "../support/session_calls.h"

/* --- login --- */

static void the_key_goes_to_the_login_alone(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;

	plan_token(&fixture->server, "tok");
	responder_plan_data(&fixture->server, "{}");
	assert_null(session_claims(fixture->session));
	run(fixture, &call);
	assert_int_equal(call.outcome, API_OK);
	assert_true(was_login(fixture, 0, BASIC));
	assert_true(was_call(fixture, 1, "tok"));
	assert_false(responder_was_asked(&fixture->server, 1, "Basic"));
	assert_non_null(session_claims(fixture->session));
}

static void one_login_serves_all_that_wait(void **state)
{
	_cleanup_(call_deinit) struct call first = {0}, second = {0};
	struct fixture *fixture = *state;

	plan_token(&fixture->server, "tok");
	responder_plan_data(&fixture->server, "{}");
	responder_plan_data(&fixture->server, "{}");
	begin(fixture, &first);
	begin(fixture, &second);
	wait_for(fixture, &first);
	wait_for(fixture, &second);
	assert_int_equal(fixture->server.asked, 3);
	assert_true(was_login(fixture, 0, BASIC));
	assert_true(was_call(fixture, 1, "tok"));
	assert_true(was_call(fixture, 2, "tok"));
}

static void a_refused_login_is_told_to_all_that_wait(void **state)
{
	_cleanup_(call_deinit) struct call first = {0}, second = {0};
	struct fixture *fixture = *state;

	responder_plan_error(&fixture->server, 401, 22, "invalid credentials");
	begin(fixture, &first);
	begin(fixture, &second);
	wait_for(fixture, &first);
	wait_for(fixture, &second);
	assert_int_equal(fixture->server.asked, 1);
	assert_int_equal(second.outcome, API_ERROR);
	assert_int_equal(second.code, 401);
	assert_int_equal(second.subcode, 22);
	assert_string_equal(second.message, "invalid credentials");
}

static void after_a_failed_login_comes_another(void **state)
{
	_cleanup_(call_deinit) struct call first = {0}, second = {0};
	struct fixture *fixture = *state;

	responder_plan_body(&fixture->server, "502 BAD", STR("<html>"));
	plan_token(&fixture->server, "tok");
	responder_plan_data(&fixture->server, "{}");
	run(fixture, &first);
	assert_int_equal(first.outcome, API_FOREIGN);
	run(fixture, &second);
	assert_int_equal(second.outcome, API_OK);
}

static void a_login_without_a_token_is_foreign(void **state)
{
	static const char *const data[] = {"{}", "{\"token\":null}",
					   "{\"token\":\"\"}", "{\"token\":5}"};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(data); i++) {
		_cleanup_(call_deinit) struct call call = {0};

		responder_plan_data(&fixture->server, data[i]);
		run(fixture, &call);
		assert_int_equal(call.outcome, API_FOREIGN);
		assert_non_null(strstr(call.message, "holds no token"));
	}
	assert_null(session_claims(fixture->session));
}

static void a_path_and_slashes_of_the_server_are_minded(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;
	_cleanup_(mem_freep) char *url =
		mem_printf(" %s/api// ", fixture->server.url);
	struct session_config config = {.api_server = url,
					.access_key = "key",
					.secret_key = "secret",
					.timeout_ms = 20000,
					.response_limit = 1000};

	session_close(fixture->session);
	fixture->session = session_new(fixture->http, &config);
	responder_plan_error(&fixture->server, 500, 0, "no");
	run(fixture, &call);
	assert_true(responder_was_asked(&fixture->server, 0,
					"GET /api/auth.login HTTP"));
}

static void a_body_makes_it_a_post(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;

	plan_token(&fixture->server, "tok");
	responder_plan_data(&fixture->server, "{}");
	session_send(fixture->session, "auth.create_credentials",
		     "{\"label\":\"x\"}", on_done, &call);
	wait_for(fixture, &call);
	assert_true(responder_was_asked(&fixture->server, 1,
					"POST /auth.create_credentials "));
	assert_true(responder_was_asked(&fixture->server, 1,
					"\r\n\r\n{\"label\":\"x\"}"));
}

/* --- 401 --- */

static void a_refused_token_is_replaced_once(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;

	plan_token(&fixture->server, "old");
	responder_plan_error(&fixture->server, 401, 30, "Invalid token");
	plan_token(&fixture->server, "new");
	responder_plan_data(&fixture->server, "{}");
	run(fixture, &call);
	assert_int_equal(call.outcome, API_OK);
	assert_true(was_call(fixture, 1, "old"));
	assert_true(was_login(fixture, 2, BASIC));
	assert_true(was_call(fixture, 3, "new"));
}

static void a_second_401_is_the_answer(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;

	plan_token(&fixture->server, "old");
	responder_plan_error(&fixture->server, 401, 30, "Invalid token");
	plan_token(&fixture->server, "new");
	responder_plan_error(&fixture->server, 401, 30, "Invalid token");
	run(fixture, &call);
	assert_int_equal(call.outcome, API_ERROR);
	assert_int_equal(call.subcode, 30);
	assert_int_equal(fixture->server.asked, 4);
}

static void two_calls_refused_at_once_log_in_once(void **state)
{
	_cleanup_(call_deinit) struct call first = {0}, second = {0};
	struct fixture *fixture = *state;

	plan_token(&fixture->server, "old");
	responder_plan_error(&fixture->server, 401, 30, "Invalid token");
	responder_plan_error(&fixture->server, 401, 30, "Invalid token");
	plan_token(&fixture->server, "new");
	responder_plan_data(&fixture->server, "{}");
	responder_plan_data(&fixture->server, "{}");
	begin(fixture, &first);
	begin(fixture, &second);
	wait_for(fixture, &first);
	wait_for(fixture, &second);
	assert_int_equal(first.outcome, API_OK);
	assert_int_equal(second.outcome, API_OK);
	assert_int_equal(fixture->server.asked, 6);
	assert_true(was_login(fixture, 3, BASIC));
}

/* Each 401 on a call, and whether a new token may help. */
static const struct {
	int subcode;
	bool repeated;
} unauthorized[] = {
	{30, true}, {31, true},  {40, true},  {0, true},   {1, false},
	{2, false}, {10, false}, {20, false}, {21, false}, {22, false},
};

static void only_a_token_that_is_over_is_replaced(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(unauthorized); i++) {
		_cleanup_(call_deinit) struct call call = {0};
		bool repeated = unauthorized[i].repeated;
		struct fixture *fixture;

		(void)enter(state);
		fixture = *state;
		plan_token(&fixture->server, "old");
		responder_plan_error(&fixture->server, 401,
				     unauthorized[i].subcode, "no");
		plan_token(&fixture->server, "new");
		responder_plan_data(&fixture->server, "{}");
		run(fixture, &call);
		assert_int_equal(call.outcome, repeated ? API_OK : API_ERROR);
		assert_int_equal(fixture->server.asked, repeated ? 4 : 2);
		(void)leave(state);
	}
}

/* One request at a time: the refused call ends, the next begins with a login.
 */
static void unknown_credentials_are_made_sure_of_by_the_next_call(void **state)
{
	_cleanup_(call_deinit) struct call first = {0}, second = {0};
	struct fixture *fixture = *state;

	plan_token(&fixture->server, "old");
	responder_plan_error(&fixture->server, 401, 22, "unknown");
	responder_plan_error(&fixture->server, 401, 22, "still unknown");
	run(fixture, &first);
	assert_int_equal(fixture->server.asked, 2);
	run(fixture, &second);
	assert_true(was_login(fixture, 2, BASIC));
	assert_string_equal(second.message, "still unknown");
	assert_int_equal(fixture->server.asked, 3);
}

static void a_proxys_401_is_no_reason_to_log_in(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;

	plan_token(&fixture->server, "tok");
	responder_plan_body(&fixture->server, "401 NO", STR("<html>"));
	run(fixture, &call);
	assert_int_equal(call.outcome, API_FOREIGN);
	assert_int_equal(fixture->server.asked, 2);
}

/* --- tokens --- */

static void a_given_token_is_used_as_it_is(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;

	open_session(fixture, "given");
	assert_non_null(session_claims(fixture->session));
	responder_plan_data(&fixture->server, "{}");
	run(fixture, &call);
	assert_int_equal(fixture->server.asked, 1);
	assert_true(was_call(fixture, 0, "given"));
}

static void a_given_token_renews_itself_before_it_ends(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;
	_cleanup_(mem_freep) char *old = token_with(100);

	open_session(fixture, old);
	plan_token(&fixture->server, "new");
	responder_plan_data(&fixture->server, "{}");
	run(fixture, &call);
	assert_true(was_login(fixture, 0, old));
	assert_true(was_call(fixture, 1, "new"));
}

static void a_bad_day_for_renewal_costs_nothing(void **state)
{
	_cleanup_(call_deinit) struct call first = {0}, second = {0};
	struct fixture *fixture = *state;
	_cleanup_(mem_freep) char *old = token_with(100);

	open_session(fixture, old);
	responder_plan_body(&fixture->server, "502 BAD", STR("<html>"));
	responder_plan_data(&fixture->server, "{}");
	responder_plan_data(&fixture->server, "{}");
	run(fixture, &first);
	assert_int_equal(first.outcome, API_OK);
	assert_true(was_call(fixture, 1, old));
	run(fixture, &second);
	assert_true(was_call(fixture, 2, old));
}

static void a_refused_renewal_is_the_answer(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;
	_cleanup_(mem_freep) char *old = token_with(100);

	open_session(fixture, old);
	responder_plan_error(&fixture->server, 401, 30, "revoked token");
	run(fixture, &call);
	assert_int_equal(call.outcome, API_ERROR);
	assert_string_equal(call.message, "revoked token");
}

static void a_given_token_that_is_over_is_renewed_first(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;
	_cleanup_(mem_freep) char *old = token_with(-100);

	open_session(fixture, old);
	responder_plan_error(&fixture->server, 401, 30, "expired");
	run(fixture, &call);
	assert_true(was_login(fixture, 0, old));
	assert_string_equal(call.message, "expired");
	assert_int_equal(fixture->server.asked, 1);
}

static void a_token_already_over_is_used_without_a_loop(void **state)
{
	_cleanup_(call_deinit) struct call first = {0}, second = {0};
	struct fixture *fixture = *state;
	_cleanup_(mem_freep) char *over =
		jwt_make("{\"iat\":1795487474,\"exp\":1795487473}");

	plan_token(&fixture->server, over);
	responder_plan_data(&fixture->server, "{}");
	responder_plan_data(&fixture->server, "{}");
	run(fixture, &first);
	run(fixture, &second);
	assert_int_equal(second.outcome, API_OK);
	assert_int_equal(fixture->server.asked, 3);
}

/* --- session_login --- */

static void a_login_can_be_asked_for(void **state)
{
	_cleanup_(call_deinit) struct call first = {0}, second = {0};
	struct fixture *fixture = *state;

	plan_token(&fixture->server, "one");
	plan_token(&fixture->server, "two");
	session_login(fixture->session, on_done, &first);
	wait_for(fixture, &first);
	session_login(fixture->session, on_done, &second);
	wait_for(fixture, &second);
	assert_int_equal(second.outcome, API_OK);
	assert_int_equal(fixture->server.asked, 2);
	assert_true(was_login(fixture, 1, BASIC));
}

static void it_joins_the_login_under_way(void **state)
{
	_cleanup_(call_deinit) struct call proof = {0}, call = {0};
	struct fixture *fixture = *state;

	plan_token(&fixture->server, "tok");
	responder_plan_data(&fixture->server, "{}");
	begin(fixture, &call);
	session_login(fixture->session, on_done, &proof);
	wait_for(fixture, &proof);
	wait_for(fixture, &call);
	assert_int_equal(fixture->server.asked, 2);
}

static void its_failure_is_told_though_the_token_is_good(void **state)
{
	_cleanup_(call_deinit) struct call proof = {0}, call = {0};
	struct fixture *fixture = *state;

	open_session(fixture, "given");
	responder_plan_error(&fixture->server, 500, 0, "no");
	responder_plan_data(&fixture->server, "{}");
	session_login(fixture->session, on_done, &proof);
	begin(fixture, &call);
	wait_for(fixture, &proof);
	wait_for(fixture, &call);
	assert_int_equal(proof.outcome, API_ERROR);
	assert_int_equal(call.outcome, API_OK);
}

/* --- ends --- */

static void a_cancelled_call_is_silent(void **state)
{
	_cleanup_(call_deinit) struct call gone = {0}, sent = {0}, call = {0};
	struct fixture *fixture = *state;
	struct session_call *cancelled;

	session_cancel(NULL);
	plan_token(&fixture->server, "tok");
	responder_plan_data(&fixture->server, "{}");
	cancelled = begin(fixture, &gone);
	begin(fixture, &call);
	session_cancel(cancelled);
	wait_for(fixture, &call);
	session_cancel(begin(fixture, &sent));
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	assert_false(gone.done);
	assert_false(sent.done);
}

static void cancel_other(void *data, const struct api_reply *reply)
{
	struct call *call = data;

	session_cancel(call->other);
	on_done(data, reply);
}

static void a_callback_may_cancel_one_that_waits_with_it(void **state)
{
	_cleanup_(call_deinit) struct call first = {0}, second = {0};
	struct fixture *fixture = *state;

	responder_plan_error(&fixture->server, 401, 22, "no");
	session_send(fixture->session, "a.b", NULL, cancel_other, &first);
	first.other = begin(fixture, &second);
	wait_for(fixture, &first);
	assert_false(second.done);
}

static void close_session(void *data, const struct api_reply *reply)
{
	struct call *call = data;

	session_close(call->fixture->session);
	call->fixture->session = NULL;
	on_done(data, reply);
}

static void a_callback_may_close_after_a_failed_login(void **state)
{
	_cleanup_(call_deinit) struct call first = {.fixture = *state};
	_cleanup_(call_deinit) struct call second = {0};
	struct fixture *fixture = *state;

	responder_plan_error(&fixture->server, 401, 22, "no");
	session_send(fixture->session, "a.b", NULL, close_session, &first);
	begin(fixture, &second);
	wait_for(fixture, &first);
	assert_false(second.done);
}

static void a_callback_may_close_after_a_call(void **state)
{
	_cleanup_(call_deinit) struct call call = {.fixture = *state};
	struct fixture *fixture = *state;

	plan_token(&fixture->server, "tok");
	responder_plan_data(&fixture->server, "{}");
	session_send(fixture->session, "a.b", NULL, close_session, &call);
	wait_for(fixture, &call);
	assert_int_equal(call.outcome, API_OK);
}

static void send_again(void *data, const struct api_reply *reply)
{
	struct call *call = data;

	assert_int_equal(reply->outcome, API_ERROR);
	begin(call->fixture, call);
}

static void a_callback_may_send(void **state)
{
	_cleanup_(call_deinit) struct call call = {.fixture = *state};
	struct fixture *fixture = *state;

	responder_plan_error(&fixture->server, 500, 0, "no");
	plan_token(&fixture->server, "tok");
	responder_plan_data(&fixture->server, "{}");
	session_send(fixture->session, "a.b", NULL, send_again, &call);
	wait_for(fixture, &call);
	assert_int_equal(call.outcome, API_OK);
}

static void closing_ends_all_calls(void **state)
{
	struct call waits[2] = {0}, sent = {0};
	struct fixture *fixture = *state;

	begin(fixture, &waits[0]);
	begin(fixture, &waits[1]);
	session_close(fixture->session);
	open_session(fixture, "given");
	responder_plan(&fixture->server, STR(""), RESPONDER_HOLDS);
	begin(fixture, &sent);
	while (!fixture->server.asked)
		uv_run(&fixture->loop, UV_RUN_ONCE);
	session_close(fixture->session);
	fixture->session = NULL;
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	assert_false(waits[0].done || waits[1].done || sent.done);
}

#define KEYS(name)  cmocka_unit_test_setup_teardown(name, enter, leave)
#define TOKEN(name) cmocka_unit_test_setup_teardown(name, enter_closed, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KEYS(the_key_goes_to_the_login_alone),
		KEYS(one_login_serves_all_that_wait),
		KEYS(a_refused_login_is_told_to_all_that_wait),
		KEYS(after_a_failed_login_comes_another),
		KEYS(a_login_without_a_token_is_foreign),
		KEYS(a_path_and_slashes_of_the_server_are_minded),
		KEYS(a_body_makes_it_a_post),
		KEYS(a_refused_token_is_replaced_once),
		KEYS(a_second_401_is_the_answer),
		KEYS(two_calls_refused_at_once_log_in_once),
		cmocka_unit_test(only_a_token_that_is_over_is_replaced),
		KEYS(unknown_credentials_are_made_sure_of_by_the_next_call),
		KEYS(a_proxys_401_is_no_reason_to_log_in),
		TOKEN(a_given_token_is_used_as_it_is),
		TOKEN(a_given_token_renews_itself_before_it_ends),
		TOKEN(a_bad_day_for_renewal_costs_nothing),
		TOKEN(a_refused_renewal_is_the_answer),
		TOKEN(a_given_token_that_is_over_is_renewed_first),
		KEYS(a_token_already_over_is_used_without_a_loop),
		KEYS(a_login_can_be_asked_for),
		KEYS(it_joins_the_login_under_way),
		TOKEN(its_failure_is_told_though_the_token_is_good),
		KEYS(a_cancelled_call_is_silent),
		KEYS(a_callback_may_cancel_one_that_waits_with_it),
		KEYS(a_callback_may_close_after_a_failed_login),
		KEYS(a_callback_may_close_after_a_call),
		KEYS(a_callback_may_send),
		KEYS(closing_ends_all_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
