#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/watcher_calls.h"
#include "base/mem.h"
#include "config/snapshot.h"

static void check_last(struct fixture *fixture, struct watcher *watcher,
		       const char *reply)
{
	bool ended;

	assert_string_equal(fixture_tell(fixture, watcher, SECRETS, &ended),
			    reply);
	assert_true(ended);
	watcher_free(watcher);
}

static void a_watch_is_acknowledged_at_once(void **state)
{
	watcher_free(start(*state, READ, MORE("{}"), CHANGES("1", "")));
	watcher_free(start(*state, READ, MORE("null"), CHANGES("1", "")));
	watcher_free(start(*state, READ, MORE("{\"workspace\":\"two\"}"),
			   CHANGES("2", "")));
}

static void the_first_reply_has_values_when_asked(void **state)
{
	watcher_free(start(
		*state, READ, MORE("{\"values\":true}"),
		SAID("1", "false", "0", "\"changes\":[],\"value\":{\"a\":1}")));
	watcher_free(start(
		*state, READ,
		MORE("{\"values\":true,\"paths\":[\"a\",\"b\",\"\\\"a\\\"\"]}"),
		SAID("1", "false", "0",
		     "\"changes\":[],\"value\":{\"a\":1,\"\\\"a\\\"\":1}")));
}

static void changes_come_leaf_by_leaf_and_in_order(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *watcher =
		start(fixture, READ, MORE("{}"), CHANGES("1", ""));

	fixture_publish(fixture, 0,
			"{\"z\":{\"y\":1,\"x\":[1,2]},\"b\":{},\"a\":2}");
	check_told(fixture, watcher,
		   CHANGES("3", CHANGED("a") "," ADDED("b") "," ADDED(
					"z.x") "," ADDED("z.y")));
	fixture_publish(fixture, 0, "{\"z\":{\"x\":[2,1]},\"a\":2}");
	check_told(fixture, watcher,
		   CHANGES("4",
			   REMOVED("b") "," REMOVED("z.y") "," CHANGED("z.x")));
	check_told(fixture, watcher, "");
	watcher_free(watcher);
}

static void old_and_new_come_with_values(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *watcher = start(
		fixture, READ, MORE("{\"values\":true}"),
		SAID("1", "false", "0", "\"changes\":[],\"value\":{\"a\":1}"));

	fixture_publish(fixture, 0, "{\"a\":{\"b\":null}}");
	check_told(fixture, watcher,
		   CHANGES("3", "{\"path\":\"a\",\"kind\":\"removed\","
				"\"old\":1," ORIGIN "},"
				"{\"path\":\"a.b\",\"kind\":\"added\","
				"\"new\":null," ORIGIN "}"));
	fixture_publish(fixture, 0, "{\"a\":{\"b\":\"x\"}}");
	check_told(fixture, watcher,
		   CHANGES("4", "{\"path\":\"a.b\",\"kind\":\"changed\","
				"\"old\":null,\"new\":\"x\"," ORIGIN "}"));
	watcher_free(watcher);
}

static void only_what_was_asked_for_is_told(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *watcher =
		start(fixture, READ,
		      MORE("{\"paths\":[\"b\",\"c.d\",\"c\",\"l.1\"]}"),
		      CHANGES("1", ""));

	fixture_publish(fixture, 0, "{\"a\":2}");
	check_told(fixture, watcher, "");
	fixture_publish(fixture, 0,
			"{\"a\":3,\"b\":1,\"c\":{\"d\":1},\"l\":[1,2]}");
	check_told(fixture, watcher,
		   CHANGES("4", ADDED("b") "," ADDED("c.d") "," ADDED("l.1")));
	fixture_publish(fixture, 0,
			"{\"a\":4,\"b\":1,\"c\":{\"d\":1},\"l\":[7,2]}");
	check_told(fixture, watcher, "");
	watcher_free(watcher);
}

static void a_path_is_told_as_all_are_however_it_was_asked_for(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *watcher =
		start(fixture, READ, MORE("{\"paths\":[\"\\\"a\\\"\"]}"),
		      CHANGES("1", ""));

	fixture_publish(fixture, 0, "{\"a\":2}");
	check_told(fixture, watcher, CHANGES("3", CHANGED("a")));
	watcher_free(watcher);
}

static void a_difference_that_cancels_out_is_not_told(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *watcher =
		start(fixture, READ, MORE("{}"), CHANGES("1", ""));

	fixture_publish(fixture, 0, "{\"a\":9}");
	fixture_publish(fixture, 0, "{\"a\":1}");
	check_told(fixture, watcher, "");
	fixture_publish(fixture, 0, "{\"a\":2}");
	check_told(fixture, watcher, CHANGES("5", CHANGED("a")));
	watcher_free(watcher);
}

