/* Explain and History as peers get them. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "config/explain.h"
#include "config/secrets.h"
#include "config/snapshot.h"
#include "serve/history_reply.h"
#include "serve_fixture.h"

#define READ    ACCESS_READ
#define SECRETS (ACCESS_READ | ACCESS_SECRETS)

#define CALL(method, parameters)                                               \
	"{\"method\":\"io.clearconf." method "\",\"parameters\":" parameters "}"
#define ERROR(name, key, text)                                                 \
	"{\"error\":\"io.clearconf." name "\",\"parameters\":{\"" key          \
	"\":\"" text "\"}}"
#define ORIGIN "\"origin\":{\"layer\":\"file\",\"source\":\"\"}"
#define LEAF(path, value)                                                      \
	"{\"path\":\"" path "\",\"value\":" value "," ORIGIN                   \
	",\"overridden\":[]}"
#define LEAVES(generation, leaves)                                             \
	"{\"parameters\":{\"generation\":" generation ",\"leaves\":[" leaves   \
	"]}}"

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

static void check(struct fixture *fixture, unsigned int rights,
		  const char *call, const char *reply)
{
	assert_string_equal(fixture_call(fixture, rights, call, NULL), reply);
}

/* --- Explain -------------------------------------------------------------- */

static void explain_masks_unless_asked_to_reveal(void **state)
{
	fixture_publish(*state, 0,
			"{\"api\":{\"secret_key\":\"hush-hush\"},"
			"\"note\":\"a hush-hush\"}");
	check(*state, SECRETS, CALL("Explain", "{}"),
	      LEAVES("3", LEAF("api.secret_key", "\"****\"") "," LEAF(
				  "note", "\"a hush-hush\"")));
	check(*state, SECRETS,
	      CALL("Explain", "{\"path\":\"api\",\"reveal\":true}"),
	      LEAVES("3", LEAF("api.secret_key", "\"hush-hush\"")));
	check(*state, READ,
	      CALL("Explain", "{\"path\":\"api\",\"reveal\":false}"),
	      LEAVES("3", LEAF("api.secret_key", "\"****\"")));
	check(*state, READ, CALL("Explain", "{\"reveal\":true}"),
	      ERROR("AccessDenied", "right", "secrets"));
	check(*state, 0, CALL("Explain", "{}"),
	      ERROR("AccessDenied", "right", "read"));
}

static void explain_refuses_paths_as_get_does(void **state)
{
	check(*state, READ, CALL("Explain", "{\"path\":\"no\"}"),
	      ERROR("PathNotFound", "path", "no"));
	check(*state, READ, CALL("Explain", "{\"path\":\"a..\"}"),
	      "{\"error\":\"io.clearconf.InvalidPath\",\"parameters\":"
	      "{\"path\":\"a..\",\"offset\":2,"
	      "\"reason\":\"a key is missing\"}}");
	check(*state, READ, CALL("Explain", "{\"workspace\":\"three\"}"),
	      ERROR("UnknownWorkspace", "name", "three"));
	check(*state, READ, CALL("Explain", "{\"workspace\":\"two\"}"),
	      LEAVES("2", LEAF("a", "2")));
}

static void explain_of_too_much_is_refused(void **state)
{
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;

	buf_puts(&json, "{\"a\":1,\"list\":[0");
	for (size_t i = 0; i < EXPLAIN_VALUES_MAX; i++)
		buf_puts(&json, ",1");
	buf_puts(&json, "]}");
	fixture_publish(*state, 0, buf_str(&json).ptr);
	check(*state, READ, CALL("Explain", "{}"),
	      "{\"error\":\"io.clearconf.QuotaExceeded\",\"parameters\":"
	      "{\"quota\":\"explained_values\",\"limit\":50000}}");
	check(*state, READ, CALL("Explain", "{\"path\":\"a\"}"),
	      LEAVES("3", LEAF("a", "1")));
}

/* --- History -------------------------------------------------------------- */

/* Times are those of the clock. */
static void check_history(struct fixture *fixture, unsigned int rights,
			  const char *parameters, const char *generations)
{
	_cleanup_(mem_freep) char *call = mem_printf(
		"{\"method\":\"io.clearconf.History\",\"parameters\":%s}",
		parameters);
	_cleanup_(mem_freep) char *reply =
		mem_strdup(fixture_call(fixture, rights, call, NULL));
	_cleanup_(mem_freep) char *expected = mem_printf(
		"{\"parameters\":{\"generations\":[%s]}}", generations);
	char *time = reply, *end;

	while ((time = strstr(time, "\"time\":"))) {
		time += strlen("\"time\":");
		end = strchr(time, ',');
		assert_non_null(end);
		memmove(time, end, strlen(end) + 1);
	}
	assert_string_equal(reply, expected);
}

#define GENERATION(number, changes)                                            \
	"{\"generation\":" number                                              \
	",\"time\":,\"cause\":\"start\",\"changes\":[" changes "]}"
