#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/mem.h"
#include "config/snapshot.h"
#include "serve_fixture.h"

static int make_server(void **state)
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

static void a_call_is_answered(void **state)
{
	struct client client = client_connect(*state);

	client_exchange(&client, GET("a"), GOT("1", "1"));
	client_exchange(&client, GET_ALL, GOT("1", "{\"a\":1}"));
	client_close(&client);
}

static void calls_are_answered_in_their_order(void **state)
{
	static const char calls[] =
		GET("a") "\0" GET_ALL "\0nonsense\0" GET("a");
	struct client client = client_connect(*state);

	assert_true(client_send(&client, calls, sizeof(calls)));
	client_expect(&client, GOT("1", "1"));
	client_expect(&client, GOT("1", "{\"a\":1}"));
	client_expect(&client, INVALID("message"));
	client_expect(&client, GOT("1", "1"));
	client_close(&client);
}

static void a_call_may_come_in_pieces(void **state)
{
	static const char call[] = GET("a");
	struct client client = client_connect(*state);

	for (size_t i = 0; i < sizeof(call); i++) {
		assert_true(client_hears_nothing(&client));
		assert_true(client_send(&client, call + i, 1));
	}
	client_expect(&client, GOT("1", "1"));
	client_close(&client);
}

static void a_thousand_calls_at_once_are_all_answered(void **state)
{
	_cleanup_(buf_deinit) struct buf calls = BUF_INIT;
	struct client client = client_connect(*state);

	for (int i = 0; i < 1000; i++)
		buf_add(&calls, GET_ALL, sizeof(GET_ALL));
	assert_true(client_send(&client, calls.data, calls.len));
	for (int i = 0; i < 1000; i++)
		client_expect(&client, GOT("1", "{\"a\":1}"));
	assert_true(client_hears_nothing(&client));
	client_close(&client);
}

static void a_bad_message_does_not_end_the_connection(void **state)
{
	static const struct {
		const char *message, *parameter;
	} cases[] = {
		{"", INVALID("message")},
		{"{", INVALID("message")},
		{"\xff\xfe", INVALID("message")},
		{"{\"method\":1}", INVALID("method")},
		{"{\"method\":\"x\",\"parameters\":3}", INVALID("parameters")},
	};
	struct client client = client_connect(*state);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		client_exchange(&client, cases[i].message, cases[i].parameter);
	client_exchange(&client, GET("a"), GOT("1", "1"));
	client_close(&client);
}

static void a_message_over_the_limit_ends_the_connection(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(mem_freep) char *message =
		mem_alloc((size_t)fixture->limits.message + 1);
	struct client client = client_connect(fixture);
	struct client other = client_connect(fixture);

	memset(message, ' ', (size_t)fixture->limits.message);
	client_exchange(&client, message, INVALID("message"));
	client_exchange(&client, GET("a"), GOT("1", "1"));
	memset(message, ' ', (size_t)fixture->limits.message + 1);
	assert_true(client_send(&client, message,
				(size_t)fixture->limits.message + 1));
	client_expect(&client, INVALID("message"));
	assert_null(client_receive(&client));
	client_exchange(&other, GET("a"), GOT("1", "1"));
	client_close(&client);
	client_close(&other);
}

static void a_flood_without_an_end_is_cut_off(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(mem_freep) char *flood = mem_alloc(FIXTURE_BIG);
	struct client client = client_connect(fixture);
	struct client other = client_connect(fixture);

	memset(flood, 'x', FIXTURE_BIG);
	assert_false(client_send(&client, flood, FIXTURE_BIG));
	client_exchange(&other, GET("a"), GOT("1", "1"));
	assert_int_equal(server_connections(fixture->server), 1);
	client_close(&client);
	client_close(&other);
}

/* Seeded: every run throws the same. */
static void random_bytes_harm_nobody(void **state)
{
	struct fixture *fixture = *state;
	struct client other = client_connect(fixture);
	unsigned int seed = 42;
	char bytes[512];

	for (int i = 0; i < 200; i++) {
		struct client client = client_connect(fixture);

		for (size_t k = 0; k < sizeof(bytes); k++)
			bytes[k] = (char)(rand_r(&seed) >> 7);
		(void)client_send(&client, bytes, sizeof(bytes));
		fixture_settle(fixture);
		client_close(&client);
	}
	client_exchange(&other, GET("a"), GOT("1", "1"));
	client_close(&other);
}

