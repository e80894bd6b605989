#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/vault_polls.h"

/* --- answers --- */

static void the_question_is_the_one_clearml_asks(void **state)
{
	struct fixture *fixture = *state;

	fetch(fixture, "{\"vaults\":[]}");
	assert_true(responder_was_asked(
		&fixture->server, 1,
		"GET /users.get_vaults?enabled=true&types=config&types=config "
		"HTTP/1.1"));
	assert_true(responder_was_asked(&fixture->server, 1,
					"Authorization: Bearer "));
}

static void vaults_keep_their_order_and_fields(void **state)
{
	struct fixture *fixture = *state;

	fetch(fixture,
	      "{\"vaults\":["
	      "{\"id\":\"b\",\"description\":\"team\",\"format\":\"hocon\","
	      "\"type\":\"config\",\"scope\":\"group\",\"data\":\"a: 1\","
	      "\"last_update\":\"2026-11-24T07:48:56\","
	      "\"enabled\":true,\"new_in_2027\":{\"x\":[1]}},"
	      "{\"id\":\"a\",\"data\":\"\",\"last_update\":null,"
	      "\"user\":\"5e6f\"},"
	      "{\"id\":\"g\",\"data\":\"\",\"user\":\"5e6f\","
	      "\"group_name\":\"gpu\"}]}");
	assert_int_equal(fixture->outcome, VAULT_FETCHED);
	assert_null(fixture->error);
	assert_string_equal(buf_str(&fixture->seen).ptr,
			    "b|team|hocon|config|group|a: 1 of "
			    "2026-11-24T07:48:56\n"
			    "a||-|-|-| by 5e6f\n"
			    "g||-|-|-| by gpu\n");
}

static void odd_vaults_are_handed_on_as_they_are(void **state)
{
	struct fixture *fixture = *state;

	fetch(fixture, "{\"vaults\":["
		       "{\"id\":null,\"data\":null},"
		       "{},"
		       "{\"id\":\"x\",\"data\":\"1\"},"
		       "{\"id\":\"x\",\"data\":\"2\"},"
		       "null,"
		       "{\"id\":12345678901234567890123,\"format\":false,"
		       "\"data\":{\"a\":1}},"
		       "{\"data\":7}]}");
	assert_int_equal(fixture->outcome, VAULT_FETCHED);
	assert_string_equal(buf_str(&fixture->seen).ptr,
			    "||-|-|-|-\n"
			    "||-|-|-|-\n"
			    "x||-|-|-|1\n"
			    "x||-|-|-|2\n"
			    "12345678901234567890123||-|-|-|{\"a\":1}\n"
			    "||-|-|-|7\n");
}

static void no_vaults_is_an_answer(void **state)
{
	struct fixture *fixture = *state;

	fetch(fixture, "{\"vaults\":[]}");
	assert_int_equal(fixture->outcome, VAULT_FETCHED);
	assert_int_equal(fixture->seen.len, 0);
	assert_next_within(fixture, HOUR_MS / 100 * 80, HOUR_MS / 100 * 120);
}

static void a_thousand_vaults_are_taken(void **state)
{
	_cleanup_(buf_deinit) struct buf data = BUF_INIT;
	struct fixture *fixture = *state;
	size_t lines = 0;

	buf_puts(&data, "{\"vaults\":[{}");
	for (int i = 1; i < 1000; i++)
		buf_printf(&data, ",{\"id\":\"%d\",\"data\":\"a: %d\"}", i, i);
	buf_puts(&data, "]}");
	fetch(fixture, buf_str(&data).ptr);
	for (size_t i = 0; i < fixture->seen.len; i++)
		lines += fixture->seen.data[i] == '\n';
	assert_int_equal(lines, 1000);
}

static void an_answer_without_a_list_is_a_failure(void **state)
{
	static const char *const data[] = {"{}", "{\"vaults\":null}",
					   "{\"vaults\":{}}"};
	struct fixture *fixture = *state;

	fetch(fixture, "{\"vaults\":\"none\"}");
	assert_int_equal(fixture->outcome, VAULT_FAILED);
	assert_string_equal(fixture->error,
			    "the server's answer holds no list of vaults");
	for (size_t i = 0; i < ARRAY_SIZE(data); i++) {
		responder_plan_data(&fixture->server, data[i]);
		vault_poller_poll_now(fixture->poller);
		wait_for_answer(fixture);
		assert_int_equal(fixture->outcome, VAULT_FAILED);
	}
}

/* --- servers without vaults --- */

