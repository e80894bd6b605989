#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "../support/watcher_calls.h"
#include "config/callers.h"

/* --- rounds in which watchers are told, and what they share --- */

static void watchers_who_are_told_the_same_share_it(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *a = start(fixture, READ, MORE("{\"paths\":[\"a\"]}"),
				  CHANGES("1", ""));
	struct watcher *b = start(fixture, READ, MORE("{\"paths\":[\"a\"]}"),
				  CHANGES("1", ""));
	struct watcher *c = start(fixture, SECRETS, MORE("{\"paths\":[\"b\"]}"),
				  CHANGES("1", ""));

	fixture_publish(fixture, 0, "{\"a\":2}");
	check_told(fixture, a, CHANGES("3", CHANGED("a")));
	assert_int_equal(fixture->watchers.notices.count, 1);
	check_told(fixture, b, CHANGES("3", CHANGED("a")));
	assert_int_equal(fixture->watchers.notices.count, 1);
	check_told(fixture, c, "");
	assert_int_equal(fixture->watchers.notices.count, 2);
	watcher_free(a);
	watcher_free(b);
	watcher_free(c);
}

static void what_is_masked_is_not_shared_with_what_is_revealed(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *masked, *revealed;

	fixture_publish(fixture, 0, "{\"secret_key\":\"old-secret\"}");
	revealed = start(fixture, SECRETS,
			 MORE("{\"values\":true,\"reveal\":true}"),
			 SAID("3", "false", "0",
			      "\"changes\":[],"
			      "\"value\":{\"secret_key\":\"old-secret\"}"));
	masked = start(fixture, SECRETS, MORE("{\"values\":true}"),
		       SAID("3", "false", "0",
			    "\"changes\":[],"
			    "\"value\":{\"secret_key\":\"****\"}"));
	fixture_publish(fixture, 0, "{\"secret_key\":\"new-secret\"}");
	check_told(fixture, revealed,
		   CHANGES("4", "{\"path\":\"secret_key\",\"kind\":\"changed\","
				"\"old\":\"old-secret\","
				"\"new\":\"new-secret\"," ORIGIN "}"));
	check_told(fixture, masked,
		   CHANGES("4",
			   "{\"path\":\"secret_key\",\"kind\":\"changed\","
			   "\"old\":\"****\",\"new\":\"****\"," ORIGIN "}"));
	watcher_free(masked);
	watcher_free(revealed);
}

static void status_is_told_at_each_change_of_state(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *watcher =
		start(fixture, READ, STATUS,
		      "{\"parameters\":{\"status\":{\"state\":\"ready\","
		      "\"masked\":true}},\"continues\":true}");

	assert_string_equal(fixture_tell(fixture, watcher, READ, NULL), "");
	fixture_publish(fixture, 0, "{\"a\":2}");
	assert_string_equal(fixture_tell(fixture, watcher, READ, NULL), "");
	fixture->workspaces[0].state = "offline";
	watchers_mark(&fixture->watchers, WATCHER_STATUS);
	assert_string_equal(fixture_tell(fixture, watcher, READ, NULL),
			    "{\"parameters\":{\"status\":{"
			    "\"state\":\"offline\",\"masked\":true}},"
			    "\"continues\":true}");
	watcher_free(watcher);
}

static void check_status(struct fixture *fixture, struct watcher *watcher,
			 const struct caller_rule *own, const char *told)
{
	char expected[200];

	(void)snprintf(expected, sizeof(expected),
		       "{\"parameters\":{\"status\":{\"state\":\"ready\","
		       "\"masked\":true%s}},\"continues\":true}",
		       told);
	fixture->own = own;
	assert_string_equal(fixture_tell(fixture, watcher, READ, NULL),
			    expected);
	fixture->own = NULL;
}

/* Whoever has the same shares the notice. */
static void a_status_tells_each_its_own_workspace(void **state)
{
	static const struct caller_rule one = {(char *)"one", (char *)"a"};
	static const struct caller_rule two = {(char *)"two", (char *)"b"};
	static const char *const of_one =
		",\"own\":{\"workspace\":\"one\",\"by\":\"a\"}";
	struct fixture *fixture = *state;
	struct watchers *watchers = &fixture->watchers;
	struct watcher *a, *b;
	const struct shared *made;

	(void)fixture_call(fixture, READ, STATUS, &a);
	(void)fixture_call(fixture, READ, STATUS, &b);
	watchers_mark(watchers, WATCHER_STATUS);
	check_status(fixture, a, NULL, "");
	check_status(fixture, b, &one, of_one);
	watchers_mark(watchers, WATCHER_STATUS);
	check_status(fixture, a, &one, of_one);
	made = watchers->status;
	check_status(fixture, b, &one, of_one);
	assert_ptr_equal(watchers->status, made);
	watchers_mark(watchers, WATCHER_STATUS);
	check_status(fixture, a, &two,
		     ",\"own\":{\"workspace\":\"two\",\"by\":\"b\"}");
	check_status(fixture, b, NULL, "");
	watcher_free(a);
	watcher_free(b);
}

static void a_round_visits_each_dirty_watcher_once(void **state)
{
	struct fixture *fixture = *state;
	struct watchers *watchers = &fixture->watchers;
	struct watcher *a = start(fixture, READ, MORE("{}"), CHANGES("1", ""));
	struct watcher *b =
		start(fixture, READ, STATUS,
		      "{\"parameters\":{\"status\":{\"state\":\"ready\","
		      "\"masked\":true}},\"continues\":true}");

	assert_null(watchers_next(watchers));
	watchers_mark(watchers, WATCHER_CONFIG);
	assert_ptr_equal(watchers_next(watchers), a);
	assert_null(watchers_next(watchers));
	/* It is writing: marking does not reach it, waking does. */
	watchers_mark(watchers, WATCHER_CONFIG);
	assert_null(watchers_next(watchers));
	watcher_wake(a);
	watchers_mark(watchers, WATCHER_STATUS);
	assert_ptr_equal(watchers_next(watchers), a);
	assert_ptr_equal(watchers_next(watchers), b);
	assert_null(watchers_next(watchers));
	watcher_free(a);
	watcher_free(b);
}

static void who_watches_states_too_is_visited_for_either(void **state)
{
	struct fixture *fixture = *state;
	struct watchers *watchers = &fixture->watchers;
	struct watcher *both = start(fixture, READ, MORE("{\"states\":true}"),
				     CHANGES("1", ""));

	for (int kind = WATCHER_CONFIG; kind <= WATCHER_STATUS; kind++) {
		watchers_mark(watchers, (enum watcher_kind)kind);
		assert_ptr_equal(watchers_next(watchers), both);
		assert_null(watchers_next(watchers));
		watcher_settle(both);
	}
	watcher_free(both);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(watchers_who_are_told_the_same_share_it),
		TEST(what_is_masked_is_not_shared_with_what_is_revealed),
		TEST(status_is_told_at_each_change_of_state),
		TEST(a_status_tells_each_its_own_workspace),
		TEST(a_round_visits_each_dirty_watcher_once),
		TEST(who_watches_states_too_is_visited_for_either),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
