#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/quiet.h"
#include "../support/session_calls.h"

static void a_life_is_asked_for_within_what_the_server_gives(void **state)
{
	static const struct {
		int64_t life;
		const char *login;
	} cases[] = {
		{0, "GET /auth.login HTTP"},
		{-1, "GET /auth.login HTTP"},
		{7200, "GET /auth.login?expiration_sec=7200 HTTP"},
		{1, "GET /auth.login?expiration_sec=60 HTTP"},
		{INT64_MAX, "GET /auth.login?expiration_sec=31536000 HTTP"},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(call_deinit) struct call call = {0};
		struct session_config config = config_for(fixture, NULL);

		config.token_life = cases[i].life;
		fixture->session = session_new(fixture->http, &config);
		plan_token(&fixture->server, "tok");
		responder_plan_data(&fixture->server, "{}");
		run(fixture, &call);
		assert_true(responder_was_asked(&fixture->server, 2 * i,
						cases[i].login));
		session_close(TAKE(fixture->session));
	}
}

/* A token outlives its key: only the pair can say that it is still good. */
static void what_is_minted_is_made_with_the_pair(void **state)
{
	struct fixture *fixture = *state;
	struct session_config config = config_for(fixture, NULL);
	struct call call = {.fixture = fixture};

	fixture->session = session_new(fixture->http, &config);
	assert_false(session_is_by_key(fixture->session));
	plan_token(&fixture->server, "tok");
	plan_token(&fixture->server, "minted");
	(void)session_mint(fixture->session, 120, on_done, &call);
	responder_run(&fixture->loop, &call.done);
	assert_int_equal(call.outcome, API_OK);
	assert_true(session_is_by_key(fixture->session));
	assert_true(responder_was_asked(&fixture->server, 1,
					"/auth.login?expiration_sec=120 HTTP"));
	assert_true(responder_was_asked(&fixture->server, 1, BASIC));
	call_deinit(&call);
	session_close(TAKE(fixture->session));
}

static void who_has_a_token_alone_mints_with_that(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(mem_freep) char *token = token_with(100000);
	struct session_config config = config_for(fixture, token);
	struct call call = {.fixture = fixture};

	fixture->session = session_new(fixture->http, &config);
	plan_token(&fixture->server, "minted");
	(void)session_mint(fixture->session, 120, on_done, &call);
	responder_run(&fixture->loop, &call.done);
	assert_false(session_is_by_key(fixture->session));
	assert_true(responder_was_asked(&fixture->server, 0,
					"Authorization: Bearer "));
	call_deinit(&call);
	session_close(TAKE(fixture->session));
}

static void what_only_reads_goes_by_the_method_asked_for(void **state)
{
	static const struct {
		const char *method, *request, *end;
	} cases[] = {
		{NULL, "GET", "\r\n\r\n"},      {"get", "GET", "\r\n\r\n"},
		{"Post", "POST", "\r\n\r\n{}"}, {"PUT", "PUT", "\r\n\r\n{}"},
		{"patch", "GET", "\r\n\r\n"},
	};
	struct fixture *fixture = *state;
	struct responder *server = &fixture->server;

	quiet_begin();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(call_deinit) struct call call = {0};
		_cleanup_(mem_freep) char *login =
			mem_printf("%s /auth.login HTTP", cases[i].request);
		struct session_config config = config_for(fixture, NULL);

		config.method = cases[i].method;
		fixture->session = session_new(fixture->http, &config);
		plan_token(server, "tok");
		responder_plan_data(server, "{}");
		run(fixture, &call);
		assert_true(responder_was_asked(server, 2 * i, login));
		assert_true(
			str_ends(str_from(responder_request(server, 2 * i + 1)),
				 str_from(cases[i].end)));
		session_close(TAKE(fixture->session));
	}
	quiet_end();
}

static void what_writes_is_posted_by_any_method(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;
	struct session_config config = config_for(fixture, NULL);

	config.method = "put";
	fixture->session = session_new(fixture->http, &config);
	plan_token(&fixture->server, "tok");
	responder_plan_data(&fixture->server, "{}");
	session_send(fixture->session, "auth.create_credentials", "{\"a\":1}",
		     on_done, &call);
	wait_for(fixture, &call);
	assert_true(responder_was_asked(&fixture->server, 1,
					"POST /auth.create_credentials "));
}

/* Else each call would begin with a login. */
static void a_renewal_far_ahead_is_clamped(void **state)
{
	_cleanup_(call_deinit) struct call first = {0}, second = {0};
	struct fixture *fixture = *state;
	struct session_config config = config_for(fixture, NULL);
	_cleanup_(mem_freep) char *token =
		jwt_make("{\"iat\":1000,\"exp\":4600}");

	config.renew_ahead = 43200;
	fixture->session = session_new(fixture->http, &config);
	plan_token(&fixture->server, token);
	responder_plan_data(&fixture->server, "{}");
	responder_plan_data(&fixture->server, "{}");
	run(fixture, &first);
	run(fixture, &second);
	assert_int_equal(second.outcome, API_OK);
	assert_int_equal(fixture->server.asked, 3);
}

static void a_renewal_can_be_asked_for_earlier(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;
	struct session_config config;
	_cleanup_(mem_freep) char *token = token_with(7200);

	config = config_for(fixture, token);
	config.renew_ahead = 10000;
	fixture->session = session_new(fixture->http, &config);
	plan_token(&fixture->server, "new");
	responder_plan_data(&fixture->server, "{}");
	run(fixture, &call);
	assert_true(was_call(fixture, 1, "new"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter_closed, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_life_is_asked_for_within_what_the_server_gives),
		TEST(what_is_minted_is_made_with_the_pair),
		TEST(who_has_a_token_alone_mints_with_that),
		TEST(what_only_reads_goes_by_the_method_asked_for),
		TEST(what_writes_is_posted_by_any_method),
		TEST(a_renewal_far_ahead_is_clamped),
		TEST(a_renewal_can_be_asked_for_earlier),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
