/* Who has which configuration, and what programs tell of themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config/snapshot.h"
#include "serve/consumer.h"
#include "serve_fixture.h"

#define REPORT(parameters)                                                     \
	"{\"method\":\"io.clearconf.ReportConsumer\",\"parameters\":{"         \
	"\"how\":\"exec\"" parameters "}}"
#define DONE "{\"parameters\":{}}"

static int make_fixture(void **state)
{
	*state = fixture_new();
	return 0;
}

static int free_fixture(void **state)
{
	fixture_free(*state);
	return 0;
}

/* The connection ends, and there is another. */
static void reconnect(struct fixture *fixture)
{
	consumer_deinit(&fixture->consumer);
	consumer_init(&fixture->consumer, &fixture->consumers, &fixture->peer);
}

static const char *tell(struct fixture *fixture, const char *message)
{
	return fixture_call(fixture, ACCESS_READ, message, NULL);
}

static bool may_read(const void *data, const char *workspace)
{
	return !data || !strcmp(data, workspace);
}

/* Times, which are not in the future, are taken out of @text. */
static void without_times(char *text)
{
	char *at = text, *number;
	size_t len;

	while ((at = strstr(at, "since\":"))) {
		number = at + strlen("since\":");
		len = strspn(number, "0123456789");
		if (len > 1 && strncmp(at - 8, "pending_", 8) != 0) {
			assert_true(strtoll(number, NULL, 10) <=
				    clock_wall_s());
			memmove(number, number + len, strlen(number + len) + 1);
		}
		at = number;
	}
}

static void assert_shown(const char *json, const char *expected)
{
	char *text = mem_strdup(json);

	without_times(text);
	assert_string_equal(text, expected);
	mem_free(text);
}

/* @of: the one workspace that may be read. */
static void assert_told(struct fixture *fixture, const char *of,
			const char *expected)
{
	struct consumer_reader reader = {fixture->secrets, may_read, of};
	struct buf json = BUF_INIT;

	consumers_write(&fixture->consumers, &reader, &json);
	assert_shown(buf_str(&json).ptr, expected);
	buf_deinit(&json);
}

static void what_is_told_is_told_anew(void **state)
{
	struct fixture *fixture = *state;

	assert_told(fixture, NULL, "[]");
	assert_string_equal(tell(fixture, REPORT(",\"command\":\"a\"")), DONE);
	assert_told(fixture, NULL,
		    "[{\"uid\":4100001,\"how\":\"exec\","
		    "\"workspace\":\"one\",\"since\":,\"command\":\"a\"}]");
	assert_string_equal(
		tell(fixture, REPORT(",\"child\":7,\"pending_since\":9,"
				     "\"waiting_for\":\"b\",\"generation\":2,"
				     "\"child_generation\":1,"
				     "\"workspace\":\"two\"")),
		DONE);
	assert_told(fixture, NULL,
		    "[{\"uid\":4100001,\"how\":\"exec\",\"workspace\":\"two\","
		    "\"since\":,\"generation\":2,\"held_since\":,\"child\":7,"
		    "\"child_generation\":1,\"pending_since\":9,"
		    "\"waiting_for\":\"b\"}]");
	assert_told(fixture, "one", "[]");
	reconnect(fixture);
	assert_told(fixture, NULL, "[]");
}

static int64_t since_of(const struct consumer_row *row,
			const struct secrets *secrets)
{
	struct buf json = BUF_INIT;
	int64_t since;

	consumer_row_write(row, secrets, &json);
	since = strtoll(strstr(buf_str(&json).ptr, "since\":") + 7, NULL, 10);
	buf_deinit(&json);
	return since;
}

/* The seconds of the two clocks do not end together. */
static void since_when_somebody_is_there_does_not_waver(void **state)
{
	struct fixture *fixture = *state;
	struct consumer_row row = {.how = "get", .workspace = "one"};
	int64_t now = clock_boot_ms();

	for (int64_t i = 0; i < 1000; i++) {
		row.since = now - i;
		assert_int_equal(since_of(&row, fixture->secrets),
				 clock_wall_of(row.since));
	}
}

static void nothing_long_is_kept(void **state)
{
	struct fixture *fixture = *state;
	char message[1024], *words = mem_alloc(301);

	memset(words, 'x', 300);
	(void)snprintf(message, sizeof(message),
		       REPORT(",\"waiting_for\":\"%s\""), words);
	assert_string_equal(tell(fixture, message), INVALID("waiting_for"));
	assert_string_equal(tell(fixture, REPORT(",\"child\":-1")),
			    INVALID("child"));
	assert_string_equal(tell(fixture, REPORT(",\"child\":4294967297")),
			    INVALID("child"));
	assert_string_equal(tell(fixture, REPORT(",\"pending_since\":-1")),
			    INVALID("pending_since"));
	assert_null(fixture->consumer.report);
	mem_free(words);
}