static void a_large_answer_arrives_whole(void **state)
{
	struct fixture *fixture = *state;
	struct client client;
	const char *reply;

	fixture_publish_big(fixture);
	client = client_connect(fixture);
	for (int i = 0; i < 3; i++) {
		client_call(&client, GET_ALL);
		reply = client_receive(&client);
		assert_non_null(reply);
		assert_int_equal(strlen(reply),
				 FIXTURE_BIG +
					 strlen(GOT("3", "{\"a\":1,"
							 "\"big\":\"\"}")));
	}
	client_close(&client);
}

static void a_large_part_arrives_whole(void **state)
{
	struct fixture *fixture = *state;
	struct client client;
	const char *reply;

	fixture_publish_big(fixture);
	client = client_connect(fixture);
	client_call(&client, GET("big"));
	client_call(&client, GET("a"));
	reply = client_receive(&client);
	assert_non_null(reply);
	assert_int_equal(strlen(reply), FIXTURE_BIG + strlen(GOT("3", "\"\"")));
	client_expect(&client, GOT("3", "1"));
	client_close(&client);
}

/* A snapshot that is being sent outlives the next ones. */
static void an_answer_is_of_one_generation(void **state)
{
	struct fixture *fixture = *state;
	struct client client;

	fixture_publish_big(fixture);
	client = client_connect(fixture);
	client_call(&client, GET_ALL);
	fixture_settle(fixture);
	for (int i = 0; i <= FIXTURE_HISTORY; i++)
		fixture_publish(fixture, 0, "{\"a\":7}");
	assert_int_equal(strlen(client_receive(&client)),
			 FIXTURE_BIG +
				 strlen(GOT("3", "{\"a\":1,\"big\":\"\"}")));
	client_exchange(&client, GET("a"), GOT("8", "7"));
	client_close(&client);
}

/* Only what sockets hold was taken: the rest waits in the client. */
static void who_does_not_read_is_not_read_from(void **state)
{
	struct fixture *fixture = *state;
	struct client client;
	size_t sent = 0;
	ssize_t n = 0;

	fixture_publish_big(fixture);
	client = client_connect(fixture);
	while (n >= 0 && sent < FIXTURE_BIG) {
		for (int i = 0; i < 10; i++)
			fixture_settle(fixture);
		n = send(client.fd, GET_ALL, sizeof(GET_ALL), MSG_NOSIGNAL);
		sent += n > 0 ? (size_t)n : 0;
	}
	assert_int_equal(errno, EAGAIN);
	assert_true(sent < FIXTURE_BIG);
	/* One answer is being written and holds its bytes. */
	assert_int_equal(fixture->workspaces[0].snapshot->plain->refs, 2);
	client_close(&client);
	fixture_settle(fixture);
	assert_int_equal(fixture->workspaces[0].snapshot->plain->refs, 1);
}

static void who_dies_during_an_answer_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct client client, other;

	fixture_publish_big(fixture);
	client = client_connect(fixture);
	other = client_connect(fixture);
	client_call(&client, GET_ALL);
	fixture_settle(fixture);
	client_close(&client);
	client_exchange(&other, GET("a"), GOT("3", "1"));
	fixture_settle(fixture);
	assert_int_equal(server_connections(fixture->server), 1);
	client_close(&other);
}

static void who_dies_in_a_message_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;
	struct client client = client_connect(fixture);

	assert_true(client_send(&client, "{\"meth", 7));
	fixture_settle(fixture);
	client_close(&client);
	fixture_settle(fixture);
	assert_int_equal(server_connections(fixture->server), 0);
}

