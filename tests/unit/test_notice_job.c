/* Watch with `since`, of a configuration that takes long to compare. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "serve_fixture.h"

#define SECRETS (ACCESS_READ | ACCESS_SECRETS)
#define KEYS    4000

#define SINCE(more, parameters)                                                \
	"{\"method\":\"io.clearconf.Watch\"," more                             \
	"\"parameters\":" parameters "}"
#define MORE "\"more\":true,"
#define LAST(generation, changes)                                              \
	"{\"parameters\":{\"generation\":" generation                          \
	",\"state\":\"ready\",\"resync\":false,\"skipped\":0,\"changes\":"     \
	"[" changes "]}}"

/* Many keys, k0 and k1 among them with these values. */
static void publish(struct fixture *fixture, int k0, int k1)
{
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;

	buf_printf(&json, "{\"k0\":%d,\"k1\":%d", k0, k1);
	for (int i = 2; i < KEYS; i++)
		buf_printf(&json, ",\"k%d\":\"value %d\"", i, i);
	buf_putc(&json, '}');
	fixture_publish(fixture, 0, buf_str(&json).ptr);
}

/* Generations 3 and 4. */
static int make_fixture(void **state)
{
	struct fixture *fixture = fixture_new();

	publish(fixture, 1, 1);
	publish(fixture, 2, 1);
	*state = fixture;
	return 0;
}

static int free_fixture(void **state)
{
	fixture_free(*state);
	return 0;
}

/* The other thread does what there is to do. */
static void let_work(struct fixture *fixture)
{
	(void)uv_run(&fixture->loop, UV_RUN_DEFAULT);
}

/* A watcher that has not been answered yet. */
static struct watcher *start(struct fixture *fixture, const char *call)
{
	struct watcher *watcher;

	assert_string_equal(fixture_call(fixture, SECRETS, call, &watcher), "");
	assert_non_null(watcher);
	return watcher;
}

static const char *tell(struct fixture *fixture, struct watcher *watcher)
{
	return fixture_tell(fixture, watcher, SECRETS, NULL);
}

static void what_was_missed_comes_when_it_is_found(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *watcher = start(fixture, SINCE(MORE, "{\"since\":3}"));

	let_work(fixture);
	assert_ptr_equal(watchers_next(&fixture->watchers), watcher);
	assert_string_equal(tell(fixture, watcher), TOLD("4", CHANGED("k0")));
	assert_string_equal(tell(fixture, watcher), "");
	watcher_free(watcher);
}

static void what_comes_meanwhile_is_told_after_it(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *watcher = start(fixture, SINCE(MORE, "{\"since\":3}"));

	publish(fixture, 2, 5);
	assert_ptr_equal(watchers_next(&fixture->watchers), watcher);
	assert_string_equal(tell(fixture, watcher), "");
	watcher_settle(watcher);
	assert_null(watchers_next(&fixture->watchers));
	let_work(fixture);
	assert_ptr_equal(watchers_next(&fixture->watchers), watcher);
	assert_string_equal(tell(fixture, watcher), TOLD("4", CHANGED("k0")));
	watcher_settle(watcher);
	assert_ptr_equal(watchers_next(&fixture->watchers), watcher);
	assert_string_equal(tell(fixture, watcher), TOLD("5", CHANGED("k1")));
	watcher_settle(watcher);
	assert_null(watchers_next(&fixture->watchers));
	watcher_free(watcher);
}

static void without_more_only_a_change_is_an_answer(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *watcher =
		start(fixture, SINCE("", "{\"since\":3,\"paths\":[\"k1\"]}"));
	bool ended;

	let_work(fixture);
	assert_string_equal(tell(fixture, watcher), "");
	publish(fixture, 2, 5);
	assert_string_equal(fixture_tell(fixture, watcher, SECRETS, &ended),
			    LAST("5", CHANGED("k1")));
	assert_true(ended);
	watcher_free(watcher);
}

static void who_leaves_takes_it_along(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *first = start(fixture, SINCE(MORE, "{\"since\":3}"));
	struct watcher *second = start(fixture, SINCE(MORE, "{\"since\":3}"));

	watcher_free(second); /* it waits for its turn */
	watcher_free(first);  /* it is at work */
	let_work(fixture);
	assert_null(fixture->offload.at_work);
	assert_null(watchers_next(&fixture->watchers));
}

static void a_one_way_call_leaves_nothing(void **state)
{
	struct fixture *fixture = *state;

	assert_string_equal(
		fixture_call(fixture, SECRETS,
			     SINCE("\"oneway\":true,", "{\"since\":3}"), NULL),
		"");
	assert_int_equal(fixture->watchers.count, 0);
	let_work(fixture);
}

static void a_right_that_is_lost_meanwhile_ends_it(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *watcher = start(fixture, SINCE(MORE, "{\"since\":3}"));
	bool ended;

	let_work(fixture);
	assert_string_equal(fixture_tell(fixture, watcher, 0, &ended),
			    "{\"error\":\"io.clearconf.AccessDenied\","
			    "\"parameters\":{\"right\":\"read\"}}");
	assert_true(ended);
	watcher_free(watcher);
}

/* In its turn there may be nothing to compare with any more. */
static void what_is_out_of_reach_in_its_turn_is_a_resync(void **state)
{
	struct fixture *fixture = *state;
	struct watcher *first = start(fixture, SINCE(MORE, "{\"since\":3}"));
	struct watcher *late = start(fixture, SINCE(MORE, "{\"since\":3}"));

	for (int i = 0; i < FIXTURE_HISTORY; i++)
		fixture_publish(fixture, 0, i % 2 ? "{\"a\":1}" : "{\"a\":2}");
	let_work(fixture);
	assert_string_equal(tell(fixture, first), TOLD("4", CHANGED("k0")));
	assert_string_equal(
		tell(fixture, late),
		"{\"parameters\":{\"generation\":8,\"state\":\"ready\","
		"\"resync\":true,\"skipped\":3,\"changes\":[],"
		"\"value\":{\"a\":1}},\"continues\":true}");
	watcher_free(first);
	watcher_free(late);
}

static void a_client_is_told_and_others_do_not_wait(void **state)
{
	struct fixture *fixture = *state;
	struct client client, other;

	fixture_start(fixture);
	client = client_connect(fixture);
	other = client_connect(fixture);
	client_call(&client, SINCE(MORE, "{\"since\":3}"));
	client_exchange(&other, GET("k0"), GOT("4", "2"));
	client_expect(&client, TOLD("4", CHANGED("k0")));
	publish(fixture, 2, 5);
	client_expect(&client, TOLD("5", CHANGED("k1")));
	client_close(&client);
	client_close(&other);
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, make_fixture, free_fixture)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(what_was_missed_comes_when_it_is_found),
		TEST(what_comes_meanwhile_is_told_after_it),
		TEST(without_more_only_a_change_is_an_answer),
		TEST(who_leaves_takes_it_along),
		TEST(a_one_way_call_leaves_nothing),
		TEST(a_right_that_is_lost_meanwhile_ends_it),
		TEST(what_is_out_of_reach_in_its_turn_is_a_resync),
		TEST(a_client_is_told_and_others_do_not_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
