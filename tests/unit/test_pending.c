#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "serve_fixture.h"

#define ALL (ACCESS_READ | ACCESS_SECRETS | ACCESS_ADMIN)

#define RELOAD  "{\"method\":\"io.clearconf.Reload\"}"
#define PROFILE "{\"method\":\"io.clearconf.GetProfile\"}"
#define DONE    "{\"parameters\":{\"done\":true}}"
#define NOT_READY(reason)                                                      \
	"{\"error\":\"io.clearconf.NotReady\",\"parameters\":{\"reason\":"     \
	"\"" reason "\"}}"

static int make_fixture(void **state)
{
	*state = fixture_new();
	return 0;
}

static int start_fixture(void **state)
{
	struct fixture *fixture = fixture_new();

	fixture_start(fixture);
	*state = fixture;
	return 0;
}

static int free_fixture(void **state)
{
	fixture_free(*state);
	return 0;
}

/* --- without a socket ---------------------------------------------------- */

static void one_that_is_done_at_once_is_answered_at_once(void **state)
{
	struct fixture *fixture = *state;

	fixture->answer = "{\"done\":true}";
	assert_string_equal(fixture_call(fixture, ALL, RELOAD, NULL), DONE);
	assert_int_equal(fixture->cancelled, 0);
}

static void a_one_way_call_is_done_and_not_answered(void **state)
{
	struct fixture *fixture = *state;

	fixture->answer = "{\"done\":true}";
	assert_string_equal(
		fixture_call(fixture, ALL,
			     "{\"method\":\"io.clearconf.Reload\",\"oneway\":"
			     "true}",
			     NULL),
		"");
	assert_non_null(fixture->pending);
}

static void rights_come_first(void **state)
{
	static const struct {
		const char *method, *parameters;
		unsigned int rights;
		const char *missing;
	} calls[] = {
		{"Reload", "{}", ACCESS_READ | ACCESS_SECRETS, "admin"},
		{"UseWorkspace", "{\"name\":\"two\"}", ACCESS_READ, "admin"},
		{"GetToken", "{}", ACCESS_READ | ACCESS_ADMIN, "secrets"},
		{"GetProfile", "{}", ACCESS_ADMIN, "read"},
		{"ListCredentials", "{}", 0, "read"},
		{"CreateCredentials", "{}", ACCESS_READ | ACCESS_ADMIN,
		 "secrets"},
		{"CreateCredentials", "{}", ACCESS_READ | ACCESS_SECRETS,
		 "admin"},
		{"RevokeCredentials", "{\"access_key\":\"A\"}", ACCESS_READ,
		 "admin"},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		_cleanup_(mem_freep) char *call =
			mem_printf("{\"method\":\"io.clearconf.%s\","
				   "\"parameters\":%s}",
				   calls[i].method, calls[i].parameters);
		_cleanup_(mem_freep) char *refusal =
			mem_printf("{\"error\":\"io.clearconf.AccessDenied\","
				   "\"parameters\":{\"right\":\"%s\"}}",
				   calls[i].missing);

		assert_string_equal(
			fixture_call(fixture, calls[i].rights, call, NULL),
			refusal);
	}
	assert_null(fixture->pending);
}

static void it_holds_what_is_asked(void **state)
{
	struct fixture *fixture = *state;

	fixture->keep_pending = true;
	(void)fixture_call(fixture, ACCESS_READ | ACCESS_ADMIN,
			   "{\"method\":\"io.clearconf.RevokeCredentials\","
			   "\"parameters\":{\"access_key\":\"KEY\",\"force\":"
			   "true,\"workspace\":\"two\"}}",
			   NULL);
	assert_string_equal(fixture->pending->method, "RevokeCredentials");
	assert_string_equal(fixture->pending->workspace, "two");
	assert_true(str_is(call_string(&fixture->pending->call, "access_key"),
			   "KEY"));
	assert_true(call_bool(&fixture->pending->call, "force", false));
	assert_true(fixture->pending->masked);
	pending_free(fixture->pending);
	assert_int_equal(fixture->cancelled, 1);
}

static void wrong_parameters_begin_none(void **state)
{
	struct fixture *fixture = *state;

	assert_string_equal(
		fixture_call(fixture, ALL,
			     "{\"method\":\"io.clearconf.GetToken\","
			     "\"parameters\":{\"lifetime\":0}}",
			     NULL),
		INVALID("lifetime"));
	assert_string_equal(
		fixture_call(fixture, ALL,
			     "{\"method\":\"io.clearconf.RotateCredentials\","
			     "\"parameters\":{\"lifetime\":0,\"grace\":-1}}",
			     NULL),
		INVALID("lifetime"));
	assert_string_equal(
		fixture_call(fixture, ALL,
			     "{\"method\":\"io.clearconf.RotateCredentials\","
			     "\"parameters\":{\"grace\":315360001}}",
			     NULL),
		INVALID("grace"));
	assert_string_equal(
		fixture_call(fixture, ALL,
			     "{\"method\":\"io.clearconf.UseWorkspace\","
			     "\"parameters\":{\"name\":\"three\"}}",
			     NULL),
		"{\"error\":\"io.clearconf.UnknownWorkspace\",\"parameters\":"
		"{\"name\":\"three\"}}");
	assert_string_equal(
		fixture_call(fixture, ALL,
			     "{\"method\":\"io.clearconf.UseWorkspace\","
			     "\"parameters\":{\"name\":\"two\\u0000\"}}",
			     NULL),
		"{\"error\":\"io.clearconf.UnknownWorkspace\",\"parameters\":"
		"{\"name\":\"two\\u0000\"}}");
	assert_null(fixture->pending);
}

