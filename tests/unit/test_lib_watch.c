/* A watch goes on where it was, whatever becomes of the daemon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <stdbool.h>
#include <time.h>

#include "../support/stand_in.h"
#include "clearconf.h"

#define ASKED(parameters)                                                      \
	"{\"method\":\"io.clearconf.Watch\",\"more\":true,\"parameters\":"     \
	"" parameters "}"

struct world {
	struct stand_in daemon;
	struct clearconf_watch *watch;
	struct clearconf_reply reply;
};

static int setup(void **state)
{
	static struct world world;

	world = (struct world){.daemon = {-1, -1}};
	scratch_enter();
	*state = &world;
	return clearconf_watch_new(&world.watch, STAND_IN_SOCKET, NULL,
				   "{\"paths\":[\"a\"]}");
}

static int teardown(void **state)
{
	struct world *world = *state;

	clearconf_watch_free(world->watch);
	stand_in_stop(&world->daemon);
	scratch_leave();
	return 0;
}

static int next(struct world *world)
{
	return clearconf_watch_next(world->watch, &world->reply);
}

static int wait_for(struct world *world, int milliseconds)
{
	return clearconf_watch_wait(world->watch, milliseconds, &world->reply);
}

static const char *error_of(struct world *world)
{
	return clearconf_strerror(clearconf_watch_get_handle(world->watch));
}

static bool is_ready(const struct world *world, int milliseconds)
{
	struct pollfd ready = {clearconf_watch_get_fd(world->watch), POLLIN, 0};

	return poll(&ready, 1, milliseconds) == 1;
}

static long long now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Let the watch try until the daemon sees it. */
static void accept_again(struct world *world)
{
	long long deadline = now_ms() + 20000;

	while (!stand_in_accept(&world->daemon)) {
		assert_true(now_ms() < deadline);
		assert_int_equal(wait_for(world, 10), CLEARCONF_E_AGAIN);
	}
}

/* A watch that has had the reply of generation 7. */
static void begin(struct world *world)
{
	stand_in_start(&world->daemon);
	assert_int_equal(next(world), CLEARCONF_E_AGAIN);
	assert_true(stand_in_accept(&world->daemon));
	stand_in_assert_asked(&world->daemon, ASKED("{\"paths\":[\"a\"]}"));
	stand_in_say(&world->daemon, "{\"parameters\":{\"generation\":7},"
				     "\"continues\":true}");
	assert_int_equal(next(world), 0);
	assert_string_equal(world->reply.parameters, "{\"generation\":7}");
	assert_int_equal(next(world), CLEARCONF_E_AGAIN);
}

static void replies_come_as_they_are_sent(void **state)
{
	struct world *world = *state;

	begin(world);
	assert_false(is_ready(world, 0));
	stand_in_say(&world->daemon, "{\"parameters\":{\"generation\":8},"
				     "\"continues\":true}");
	assert_true(is_ready(world, 0));
	assert_int_equal(next(world), 0);
	assert_string_equal(world->reply.parameters, "{\"generation\":8}");
	assert_int_equal(next(world), CLEARCONF_E_AGAIN);
	assert_false(is_ready(world, 0));
}

/* A loop that only polls is told to begin. */
static void a_new_watch_is_ready_at_once(void **state)
{
	assert_true(is_ready(*state, 1000));
}

static void no_daemon_is_told_once_and_then_waited_for(void **state)
{
	struct world *world = *state;

	assert_int_equal(next(world), -ENOENT);
	assert_string_equal(error_of(world), "no daemon answers on sock: No "
					     "such file or directory");
	assert_int_equal(next(world), CLEARCONF_E_AGAIN);
	assert_int_equal(wait_for(world, 300), CLEARCONF_E_AGAIN);
	stand_in_start(&world->daemon);
	accept_again(world);
	stand_in_assert_asked(&world->daemon, ASKED("{\"paths\":[\"a\"]}"));
}