/* What others overrule is not overruled in each view. */
static void who_watches_documents_is_told_of_those(void **state)
{
	struct fixture *f = *state;
	struct watcher *plain = start(f, READ, MORE("{}"), CHANGES("1", ""));
	struct watcher *documents =
		start(f, READ, MORE("{\"documents\":true,\"paths\":[\"b\"]}"),
		      CHANGES("1", ""));

	f->workspaces[0].snapshot->edition++;
	check_told(f, plain, "");
	check_told(f, documents, CHANGES("1", ""));
	check_told(f, documents, "");
	fixture_publish(f, 0, "{\"a\":7}");
	f->workspaces[0].snapshot->edition = 2;
	check_told(f, documents, CHANGES("3", ""));
	watcher_free(plain);
	watcher_free(documents);
}

static void who_watches_states_is_told_of_those(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *both = start(fixture, READ, MORE("{\"states\":true}"),
				     CHANGES("1", ""));
	struct watcher *other =
		start(fixture, READ, MORE("{}"), CHANGES("1", ""));

	fixture->workspaces[0].state = "degraded";
	fixture->workspaces[0].shown = "refused";
	check_told(fixture, both,
		   "{\"parameters\":{\"generation\":1,\"state\":\"refused\","
		   "\"resync\":false,\"skipped\":0,\"changes\":[]},"
		   "\"continues\":true}");
	check_told(fixture, both, "");
	check_told(fixture, other, "");
	fixture->workspaces[0].state = "ready";
	fixture->workspaces[0].shown = NULL;
	check_told(fixture, both, CHANGES("1", ""));
	watcher_free(both);
	watcher_free(other);
}

static void who_was_slow_gets_one_reply_for_all(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *watcher =
		start(fixture, READ, MORE("{}"), CHANGES("1", ""));

	fixture_publish(fixture, 0, "{\"a\":1,\"b\":1}");
	fixture_publish(fixture, 0, "{\"a\":1,\"b\":1,\"c\":1}");
	fixture_publish(fixture, 0, "{\"a\":1,\"c\":1}");
	check_told(fixture, watcher,
		   SAID("5", "false", "2", "\"changes\":[" ADDED("c") "]"));
	watcher_free(watcher);
}

static void who_was_away_too_long_starts_anew(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *watcher =
		start(fixture, READ, MORE("{}"), CHANGES("1", ""));
	struct watcher *part =
		start(fixture, READ, MORE("{\"paths\":[\"a\",\"b\"]}"),
		      CHANGES("1", ""));

	for (int i = 0; i < FIXTURE_HISTORY; i++)
		fixture_publish(fixture, 0, i % 2 ? "{\"a\":5}" : "{\"a\":6}");
	check_told(
		fixture, watcher,
		SAID("6", "true", "3", "\"changes\":[],\"value\":{\"a\":5}"));
	check_told(
		fixture, part,
		SAID("6", "true", "3", "\"changes\":[],\"value\":{\"a\":5}"));
	fixture_publish(fixture, 0, "{\"a\":7}");
	check_told(fixture, watcher, CHANGES("7", CHANGED("a")));
	watcher_free(watcher);
	watcher_free(part);
}

static void since_tells_what_was_missed(void **state)
{
	struct fixture *fixture = *state;

	fixture_publish(fixture, 0, "{\"a\":5}");
	fixture_publish(fixture, 0, "{\"a\":6,\"b\":1}");
	watcher_free(
		start(fixture, READ, MORE("{\"since\":1}"),
		      SAID("4", "false", "1",
			   "\"changes\":[" CHANGED("a") "," ADDED("b") "]")));
	/* 2 was the other workspace's: this one still stood at 1. */
	watcher_free(
		start(fixture, READ, MORE("{\"since\":2}"),
		      SAID("4", "false", "1",
			   "\"changes\":[" CHANGED("a") "," ADDED("b") "]")));
	watcher_free(start(fixture, READ, MORE("{\"since\":3}"),
			   CHANGES("4", CHANGED("a") "," ADDED("b"))));
	watcher_free(
		start(fixture, READ, MORE("{\"since\":4}"), CHANGES("4", "")));
	watcher_free(start(fixture, READ, MORE("{\"since\":3,\"values\":true}"),
			   SAID("4", "false", "0",
				"\"changes\":[],\"value\":{\"a\":6,\"b\":1}")));
}