static void who_has_said_all_still_gets_its_answers(void **state)
{
	static const char calls[] = GET("big") "\0" GET("a");
	struct fixture *fixture = *state;
	struct client client;

	fixture_publish_big(fixture);
	client = client_connect(fixture);
	assert_true(client_send(&client, calls, sizeof(calls)));
	shutdown(client.fd, SHUT_WR);
	assert_int_equal(strlen(client_receive(&client)),
			 FIXTURE_BIG + strlen(GOT("3", "\"\"")));
	client_expect(&client, GOT("3", "1"));
	assert_null(client_receive(&client));
	client_close(&client);
}

static void a_half_sent_call_has_its_time(void **state)
{
	struct fixture *fixture = *state;
	struct client half, idle, whole;

	fixture->limits.half_sent = 50;
	server_set_limits(fixture->server, &fixture->limits);
	half = client_connect(fixture);
	idle = client_connect(fixture);
	whole = client_connect(fixture);
	client_exchange(&whole, GET("a"), GOT("1", "1"));
	assert_true(client_send(&half, "{", 1));
	assert_null(client_receive(&half));
	client_exchange(&idle, GET("a"), GOT("1", "1"));
	client_exchange(&whole, GET("a"), GOT("1", "1"));
	client_close(&half);
	client_close(&idle);
	client_close(&whole);
}

static void each_change_reaches_a_watcher(void **state)
{
	struct fixture *fixture = *state;
	struct client client = client_connect(fixture);

	client_exchange(&client, WATCH, TOLD("1", ""));
	fixture_publish(fixture, 0, "{\"a\":5}");
	client_expect(&client, TOLD("3", CHANGED("a")));
	assert_true(client_hears_nothing(&client));
	fixture_publish(fixture, 0, "{\"a\":6}");
	client_expect(&client, TOLD("4", CHANGED("a")));
	client_close(&client);
}

static void calls_behind_a_watch_wait(void **state)
{
	static const char calls[] =
		"{\"method\":\"io.clearconf.Watch\"}\0" GET("a") "\0" WATCH
								 "\0" GET("a");
	struct fixture *fixture = *state;
	struct client client = client_connect(fixture);

	assert_true(client_send(&client, calls, sizeof(calls)));
	assert_true(client_hears_nothing(&client));
	fixture_publish(fixture, 0, "{\"a\":5}");
	client_expect(&client,
		      "{\"parameters\":{\"generation\":3,\"state\":\"ready\","
		      "\"resync\":false,\"skipped\":0,\"changes\":[" CHANGED(
			      "a") "]}}");
	client_expect(&client, GOT("3", "5"));
	client_expect(&client, TOLD("3", ""));
	assert_true(client_hears_nothing(&client));
	client_close(&client);
	fixture_settle(fixture);
	assert_int_equal(server_watchers(fixture->server), 0);
}

static void too_much_behind_a_watch_ends_it(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(mem_freep) char *flood = mem_alloc(FIXTURE_BIG);
	struct client client = client_connect(fixture);

	client_exchange(&client, WATCH, TOLD("1", ""));
	assert_false(client_send(&client, flood, FIXTURE_BIG));
	client_expect(&client, INVALID("message"));
	assert_null(client_receive(&client));
	assert_int_equal(server_watchers(fixture->server), 0);
	client_close(&client);
}

static void a_dead_watcher_is_noticed(void **state)
{
	struct fixture *fixture = *state;
	struct client client = client_connect(fixture);

	client_exchange(&client, WATCH, TOLD("1", ""));
	assert_int_equal(server_watchers(fixture->server), 1);
	client_close(&client);
	fixture_settle(fixture);
	assert_int_equal(server_watchers(fixture->server), 0);
	fixture_publish(fixture, 0, "{\"a\":5}");
	fixture_settle(fixture);
}

#define OVERRUN 100

/* Publish generations until the client's socket is full, and some more. */
static uint64_t overrun(struct fixture *fixture, struct client *client)
{
	_cleanup_(mem_freep) char *filler = mem_alloc(20001);

	memset(filler, 'x', 20000);
	client_call(client, "{\"method\":\"io.clearconf.Watch\",\"more\":true,"
			    "\"parameters\":{\"values\":true}}");
	fixture_settle(fixture);
	for (int i = 0; i < OVERRUN; i++) {
		_cleanup_(mem_freep) char *json = mem_printf(
			"{\"a\":%d,\"filler\":\"%d%s\"}", i, i, filler);

		fixture_publish(fixture, 0, json);
		fixture_settle(fixture);
	}
	return fixture->generation;
}

