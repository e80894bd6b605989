#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/pool.h"
#include "../support/session_calls.h"

static void plan_large(struct responder *server)
{
	_cleanup_(mem_freep) char *text = mem_alloc(80001);
	_cleanup_(mem_freep) char *data = NULL;

	memset(text, 'x', 80000);
	data = mem_printf("{\"text\":\"%s\"}", text);
	responder_plan_data(server, data);
}

/* @large has been answered, and nobody has read it yet. */
static void begin_large(struct fixture *fixture, struct pool *pool,
			struct call *large)
{
	_cleanup_(call_deinit) struct call small = {0};

	plan_token(&fixture->server, "tok");
	plan_large(&fixture->server);
	responder_plan_data(&fixture->server, "{}");
	pool_stop(pool, &fixture->loop);
	large->other = begin(fixture, large);
	while (fixture->server.asked < 2 ||
	       !list_is_empty(&fixture->server.peers))
		uv_run(&fixture->loop, UV_RUN_ONCE);
	run(fixture, &small);
	assert_int_equal(small.outcome, API_OK);
	assert_false(large->done);
}

static void while_a_large_answer_is_read_others_are_told(void **state)
{
	_cleanup_(call_deinit) struct call large = {0};
	struct fixture *fixture = *state;
	struct pool pool;

	begin_large(fixture, &pool, &large);
	pool_release(&pool);
	wait_for(fixture, &large);
	assert_int_equal(large.outcome, API_OK);
	assert_int_equal(large.code, 200);
}

static void a_call_is_cancelled_while_its_answer_is_read(void **state)
{
	struct fixture *fixture = *state;
	struct call large = {0}, next = {0};
	struct pool pool;

	begin_large(fixture, &pool, &large);
	session_cancel(large.other);
	pool_release(&pool);
	plan_large(&fixture->server);
	run(fixture, &next);
	assert_int_equal(next.outcome, API_OK);
	assert_false(large.done);
}

static void closing_ends_a_call_whose_answer_is_read(void **state)
{
	struct fixture *fixture = *state;
	struct call large = {0};
	struct pool pool;

	begin_large(fixture, &pool, &large);
	session_close(fixture->session);
	fixture->session = NULL;
	pool_release(&pool);
	for (int i = 0; i < 100; i++) {
		uv_run(&fixture->loop, UV_RUN_NOWAIT);
		uv_sleep(1);
	}
	assert_false(large.done);
}

#define KEYS(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KEYS(while_a_large_answer_is_read_others_are_told),
		KEYS(a_call_is_cancelled_while_its_answer_is_read),
		KEYS(closing_ends_a_call_whose_answer_is_read),
	};

	pool_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