static void since_out_of_reach_is_a_resync(void **state)
{
#define RESYNC(skipped)                                                        \
	SAID("1", "true", skipped, "\"changes\":[],\"value\":{\"a\":1}")
	watcher_free(start(*state, READ, MORE("{\"since\":2}"), RESYNC("0")));
	watcher_free(start(*state, READ, MORE("{\"since\":9007199254740993}"),
			   RESYNC("0")));
	watcher_free(start(*state, READ, MORE("{\"since\":0}"), RESYNC("0")));
	assert_string_equal(
		fixture_call(*state, READ, MORE("{\"since\":-1}"), NULL),
		"{\"error\":\"org.varlink.service.InvalidParameter\","
		"\"parameters\":{\"parameter\":\"since\"}}");
}

static void without_more_there_is_one_reply(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *watcher = start(fixture, READ, ONCE("{}"), "");

	check_told(fixture, watcher, "");
	fixture_publish(fixture, 1, "{\"a\":9}");
	check_told(fixture, watcher, "");
	fixture_publish(fixture, 0, "{\"a\":9}");
	check_last(fixture, watcher,
		   LAST("4", "\"changes\":[" CHANGED("a") "]"));
}

static void without_more_what_was_missed_comes_at_once(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *watcher;

	fixture_publish(fixture, 0, "{\"a\":5}");
	assert_string_equal(
		fixture_call(fixture, READ, ONCE("{\"since\":1}"), NULL),
		LAST("3", "\"changes\":[" CHANGED("a") "]"));
	assert_string_equal(fixture_call(fixture, READ,
					 ONCE("{\"since\":1,\"values\":true}"),
					 NULL),
			    LAST("3", "\"changes\":[],\"value\":{\"a\":5}"));
	watcher = start(fixture, READ, ONCE("{\"since\":1,\"paths\":[\"b\"]}"),
			"");
	fixture_publish(fixture, 0, "{\"b\":5}");
	check_last(fixture, watcher, LAST("4", "\"changes\":[" ADDED("b") "]"));
}

static void without_more_values_are_both(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *watcher =
		start(fixture, READ, ONCE("{\"values\":true}"), "");

	fixture_publish(fixture, 0, "{\"a\":5}");
	check_last(fixture, watcher,
		   LAST("3",
			"\"changes\":[{\"path\":\"a\","
			"\"kind\":\"changed\",\"old\":1,\"new\":5," ORIGIN "}],"
			"\"value\":{\"a\":5}"));
}

static void a_secret_is_told_to_have_changed_but_not_shown(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *masked, *revealed;

	fixture_publish(fixture, 0, "{\"secret_key\":\"old-secret\"}");
	masked = start(fixture, SECRETS, MORE("{\"values\":true}"),
		       SAID("3", "false", "0",
			    "\"changes\":[],"
			    "\"value\":{\"secret_key\":\"****\"}"));
	revealed = start(fixture, SECRETS,
			 MORE("{\"values\":true,\"reveal\":true,"
			      "\"paths\":[\"secret_key\"]}"),
			 SAID("3", "false", "0",
			      "\"changes\":[],"
			      "\"value\":{\"secret_key\":\"old-secret\"}"));
	fixture_publish(fixture, 0, "{\"secret_key\":\"new-secret\"}");
	check_told(fixture, masked,
		   CHANGES("4",
			   "{\"path\":\"secret_key\",\"kind\":\"changed\","
			   "\"old\":\"****\",\"new\":\"****\"," ORIGIN "}"));
	check_told(fixture, revealed,
		   CHANGES("4", "{\"path\":\"secret_key\",\"kind\":\"changed\","
				"\"old\":\"old-secret\","
				"\"new\":\"new-secret\"," ORIGIN "}"));
	watcher_free(masked);
	watcher_free(revealed);
}

static void a_switch_sends_the_difference(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *follower =
		start(fixture, READ, MORE("{}"), CHANGES("1", ""));
	struct watcher *loyal =
		start(fixture, READ, MORE("{\"workspace\":\"one\"}"),
		      CHANGES("1", ""));

	fixture->active = 1;
	check_told(fixture, follower, CHANGES("2", CHANGED("a")));
	check_told(fixture, loyal, "");
	check_told(fixture, follower, "");
	fixture_publish(fixture, 1, "{\"a\":1}");
	check_told(fixture, follower, CHANGES("3", CHANGED("a")));
	fixture->active = 0; /* whose configuration is the same */
	check_told(fixture, follower, "");
	watcher_free(follower);
	watcher_free(loyal);
}

static void a_lost_right_ends_the_watch(void **state)
{
#define DENIED(right)                                                          \
	"{\"error\":\"io.clearconf.AccessDenied\",\"parameters\":"             \
	"{\"right\":\"" right "\"}}"
	struct fixture *fixture = *state;
	struct watcher *watcher = start(
		fixture, SECRETS, MORE("{\"reveal\":true}"), CHANGES("1", ""));
	bool ended;

	check_told(fixture, watcher, "");
	assert_string_equal(fixture_tell(fixture, watcher, READ, &ended),
			    DENIED("secrets"));
	assert_true(ended);
	assert_string_equal(fixture_tell(fixture, watcher, 0, &ended),
			    DENIED("read"));
	assert_true(ended);
	watcher_free(watcher);
}