static void a_lost_connection_goes_on_where_it_was(void **state)
{
	struct world *world = *state;
	int fd = clearconf_watch_get_fd(world->watch);

	begin(world);
	stand_in_hang_up(&world->daemon);
	assert_true(is_ready(world, 1000));
	assert_int_equal(next(world), -ECONNRESET);
	assert_int_equal(next(world), CLEARCONF_E_AGAIN);
	assert_false(is_ready(world, 0));
	accept_again(world);
	stand_in_assert_asked(&world->daemon,
			      ASKED("{\"since\":7,\"paths\":[\"a\"]}"));
	assert_int_equal(clearconf_watch_get_fd(world->watch), fd);
}

/* It was told of the first, and there was nothing between the two. */
static void every_outage_is_told_once(void **state)
{
	struct world *world = *state;

	begin(world);
	stand_in_hang_up(&world->daemon);
	assert_int_equal(next(world), -ECONNRESET);
	accept_again(world);
	stand_in_hang_up(&world->daemon);
	accept_again(world);
	stand_in_say(&world->daemon, "{\"parameters\":{\"generation\":9},"
				     "\"continues\":true}");
	assert_int_equal(wait_for(world, 5000), 0);
	stand_in_hang_up(&world->daemon);
	assert_int_equal(wait_for(world, 5000), -ECONNRESET);
}

static void pauses_grow(void **state)
{
	struct world *world = *state;
	long long start;
	int tries = -1; /* the first is at once */

	stand_in_start(&world->daemon);
	start = now_ms();
	while (now_ms() - start < 1500) {
		(void)wait_for(world, 20);
		if (stand_in_accept(&world->daemon))
			tries++;
		stand_in_hang_up(&world->daemon);
	}
	/* 100 + 200 + 400 + 800, each a quarter more or less. */
	assert_in_range(tries, 2, 5);
}

static void a_refusal_is_told_with_its_reply(void **state)
{
	struct world *world = *state;

	stand_in_start(&world->daemon);
	assert_int_equal(next(world), CLEARCONF_E_AGAIN);
	assert_true(stand_in_accept(&world->daemon));
	stand_in_say(&world->daemon,
		     "{\"error\":\"io.clearconf.AccessDenied\",\"parameters\":"
		     "{\"right\":\"read\"}}");
	assert_int_equal(next(world), CLEARCONF_E_ERROR);
	assert_string_equal(world->reply.error, "io.clearconf.AccessDenied");
	assert_string_equal(error_of(world), "access denied: this needs the "
					     "right 'read'");
	assert_false(is_ready(world, 0));
	accept_again(world);
}

static void an_ended_call_is_asked_again(void **state)
{
	struct world *world = *state;

	begin(world);
	stand_in_say(&world->daemon, "{\"parameters\":{\"generation\":8}}");
	assert_int_equal(next(world), 0);
	assert_int_equal(next(world), -ECONNRESET);
	assert_string_equal(error_of(world), "the daemon ended the call");
	accept_again(world);
	stand_in_assert_asked(&world->daemon,
			      ASKED("{\"since\":8,\"paths\":[\"a\"]}"));
}

static void a_first_reply_has_to_come_in_time(void **state)
{
	struct world *world = *state;

	clearconf_set_timeout(clearconf_watch_get_handle(world->watch), 50);
	stand_in_start(&world->daemon);
	assert_int_equal(next(world), CLEARCONF_E_AGAIN);
	assert_int_equal(wait_for(world, 5000), -ETIMEDOUT);
	assert_string_equal(error_of(world), "no answer in time from sock");
}

/* Silence between changes is no failure. */
static void later_replies_may_take_for_ever(void **state)
{
	struct world *world = *state;

	clearconf_set_timeout(clearconf_watch_get_handle(world->watch), 50);
	begin(world);
	assert_int_equal(wait_for(world, 200), CLEARCONF_E_AGAIN);
}