static void one_user_has_so_many_and_no_more(void **state)
{
	struct fixture *fixture = *state;
	struct consumer others[2];

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		consumer_init(&others[i], &fixture->consumers, &fixture->peer);
		fixture->asks = &others[i];
		assert_string_equal(tell(fixture, REPORT("")), DONE);
	}
	fixture->asks = NULL;
	assert_string_equal(tell(fixture, REPORT("")),
			    "{\"error\":\"io.clearconf.QuotaExceeded\","
			    "\"parameters\":{\"quota\":\"consumers of a "
			    "user\",\"limit\":2}}");
	assert_null(fixture->consumer.report);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		consumer_deinit(&others[i]);
	assert_string_equal(tell(fixture, REPORT("")), DONE);
}

static void who_may_not_read_may_not_tell(void **state)
{
	struct fixture *fixture = *state;

	assert_string_equal(
		fixture_call(fixture, ACCESS_ADMIN, REPORT(""), NULL),
		"{\"error\":\"io.clearconf.AccessDenied\","
		"\"parameters\":{\"right\":\"read\"}}");
	assert_null(fixture->consumer.report);
}

/* --- every connection ----------------------------------------------------- */

#define LIST      "{\"method\":\"io.clearconf.ListConsumers\"}"
#define LISTED(s) "{\"parameters\":{\"consumers\":[" s "]}}"
#define HAS(how, workspace, generation)                                        \
	"{\"uid\":4100001,\"how\":\"" how "\",\"workspace\":\"" workspace      \
	"\",\"since\":,\"generation\":" generation ",\"held_since\":"
#define ONE(how, workspace, generation) HAS(how, workspace, generation) "}"
#define BEHIND(how, workspace, generation, seconds)                            \
	HAS(how, workspace, generation) ",\"behind\":" seconds "}"

static void assert_listed(struct fixture *fixture, unsigned int rights,
			  const char *expected)
{
	struct consumer asks;

	consumer_init(&asks, &fixture->consumers, &fixture->asker);
	fixture->asks = &asks;
	assert_shown(fixture_call(fixture, rights, LIST, NULL), expected);
	fixture->asks = NULL;
	consumer_deinit(&asks);
}

static void who_was_given_something_is_listed(void **state)
{
	struct fixture *fixture = *state;

	assert_listed(fixture, ACCESS_READ, LISTED(""));
	(void)tell(fixture, GET("nothing.there"));
	assert_listed(fixture, ACCESS_READ, LISTED(""));
	(void)tell(fixture, GET("a"));
	assert_listed(fixture, ACCESS_READ, LISTED(ONE("get", "one", "1")));
	fixture_publish(fixture, 0, "{\"a\": 3}");
	fixture->workspaces[0].snapshot->time = time(NULL);
	assert_listed(fixture, ACCESS_READ,
		      LISTED(BEHIND("get", "one", "1", "0")));
	(void)tell(fixture, GET_ALL);
	assert_listed(fixture, ACCESS_READ, LISTED(ONE("get", "one", "3")));
	reconnect(fixture);
	assert_listed(fixture, ACCESS_READ, LISTED(""));
	assert_true(list_is_empty(&fixture->consumers.holdings));
}

/* Each connection is listed once, whatever it did first. */
static void who_reports_after_a_get_is_one_that_reports(void **state)
{
	struct fixture *fixture = *state;
	struct consumer other;

	(void)tell(fixture, GET("a"));
	consumer_init(&other, &fixture->consumers, &fixture->peer);
	fixture->asks = &other;
	(void)tell(fixture, GET("a"));
	assert_string_equal(tell(fixture, REPORT(",\"generation\":1")), DONE);
	assert_listed(
		fixture, ACCESS_READ,
		LISTED(ONE("exec", "one", "1") "," ONE("get", "one", "1")));
	(void)tell(fixture, GET("a"));
	assert_int_equal(fixture->consumers.count, 2);
	consumer_deinit(&other);
	assert_listed(fixture, ACCESS_READ, LISTED(ONE("get", "one", "1")));
}