static void who_may_not_see_secrets_may_not_ask(void **state)
{
	assert_string_equal(
		fixture_call(*state, READ, MORE("{\"reveal\":true}"), NULL),
		DENIED("secrets"));
}

static void a_workspace_that_goes_ends_the_watch(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *watcher =
		start(fixture, READ, MORE("{\"workspace\":\"two\"}"),
		      CHANGES("2", ""));

	fixture->workspaces[1].name = "three";
	check_last(fixture, watcher,
		   "{\"error\":\"io.clearconf.UnknownWorkspace\","
		   "\"parameters\":{\"name\":\"two\"}}");
}

static void a_follower_survives_its_workspace(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *watcher =
		start(fixture, READ, MORE("{}"), CHANGES("1", ""));

	fixture->workspaces[0].name = "renamed";
	check_told(
		fixture, watcher,
		SAID("1", "true", "0", "\"changes\":[],\"value\":{\"a\":1}"));
	watcher_free(watcher);
}

static void paths_are_checked(void **state)
{
	static const char error[] =
		"{\"error\":\"io.clearconf.InvalidPath\",\"parameters\":"
		"{\"path\":\"b.\",\"offset\":2,\"reason\":";

	assert_memory_equal(fixture_call(*state, READ,
					 MORE("{\"paths\":[\"a\",\"b.\"]}"),
					 NULL),
			    error, sizeof(error) - 1);
}

static void paths_are_not_without_number(void **state)
{
	_cleanup_(buf_deinit) struct buf call = BUF_INIT;

	buf_puts(&call, "{\"method\":\"io.clearconf.Watch\",\"more\":true,"
			"\"parameters\":{\"paths\":[\"a\"");
	for (int i = 0; i < 256; i++)
		buf_puts(&call, ",\"a\"");
	buf_puts(&call, "]}}");
	assert_string_equal(
		fixture_call(*state, READ, buf_str(&call).ptr, NULL),
		"{\"error\":\"io.clearconf.QuotaExceeded\","
		"\"parameters\":{\"quota\":\"paths\","
		"\"limit\":256}}");
}

static void a_user_has_so_many_watchers(void **state)
{
	static const char refused[] =
		"{\"error\":\"io.clearconf.QuotaExceeded\",\"parameters\":"
		"{\"quota\":\"watchers_per_user\",\"limit\":2}}";
	struct watcher *watchers[2];

	watchers[0] = start(*state, READ, MORE("{\"paths\":[\"a\"]}"),
			    CHANGES("1", ""));
	watchers[1] = start(*state, READ, ONCE("{}"), "");
	assert_string_equal(
		fixture_call(*state, READ, MORE("{\"paths\":[\"b\"]}"), NULL),
		refused);
	assert_string_equal(fixture_call(*state, READ, STATUS, NULL), refused);
	watcher_free(watchers[0]);
	watchers[0] = start(*state, READ, MORE("{}"), CHANGES("1", ""));
	watcher_free(watchers[0]);
	watcher_free(watchers[1]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(a_watch_is_acknowledged_at_once),
		TEST(the_first_reply_has_values_when_asked),
		TEST(changes_come_leaf_by_leaf_and_in_order),
		TEST(old_and_new_come_with_values),
		TEST(only_what_was_asked_for_is_told),
		TEST(a_path_is_told_as_all_are_however_it_was_asked_for),
		TEST(a_difference_that_cancels_out_is_not_told),
		TEST(who_watches_documents_is_told_of_those),
		TEST(who_watches_states_is_told_of_those),
		TEST(who_was_slow_gets_one_reply_for_all),
		TEST(who_was_away_too_long_starts_anew),
		TEST(since_tells_what_was_missed),
		TEST(since_out_of_reach_is_a_resync),
		TEST(without_more_there_is_one_reply),
		TEST(without_more_what_was_missed_comes_at_once),
		TEST(without_more_values_are_both),
		TEST(a_secret_is_told_to_have_changed_but_not_shown),
		TEST(a_switch_sends_the_difference),
		TEST(a_lost_right_ends_the_watch),
		TEST(who_may_not_see_secrets_may_not_ask),
		TEST(a_workspace_that_goes_ends_the_watch),
		TEST(a_follower_survives_its_workspace),
		TEST(paths_are_checked),
		TEST(paths_are_not_without_number),
		TEST(a_user_has_so_many_watchers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