#define CHANGE(path, kind, values)                                             \
	"{\"path\":\"" path "\",\"kind\":\"" kind "\"," values "," ORIGIN "}"

static void history_tells_the_newest_first(void **state)
{
	fixture_publish(*state, 0, "{\"a\":2,\"b\":{\"c\":1,\"d\":{}}}");
	fixture_publish(*state, 0, "{\"b\":{\"c\":[1]}}");
	check_history(
		*state, READ, "{}",
		GENERATION(
			"4",
			CHANGE("a", "removed", "\"old\":2") "," CHANGE("b.d", "removed", "\"old\":{}") "," CHANGE(
				"b.c", "changed",
				"\"old\":1,\"new\":"
				"[1]")) "," GENERATION("3",
						       CHANGE("a", "changed", "\"old\":1,\"new\":2") "," CHANGE(
							       "b.c", "added",
							       "\"new\":1") "," CHANGE("b.d",
										       "added",
										       "\"new\":{}")) "," GENERATION("1",
														     ""));
	check_history(*state, READ, "{\"workspace\":\"two\"}",
		      GENERATION("2", ""));
}

static void history_is_as_long_as_asked(void **state)
{
	fixture_publish(*state, 0, "{\"a\":2}");
	check_history(*state, READ, "{\"limit\":0}", "");
	check_history(
		*state, READ, "{\"limit\":1}",
		GENERATION("3", CHANGE("a", "changed", "\"old\":1,\"new\":2")));
	check(*state, READ, CALL("History", "{\"limit\":-1}"),
	      INVALID("limit"));
	check(*state, READ, CALL("History", "{\"limit\":\"1\"}"),
	      INVALID("limit"));
}

/* The fixture keeps FIXTURE_HISTORY of them. */
static void what_the_oldest_changed_is_not_told_when_it_is_not_known(
	void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < FIXTURE_HISTORY; i++) {
		_cleanup_(mem_freep) char *json =
			mem_printf("{\"a\":%zu}", i + 10);

		fixture_publish(fixture, 0, json);
		fixture->workspaces[0].snapshot->cause = CAUSE_FILE;
	}
	assert_int_equal(history_get(&fixture->workspaces[0].history,
				     FIXTURE_HISTORY - 1)
				 ->generation,
			 3);
	assert_non_null(
		strstr(fixture_call(fixture, READ, CALL("History", "{}"), NULL),
		       "{\"generation\":4,"));
	assert_null(
		strstr(fixture_call(fixture, READ, CALL("History", "{}"), NULL),
		       "{\"generation\":3,"));
}

/* What was no secret when it was written, and is one now. */
static void history_masks_by_what_is_known_now(void **state)
{
	struct fixture *fixture = *state;

	fixture_publish(fixture, 0, "{\"note\":\"hush-hush\"}");
	fixture_publish(fixture, 0, "{\"pass\":\"hush-hush\"}");
	secrets_learn(fixture->secrets, fixture->workspaces[0].snapshot->root);
	check_history(
		fixture, SECRETS, "{\"limit\":1}",
		GENERATION("4",
			   CHANGE("note", "removed",
				  "\"old\":\"****\"") "," CHANGE("pass",
								 "added",
								 "\"new\":\"***"
								 "*\"")));
	check_history(
		fixture, SECRETS, "{\"limit\":1,\"reveal\":true}",
		GENERATION(
			"4",
			CHANGE("note", "removed",
			       "\"old\":\"hush-hush\"") "," CHANGE("pass",
								   "added",
								   "\"new\":"
								   "\"hush-"
								   "hush\"")));
	check(*state, READ, CALL("History", "{\"reveal\":true}"),
	      ERROR("AccessDenied", "right", "secrets"));
}

static void a_long_history_is_cut_at_its_old_end(void **state)
{
	const char *reply;

	fixture_publish_big(*state);
	fixture_publish(*state, 0, "{\"a\":1}");
	fixture_publish_big(*state);
	reply = fixture_call(*state, READ, CALL("History", "{}"), NULL);
	assert_non_null(strstr(reply, "{\"generation\":5,"));
	assert_non_null(strstr(reply, "{\"generation\":4,"));
	assert_null(strstr(reply, "{\"generation\":3,"));
	assert_in_range(strlen(reply), HISTORY_REPLY_MAX,
			4 * HISTORY_REPLY_MAX);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, make_fixture, free_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(explain_masks_unless_asked_to_reveal),
		TEST(explain_refuses_paths_as_get_does),
		TEST(explain_of_too_much_is_refused),
		TEST(history_tells_the_newest_first),
		TEST(history_is_as_long_as_asked),
		TEST(what_the_oldest_changed_is_not_told_when_it_is_not_known),
		TEST(history_masks_by_what_is_known_now),
		TEST(a_long_history_is_cut_at_its_old_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