static void a_watcher_holds_what_it_was_told(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *watcher;

	(void)fixture_call(fixture, ACCESS_READ, WATCH, &watcher);
	assert_listed(fixture, ACCESS_READ, LISTED(ONE("watch", "one", "1")));
	fixture_publish(fixture, 0, "{\"a\": 3}");
	fixture->workspaces[0].snapshot->time = time(NULL) + 60;
	assert_listed(fixture, ACCESS_READ,
		      LISTED(BEHIND("watch", "one", "1", "0")));
	(void)fixture_tell(fixture, watcher, ACCESS_READ, NULL);
	assert_listed(fixture, ACCESS_READ, LISTED(ONE("watch", "one", "3")));
	watcher_free(watcher);
}

/* It may say anything: a generation of one workspace is not another's. */
static void what_is_reported_does_not_mislead_a_watch(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *watcher;
	struct consumer both;

	consumer_init(&both, &fixture->consumers, &fixture->peer);
	fixture->asks = &both;
	assert_string_equal(tell(fixture, REPORT(",\"generation\":2")), DONE);
	(void)fixture_call(fixture, ACCESS_READ,
			   "{\"method\":\"io.clearconf.Watch\",\"more\":true,"
			   "\"parameters\":{\"workspace\":\"two\"}}",
			   &watcher);
	assert_string_equal(fixture_tell(fixture, watcher, ACCESS_READ, NULL),
			    "");
	watcher_free(watcher);
	fixture->asks = NULL;
	consumer_deinit(&both);
}

static void without_the_right_one_sees_ones_own(void **state)
{
	struct fixture *fixture = *state;

	(void)tell(fixture, GET("a"));
	assert_listed(fixture, 0, LISTED(""));
	assert_listed(fixture, ACCESS_ADMIN | ACCESS_SECRETS, LISTED(""));
	fixture->peer = fixture_peer(0);
	assert_listed(fixture, 0,
		      LISTED("{\"uid\":4100000,\"how\":\"get\","
			     "\"workspace\":\"one\",\"since\":,"
			     "\"generation\":1,\"held_since\":}"));
}

/* More than are named at once. */
static void many_are_listed_by_a_job(void **state)
{
	struct fixture *fixture = *state;
	struct consumer many[100];
	size_t found = 0;
	struct consumer asks;
	const char *at;

	for (size_t i = 0; i < ARRAY_SIZE(many); i++) {
		consumer_init(&many[i], &fixture->consumers, &fixture->peer);
		fixture->asks = &many[i];
		(void)tell(fixture, GET("a"));
	}
	assert_int_equal(fixture->consumers.count, ARRAY_SIZE(many));
	consumer_init(&asks, &fixture->consumers, &fixture->asker);
	fixture->asks = &asks;
	at = fixture_call(fixture, ACCESS_READ, LIST, NULL);
	while ((at = strstr(at, "\"how\":\"get\""))) {
		found++;
		at++;
	}
	assert_int_equal(found, ARRAY_SIZE(many));
	fixture->asks = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(many); i++)
		consumer_deinit(&many[i]);
	assert_int_equal(fixture->consumers.count, 0);
	assert_true(list_is_empty(&fixture->consumers.reporting));
	assert_true(list_is_empty(&fixture->consumers.silent));
	assert_true(list_is_empty(&fixture->consumers.holdings));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_told_is_told_anew,
						make_fixture, free_fixture),
		cmocka_unit_test_setup_teardown(
			since_when_somebody_is_there_does_not_waver,
			make_fixture, free_fixture),
		cmocka_unit_test_setup_teardown(nothing_long_is_kept,
						make_fixture, free_fixture),
		cmocka_unit_test_setup_teardown(
			one_user_has_so_many_and_no_more, make_fixture,
			free_fixture),
		cmocka_unit_test_setup_teardown(who_may_not_read_may_not_tell,
						make_fixture, free_fixture),
		cmocka_unit_test_setup_teardown(
			who_was_given_something_is_listed, make_fixture,
			free_fixture),
		cmocka_unit_test_setup_teardown(
			who_reports_after_a_get_is_one_that_reports,
			make_fixture, free_fixture),
		cmocka_unit_test_setup_teardown(
			a_watcher_holds_what_it_was_told, make_fixture,
			free_fixture),
		cmocka_unit_test_setup_teardown(
			what_is_reported_does_not_mislead_a_watch, make_fixture,
			free_fixture),
		cmocka_unit_test_setup_teardown(
			without_the_right_one_sees_ones_own, make_fixture,
			free_fixture),
		cmocka_unit_test_setup_teardown(many_are_listed_by_a_job,
						make_fixture, free_fixture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