static void since_may_be_given_by_the_caller_alone(void **state)
{
	struct world *world = *state;

	clearconf_watch_free(world->watch);
	world->watch = NULL;
	assert_int_equal(clearconf_watch_new(&world->watch, STAND_IN_SOCKET,
					     NULL, "{\"since\":3}"),
			 -EINVAL);
	assert_null(world->watch);
	assert_int_equal(
		clearconf_watch_new(&world->watch, STAND_IN_SOCKET, NULL, NULL),
		0);
	clearconf_watch_set_since(world->watch, 3);
	stand_in_start(&world->daemon);
	assert_int_equal(next(world), CLEARCONF_E_AGAIN);
	assert_true(stand_in_accept(&world->daemon));
	stand_in_assert_asked(&world->daemon, ASKED("{\"since\":3}"));
}

static void another_method_is_asked_as_it_is(void **state)
{
	static const char question[] =
		"{\"method\":\"io.clearconf.GetStatus\",\"more\":true,"
		"\"parameters\":{}}";
	struct world *world = *state;

	clearconf_watch_free(world->watch);
	assert_int_equal(clearconf_watch_new(&world->watch, STAND_IN_SOCKET,
					     "io.clearconf.GetStatus", NULL),
			 0);
	stand_in_start(&world->daemon);
	assert_int_equal(next(world), CLEARCONF_E_AGAIN);
	assert_true(stand_in_accept(&world->daemon));
	stand_in_assert_asked(&world->daemon, question);
	stand_in_say(&world->daemon, "{\"parameters\":{\"generation\":7},"
				     "\"continues\":true}");
	assert_int_equal(next(world), 0);
	stand_in_hang_up(&world->daemon);
	assert_int_equal(next(world), -ECONNRESET);
	accept_again(world);
	stand_in_assert_asked(&world->daemon, question);
}

/* A user's daemon that restarts must not be taken for the system's, which is
 * what is found while there is no socket of the user's. */
static void a_socket_that_was_found_is_kept(void **state)
{
	struct world *world = *state;

	clearconf_watch_free(world->watch);
	(void)setenv("CLEARCONF_SOCKET", STAND_IN_SOCKET, 1);
	assert_int_equal(clearconf_watch_new(&world->watch, NULL, NULL,
					     "{\"paths\":[\"a\"]}"),
			 0);
	begin(world);
	(void)setenv("CLEARCONF_SOCKET", "another", 1);
	stand_in_hang_up(&world->daemon);
	assert_int_equal(next(world), -ECONNRESET);
	accept_again(world);
	(void)unsetenv("CLEARCONF_SOCKET");
}

/* What a child has inherited keeps a connection open, and must not keep its
 * end before us for ever. */
static void a_forked_child_does_not_make_the_watch_spin(void **state)
{
	struct world *world = *state;
	int inherited;

	begin(world);
	inherited =
		dup(clearconf_get_fd(clearconf_watch_get_handle(world->watch)));
	stand_in_hang_up(&world->daemon);
	assert_int_equal(next(world), -ECONNRESET);
	assert_false(is_ready(world, 0));
	assert_return_code(close(inherited), errno);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(replies_come_as_they_are_sent),
		TEST(a_new_watch_is_ready_at_once),
		TEST(no_daemon_is_told_once_and_then_waited_for),
		TEST(a_lost_connection_goes_on_where_it_was),
		TEST(every_outage_is_told_once),
		TEST(pauses_grow),
		TEST(a_refusal_is_told_with_its_reply),
		TEST(an_ended_call_is_asked_again),
		TEST(a_first_reply_has_to_come_in_time),
		TEST(later_replies_may_take_for_ever),
		TEST(since_may_be_given_by_the_caller_alone),
		TEST(another_method_is_asked_as_it_is),
		TEST(a_socket_that_was_found_is_kept),
		TEST(a_forked_child_does_not_make_the_watch_spin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
