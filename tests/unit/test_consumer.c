/* What programs tell of themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
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
	struct fixture *fixture = *state;

	consumer_free(TAKE(fixture->consumer));
	fixture_free(fixture);
	return 0;
}

static const char *tell(struct fixture *fixture, const char *message)
{
	return fixture_call(fixture, ACCESS_READ, message, NULL);
}

static bool may_read(const void *data, const char *workspace)
{
	return !data || !strcmp(data, workspace);
}

/* Times are taken out of it. @of: the one workspace that may be read. */
static char *told(struct fixture *fixture, const char *of)
{
	struct consumer_reader reader = {fixture->secrets, may_read, of};
	struct buf json = BUF_INIT;
	char *since, *text;
	size_t len;

	consumers_write(&fixture->consumers, &reader, &json);
	text = mem_strdup(buf_str(&json).ptr);
	buf_deinit(&json);
	since = strstr(text, "\"since\":");
	if (since) {
		len = strcspn(since, ",}");
		assert_true(strtoll(since + 8, NULL, 10) - time(NULL) <= 0);
		memmove(since, since + len + (since[len] == ','),
			strlen(since + len) + 1 - (since[len] == ','));
	}
	return text;
}

static void assert_told(struct fixture *fixture, const char *of,
			const char *expected)
{
	char *text = told(fixture, of);

	assert_string_equal(text, expected);
	mem_free(text);
}

static void what_is_told_is_told_anew(void **state)
{
	struct fixture *fixture = *state;

	assert_told(fixture, NULL, "[]");
	assert_string_equal(tell(fixture, REPORT(",\"command\":\"a\"")), DONE);
	assert_told(fixture, NULL,
		    "[{\"uid\":4100001,\"how\":\"exec\",\"command\":\"a\","
		    "\"workspace\":\"one\",}]");
	assert_string_equal(
		tell(fixture, REPORT(",\"child\":7,\"pending_since\":9,"
				     "\"waiting_for\":\"b\","
				     "\"workspace\":\"two\"")),
		DONE);
	assert_told(fixture, NULL,
		    "[{\"uid\":4100001,\"how\":\"exec\",\"workspace\":\"two\","
		    "\"child\":7,\"pending_since\":9,\"waiting_for\":\"b\"}]");
	assert_told(fixture, "one", "[]");
	consumer_free(TAKE(fixture->consumer));
	assert_told(fixture, NULL, "[]");
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
	assert_null(fixture->consumer);
	mem_free(words);
}

static void one_user_has_so_many_and_no_more(void **state)
{
	struct fixture *fixture = *state;
	struct consumer *some[2];

	for (size_t i = 0; i < ARRAY_SIZE(some); i++) {
		assert_string_equal(tell(fixture, REPORT("")), DONE);
		some[i] = TAKE(fixture->consumer);
	}
	assert_string_equal(tell(fixture, REPORT("")),
			    "{\"error\":\"io.clearconf.QuotaExceeded\","
			    "\"parameters\":{\"quota\":\"consumers of a "
			    "user\",\"limit\":2}}");
	assert_null(fixture->consumer);
	for (size_t i = 0; i < ARRAY_SIZE(some); i++)
		consumer_free(some[i]);
	assert_string_equal(tell(fixture, REPORT("")), DONE);
	consumer_free(TAKE(fixture->consumer));
}

static void who_may_not_read_may_not_tell(void **state)
{
	struct fixture *fixture = *state;

	assert_string_equal(
		fixture_call(fixture, ACCESS_ADMIN, REPORT(""), NULL),
		"{\"error\":\"io.clearconf.AccessDenied\","
		"\"parameters\":{\"right\":\"read\"}}");
	assert_null(fixture->consumer);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_told_is_told_anew,
						make_fixture, free_fixture),
		cmocka_unit_test_setup_teardown(nothing_long_is_kept,
						make_fixture, free_fixture),
		cmocka_unit_test_setup_teardown(
			one_user_has_so_many_and_no_more, make_fixture,
			free_fixture),
		cmocka_unit_test_setup_teardown(who_may_not_read_may_not_tell,
						make_fixture, free_fixture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