static void a_basic_server_is_not_asked(void **state)
{
	static const char *const claims[] = {
		BASIC,
		"{}",
		"{\"feature_set\":\"advanced\"}",
		"{\"api_version\":\"2.14\",\"feature_set\":\"advanced\"}",
		"{\"api_version\":\"2.31\",\"feature_set\":\"\"}",
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(claims); i++) {
		plan_login(fixture, claims[i]);
		if (fixture->poller)
			vault_poller_poll_now(fixture->poller);
		else
			start(fixture);
		wait_for_answer(fixture);
		assert_int_equal(fixture->outcome, VAULT_UNSUPPORTED);
		assert_null(fixture->error);
		assert_int_equal(fixture->server.asked, i + 1);
	}
	assert_next_within(fixture, 4 * HOUR_MS, 5 * HOUR_MS);
}

static void whose_vaults_nobody_wants_is_not_asked(void **state)
{
	struct fixture *fixture = *state;

	fixture->config.no_vaults = true;
	plan_login(fixture, ENTERPRISE);
	start(fixture);
	wait_for_answer(fixture);
	assert_int_equal(fixture->outcome, VAULT_UNSUPPORTED);
	assert_int_equal(fixture->server.asked, 1);
}

static void a_server_that_learns_vaults_is_noticed(void **state)
{
	struct fixture *fixture = *state;

	plan_login(fixture, BASIC);
	start(fixture);
	wait_for_answer(fixture);
	plan_login(fixture, ENTERPRISE);
	responder_plan_data(&fixture->server, "{\"vaults\":[{\"id\":\"n\"}]}");
	vault_poller_poll_now(fixture->poller);
	wait_for_answer(fixture);
	assert_int_equal(fixture->outcome, VAULT_FETCHED);
	assert_string_equal(buf_str(&fixture->seen).ptr, "n||-|-|-|-\n");
}

static void a_404_means_no_vaults(void **state)
{
	struct fixture *fixture = *state;

	plan_login(fixture, ENTERPRISE);
	responder_plan_error(&fixture->server, 404, 0,
			     "Unable to find endpoint");
	start(fixture);
	wait_for_answer(fixture);
	assert_int_equal(fixture->outcome, VAULT_UNSUPPORTED);
	assert_null(fixture->error);
}

/* The question goes with a token that is refused, and the login after it finds
 * no ClearML server: that says nothing of vaults. */
static void a_404_to_a_login_on_the_way_is_a_failure(void **state)
{
	struct fixture *fixture = *state;

	plan_login(fixture, ENTERPRISE);
	responder_plan_error(&fixture->server, 401, 30, "Invalid token");
	responder_plan_body(&fixture->server, "404 NOT FOUND", STR(NO_LOGIN));
	start(fixture);
	wait_for_answer(fixture);
	assert_int_equal(fixture->outcome, VAULT_FAILED);
	assert_string_equal(fixture->error, "the server answers: why (404/0)");
}

/* --- failures --- */

static const struct {
	bool at_login;
	int status, subcode; /* subcode -1: HTML */
	enum vault_outcome outcome;
	const char *error;
} failures[] = {
	{true, 401, 22, VAULT_REFUSED, "the server answers: why (401/22)"},
	{true, 401, 21, VAULT_REFUSED, "(401/21)"},
	{true, 403, 20, VAULT_REFUSED, "(403/20)"},
	{true, 403, -1, VAULT_FAILED, "HTTP 403 with HTML"},
	{true, 401, 30, VAULT_FAILED, "(401/30)"},
	{true, 404, 0, VAULT_FAILED, "(404/0)"},
	{true, 500, 0, VAULT_FAILED, "(500/0)"},
	{true, 502, -1, VAULT_FAILED, "HTTP 502 with HTML"},
	{true, 200, -1, VAULT_FAILED, "HTTP 200 with HTML"},
	{false, 403, 20, VAULT_REFUSED, "(403/20)"},
	{false, 403, -1, VAULT_FAILED, "HTTP 403 with HTML"},
	{false, 404, -1, VAULT_FAILED, "HTTP 404 with HTML"},
	{false, 400, 12, VAULT_FAILED, "(400/12)"},
	{false, 500, 102, VAULT_FAILED, "(500/102)"},
	{false, 503, -1, VAULT_FAILED, "HTTP 503 with HTML"},
};

static void plan_failure(struct fixture *fixture, size_t i)
{
	char head[16];

	if (failures[i].subcode >= 0) {
		responder_plan_error(&fixture->server, failures[i].status,
				     failures[i].subcode, "why");
		return;
	}
	(void)snprintf(head, sizeof(head), "%d NO", failures[i].status);
	responder_plan_body(&fixture->server, head, STR("<html></html>"));
}