static void a_servers_refusal_is_told_whole(void **state)
{
	static const struct pending_fault fault = {
		.endpoint = "auth.login",
		.message = "no \"such\" key",
		.status = 401,
		.code = 401,
		.subcode = 22,
	};
	struct fixture *fixture = *state;

	fixture->fault = &fault;
	assert_string_equal(
		fixture_call(fixture, ALL, PROFILE, NULL),
		"{\"error\":\"io.clearconf.ServerError\",\"parameters\":{"
		"\"endpoint\":\"auth.login\",\"status\":401,\"code\":401,"
		"\"subcode\":22,\"message\":\"no \\\"such\\\" key\"}}");
}

/* --- through a socket ---------------------------------------------------- */

/* The call is under way. */
static struct client ask(struct fixture *fixture, const char *call)
{
	struct client client = client_connect(fixture);

	fixture->pending = NULL;
	client_call(&client, call);
	while (!fixture->pending)
		fixture_settle(fixture);
	return client;
}

static void calls_behind_one_wait(void **state)
{
	struct fixture *fixture = *state;
	struct client client = ask(fixture, RELOAD);
	struct client other = client_connect(fixture);

	client_call(&client, GET("a"));
	assert_true(client_hears_nothing(&client));
	client_exchange(&other, GET("a"), GOT("1", "1"));
	pending_succeed(fixture->pending, STR("{\"done\":true}"));
	client_expect(&client, DONE);
	client_expect(&client, GOT("1", "1"));
	client_close(&client);
	client_close(&other);
}

static void what_came_before_is_answered_before(void **state)
{
	struct fixture *fixture = *state;
	struct client client;

	fixture_publish_big(fixture);
	client = client_connect(fixture);
	client_call(&client, GET("big"));
	client_call(&client, PROFILE);
	while (!fixture->pending)
		assert_non_null(client_receive(&client));
	pending_succeed(fixture->pending, STR("{\"done\":true}"));
	client_expect(&client, DONE);
	client_close(&client);
}

static void who_leaves_cancels_it(void **state)
{
	struct fixture *fixture = *state;
	struct client client = ask(fixture, PROFILE);

	client_close(&client);
	while (!fixture->cancelled)
		fixture_settle(fixture);
	assert_null(fixture->pending);
}

static void who_leaves_when_there_is_a_reply_cancels_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct client client = ask(fixture, PROFILE);

	pending_succeed(fixture->pending, STR("{}"));
	client_close(&client);
	fixture_settle(fixture);
	assert_int_equal(fixture->cancelled, 0);
}

static void a_server_that_stops_says_so(void **state)
{
	struct fixture *fixture = *state;
	struct client client = ask(fixture, PROFILE);

	fixture_stop(fixture, 1000);
	client_expect(&client, NOT_READY("clearconfd is stopping"));
	client_close(&client);
	assert_int_equal(fixture->cancelled, 1);
}

static void a_user_has_so_many_at_work_until_he_leaves(void **state)
{
	struct fixture *fixture = *state;
	struct client clients[PENDING_PER_USER + 1];
	struct client *last = &clients[PENDING_PER_USER];

	for (size_t i = 0; i < PENDING_PER_USER; i++)
		clients[i] = ask(fixture, PROFILE);
	*last = client_connect(fixture);
	client_exchange(last, PROFILE,
			"{\"error\":\"io.clearconf.QuotaExceeded\","
			"\"parameters\":{\"quota\":\"calls to the ClearML "
			"server at a time\",\"limit\":8}}");
	client_close(&clients[0]);
	while (!fixture->cancelled)
		fixture_settle(fixture);
	fixture->answer = "{\"done\":true}";
	client_exchange(last, PROFILE, DONE);
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
		client_close(&clients[i]);
	while (fixture->cancelled < PENDING_PER_USER)
		fixture_settle(fixture);
}

#define PLAIN(name)                                                            \
	cmocka_unit_test_setup_teardown(name, make_fixture, free_fixture)
#define SOCKET(name)                                                           \
	cmocka_unit_test_setup_teardown(name, start_fixture, free_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLAIN(one_that_is_done_at_once_is_answered_at_once),
		PLAIN(a_one_way_call_is_done_and_not_answered),
		PLAIN(rights_come_first),
		PLAIN(it_holds_what_is_asked),
		PLAIN(wrong_parameters_begin_none),
		PLAIN(a_servers_refusal_is_told_whole),
		SOCKET(calls_behind_one_wait),
		SOCKET(what_came_before_is_answered_before),
		SOCKET(who_leaves_cancels_it),
		SOCKET(who_leaves_when_there_is_a_reply_cancels_nothing),
		SOCKET(a_server_that_stops_says_so),
		SOCKET(a_user_has_so_many_at_work_until_he_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