/* What comes of it after @told changes that were told one by one. */
static bool is_the_rest(const char *reply, uint64_t newest, unsigned int told)
{
	_cleanup_(mem_freep) char *expected = mem_printf(
		"{\"parameters\":{\"generation\":%llu,\"state\":\"ready\","
		"\"resync\":true,\"skipped\":%u,\"changes\":[],"
		"\"value\":{\"a\":99,",
		(unsigned long long)newest, OVERRUN - told - 1);

	return !strncmp(reply, expected, strlen(expected));
}

static void a_slow_watcher_gets_the_newest_state(void **state)
{
	struct fixture *fixture = *state;
	struct client client = client_connect(fixture);
	uint64_t newest = overrun(fixture, &client);
	const char *reply;
	unsigned int told = 0;

	assert_non_null(client_receive(&client));
	while (!is_the_rest(reply = client_receive(&client), newest, told)) {
		assert_non_null(strstr(reply, "\"resync\":false"));
		told++;
	}
	assert_true(told < 50);
	assert_true(client_hears_nothing(&client));
	fixture_publish(fixture, 0, "{\"a\":5}");
	assert_non_null(strstr(client_receive(&client), "\"resync\":false"));
	client_close(&client);
}

static void a_slow_watcher_holds_no_old_generation(void **state)
{
	struct fixture *fixture = *state;
	struct client client = client_connect(fixture);
	struct snapshot *first = snapshot_ref(fixture->workspaces[0].snapshot);

	(void)overrun(fixture, &client);
	assert_int_equal(first->refs, 1);
	snapshot_unref(first);
	client_close(&client);
}

static void many_watchers_are_all_told(void **state)
{
	enum { COUNT = 1200 };
	static struct client clients[COUNT];
	struct fixture *fixture = *state;

	for (size_t i = 0; i < COUNT; i++) {
		clients[i] = client_connect(fixture);
		client_exchange(&clients[i], WATCH, TOLD("1", ""));
	}
	assert_int_equal(server_watchers(fixture->server), COUNT);
	fixture_publish(fixture, 0, "{\"a\":5}");
	for (size_t i = 0; i < COUNT; i++)
		client_expect(&clients[i], TOLD("3", CHANGED("a")));
	for (size_t i = 0; i < COUNT; i++)
		client_close(&clients[i]);
	fixture_settle(fixture);
	assert_int_equal(server_watchers(fixture->server), 0);
}

int main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, make_server, free_fixture)
	static const struct CMUnitTest tests[] = {
		TEST(a_call_is_answered),
		TEST(calls_are_answered_in_their_order),
		TEST(a_call_may_come_in_pieces),
		TEST(a_thousand_calls_at_once_are_all_answered),
		TEST(a_bad_message_does_not_end_the_connection),
		TEST(a_message_over_the_limit_ends_the_connection),
		TEST(a_flood_without_an_end_is_cut_off),
		TEST(random_bytes_harm_nobody),
		TEST(a_large_answer_arrives_whole),
		TEST(a_large_part_arrives_whole),
		TEST(an_answer_is_of_one_generation),
		TEST(who_does_not_read_is_not_read_from),
		TEST(who_dies_during_an_answer_leaves_nothing),
		TEST(who_dies_in_a_message_leaves_nothing),
		TEST(who_has_said_all_still_gets_its_answers),
		TEST(a_half_sent_call_has_its_time),
		TEST(each_change_reaches_a_watcher),
		TEST(calls_behind_a_watch_wait),
		TEST(too_much_behind_a_watch_ends_it),
		TEST(a_dead_watcher_is_noticed),
		TEST(a_slow_watcher_gets_the_newest_state),
		TEST(a_slow_watcher_holds_no_old_generation),
		TEST(many_watchers_are_all_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
