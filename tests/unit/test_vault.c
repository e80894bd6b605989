#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "../support/jwt.h"
#include "../support/responder.h"

#include "fetch/phase.h"
#include "fetch/session.h"
#include "fetch/vault.h"

#define HOUR_MS UINT64_C(3600000)

struct fixture {
	uv_loop_t loop;
	struct http *http;
	struct responder server;
	struct session *session;
	struct vault_poller *poller;
	struct vault_poll_config config;

	bool answered;
	unsigned int answers;
	enum vault_outcome outcome;
	char *error;
	struct buf seen;    /* the vaults, a line each */
	unsigned int feeds; /* a bit for each that has had an answer */
	void (*then)(struct fixture *fixture);
};

/* The phase whose moment comes @ms from now, of an interval that it divides. */
static uint32_t phase_in(uint64_t ms, uint64_t interval_ms)
{
	uint64_t at = (phase_now() + ms) % interval_ms;

	return (uint32_t)((at << 32) / interval_ms);
}

static int enter(void **state)
{
	struct fixture *fixture = mem_alloc(sizeof(*fixture));
	struct session_config config = {.access_key = "key",
					.secret_key = "secret",
					.timeout_ms = 20000,
					.response_limit = 1000000};

	assert_int_equal(setenv("no_proxy", "*", 1), 0);
	assert_int_equal(uv_loop_init(&fixture->loop), 0);
	fixture->http = http_new(&fixture->loop);
	responder_start(&fixture->server, &fixture->loop);
	config.api_server = fixture->server.url;
	fixture->session = session_new(fixture->http, &config);
	fixture->config = (struct vault_poll_config){
		.feeds = 1,
		.interval_ms = HOUR_MS,
		.backoff_max_ms = 4 * HOUR_MS,
		.jitter_percent = 20,
		.phase = phase_in(0, HOUR_MS),
	};
	*state = fixture;
	return 0;
}

static int leave(void **state)
{
	struct fixture *fixture = *state;

	if (fixture->poller)
		vault_poller_close(fixture->poller);
	session_close(fixture->session);
	http_close(fixture->http);
	responder_stop(&fixture->server);
	responder_end_loop(&fixture->loop);
	mem_free(fixture->error);
	buf_deinit(&fixture->seen);
	mem_free(fixture);
	return 0;
}

static const char *or_none(const char *text)
{
	return text ? text : "-";
}

static void see(struct buf *seen, const struct vault *vault)
{
	buf_printf(seen, "%s|%s|%s|%s|%s|", vault->id, vault->description,
		   or_none(vault->format), or_none(vault->type),
		   or_none(vault->scope));
	if (vault->data.ptr)
		buf_add_str(seen, vault->data);
	else
		buf_puts(seen, "-");
	if (vault->last_update)
		buf_printf(seen, " of %s", vault->last_update);
	buf_putc(seen, '\n');
}

static void on_answer(void *data, const struct vault_answer *answer)
{
	struct fixture *fixture = data;

	fixture->answered = ++fixture->answers % fixture->config.feeds == 0;
	fixture->feeds |= 1U << answer->feed;
	fixture->outcome = answer->outcome;
	mem_free(fixture->error);
	fixture->error = answer->error ? mem_strdup(answer->error) : NULL;
	buf_deinit(&fixture->seen);
	for (size_t i = 0; i < answer->count; i++)
		see(&fixture->seen, &answer->vaults[i]);
	if (fixture->then)
		fixture->then(fixture);
}

static void start(struct fixture *fixture)
{
	fixture->poller =
		vault_poller_new(&fixture->loop, fixture->session,
				 &fixture->config, on_answer, fixture);
	assert_false(fixture->answered);
}

static void wait_for_answer(struct fixture *fixture)
{
	fixture->answered = false;
	responder_run(&fixture->loop, &fixture->answered);
}

static void plan_login(struct fixture *fixture, const char *claims)
{
	_cleanup_(mem_freep) char *token = jwt_make(claims);
	_cleanup_(mem_freep) char *data =
		mem_printf("{\"token\":\"%s\"}", token);

	responder_plan_data(&fixture->server, data);
}

#define ENTERPRISE "{\"api_version\":\"2.31\",\"feature_set\":\"advanced\"}"
#define BASIC      "{\"api_version\":\"2.31\",\"feature_set\":\"basic\"}"

/* Log in to a server that has vaults, and take its answer. */
static void fetch(struct fixture *fixture, const char *data)
{
	plan_login(fixture, ENTERPRISE);
	responder_plan_data(&fixture->server, data);
	start(fixture);
	wait_for_answer(fixture);
}

static void assert_next_within(struct fixture *fixture, uint64_t least_ms,
			       uint64_t most_ms)
{
	int64_t left = vault_poller_next(fixture->poller) - time(NULL);

	assert_true(left >= (int64_t)(least_ms / 1000) - 60);
	assert_true(left <= (int64_t)(most_ms / 1000));
}

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
	      "{\"id\":\"a\",\"data\":\"\",\"last_update\":null}]}");
	assert_int_equal(fixture->outcome, VAULT_FETCHED);
	assert_null(fixture->error);
	assert_string_equal(buf_str(&fixture->seen).ptr,
			    "b|team|hocon|config|group|a: 1 of "
			    "2026-11-24T07:48:56\n"
			    "a||-|-|-|\n");
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

#define NO_LOGIN                                                               \
	"{\"meta\":{\"endpoint\":{\"name\":\"auth.login\"},"                   \
	"\"result_code\":404,\"result_subcode\":0,\"result_msg\":\"why\"},"    \
	"\"data\":{}}"

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

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

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
		TEST(a_server_that_learns_vaults_is_noticed),
		TEST(a_404_means_no_vaults),
		TEST(a_404_to_a_login_on_the_way_is_a_failure),
		cmocka_unit_test(each_failure_has_its_name),
		TEST(an_absent_server_is_unreachable_and_comes_back),
		TEST(refused_credentials_are_seldom_tried),
		TEST(a_503_makes_no_tight_loop),
		TEST(a_servers_wish_to_be_left_alone_is_bounded),
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