static void each_failure_has_its_name(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
		struct fixture *fixture;

		(void)enter(state);
		fixture = *state;
		if (!failures[i].at_login)
			plan_login(fixture, ENTERPRISE);
		plan_failure(fixture, i);
		start(fixture);
		wait_for_answer(fixture);
		assert_int_equal(fixture->outcome, failures[i].outcome);
		assert_non_null(strstr(fixture->error, failures[i].error));
		(void)leave(state);
	}
}

static void an_absent_server_is_unreachable_and_comes_back(void **state)
{
	struct fixture *fixture = *state;

	responder_plan(&fixture->server, STR(""), RESPONDER_CLOSES);
	start(fixture);
	wait_for_answer(fixture);
	assert_int_equal(fixture->outcome, VAULT_UNREACHABLE);
	assert_non_null(fixture->error);
	assert_next_within(fixture, 0, 2000);

	plan_login(fixture, ENTERPRISE);
	responder_plan_data(&fixture->server, "{\"vaults\":[]}");
	wait_for_answer(fixture); /* by itself */
	assert_int_equal(fixture->outcome, VAULT_FETCHED);
	assert_null(fixture->error);
}

static void refused_credentials_are_seldom_tried(void **state)
{
	struct fixture *fixture = *state;

	responder_plan_error(&fixture->server, 401, 22, "no");
	start(fixture);
	wait_for_answer(fixture);
	assert_next_within(fixture, 4 * HOUR_MS, 5 * HOUR_MS);
}

/* A token holds what its user may do: only a new one can say that the server
 * has relented. */
static void who_was_refused_logs_in_first(void **state)
{
	struct fixture *fixture = *state;
	struct responder *server = &fixture->server;

	fetch(fixture, "{\"vaults\":[]}");
	responder_plan_error(server, 403, 20, "no");
	vault_poller_poll_now(fixture->poller);
	wait_for_answer(fixture);
	assert_int_equal(fixture->outcome, VAULT_REFUSED);
	plan_login(fixture, ENTERPRISE);
	responder_plan_data(server, "{\"vaults\":[]}");
	vault_poller_poll_now(fixture->poller);
	wait_for_answer(fixture);
	assert_int_equal(fixture->outcome, VAULT_FETCHED);
	assert_true(responder_was_asked(server, 3, "/auth.login"));
	responder_plan_data(server, "{\"vaults\":[]}");
	vault_poller_poll_now(fixture->poller);
	wait_for_answer(fixture);
	assert_true(responder_was_asked(server, 5, "/users.get_vaults"));
}

/* A server in maintenance that asks for no wait is not asked at once again, and
 * ever less often. */
static void a_503_makes_no_tight_loop(void **state)
{
	static const uint64_t waits_ms[] = {2000, 4000, 8000, 16000, 32000};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(waits_ms); i++) {
		int64_t now = time(NULL);

		responder_plan_body(&fixture->server, "503 AWAY",
				    STR("<html></html>"));
		if (i == 0)
			start(fixture);
		else
			vault_poller_poll_now(fixture->poller);
		wait_for_answer(fixture);
		assert_true(vault_poller_next(fixture->poller) >=
			    now + (int64_t)waits_ms[i] / 2000);
	}
}

static void a_servers_wish_to_be_left_alone_is_bounded(void **state)
{
	struct fixture *fixture = *state;

	responder_plan_body(&fixture->server, "429 SLOW\r\nRetry-After: 7200",
			    STR("slow"));
	start(fixture);
	wait_for_answer(fixture);
	assert_next_within(fixture, 2 * HOUR_MS, 4 * HOUR_MS);
	responder_plan_body(&fixture->server,
			    "503 BAD\r\nRetry-After: 99999999", STR("away"));
	vault_poller_poll_now(fixture->poller);
	wait_for_answer(fixture);
	assert_next_within(fixture, 4 * HOUR_MS, 6 * HOUR_MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_question_is_the_one_clearml_asks),
		TEST(vaults_keep_their_order_and_fields),
		TEST(odd_vaults_are_handed_on_as_they_are),
		TEST(no_vaults_is_an_answer),
		TEST(a_thousand_vaults_are_taken),
		TEST(an_answer_without_a_list_is_a_failure),
		TEST(a_basic_server_is_not_asked),
		TEST(whose_vaults_nobody_wants_is_not_asked),
		TEST(a_server_that_learns_vaults_is_noticed),
		TEST(a_404_means_no_vaults),
		TEST(a_404_to_a_login_on_the_way_is_a_failure),
		cmocka_unit_test(each_failure_has_its_name),
		TEST(an_absent_server_is_unreachable_and_comes_back),
		TEST(refused_credentials_are_seldom_tried),
		TEST(who_was_refused_logs_in_first),
		TEST(a_503_makes_no_tight_loop),
		TEST(a_servers_wish_to_be_left_alone_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
