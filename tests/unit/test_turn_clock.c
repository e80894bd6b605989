#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/turn_clock.h"

#define MS UINT64_C(1000000)

/* What a busy machine adds to it does not count by the thread's clock. */
#define SLEEP_MS 150

struct fixture {
	uv_loop_t loop;
	struct turn_clock clock;
	uv_timer_t timer;
	long work_until_ms; /* of the thread's clock */
};

static int enter(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){0};
	*state = &fixture;
	(void)uv_loop_init(&fixture.loop);
	turn_clock_init(&fixture.clock, &fixture.loop);
	(void)uv_timer_init(&fixture.loop, &fixture.timer);
	return 0;
}

static int leave(void **state)
{
	struct fixture *fixture = *state;

	turn_clock_deinit(&fixture->clock);
	uv_close((uv_handle_t *)&fixture->timer, NULL);
	(void)uv_run(&fixture->loop, UV_RUN_DEFAULT);
	return uv_loop_close(&fixture->loop);
}

static void on_rest(uv_timer_t *timer)
{
	(void)timer;
}

static void on_sleep(uv_timer_t *timer)
{
	uv_sleep(SLEEP_MS);
	(void)uv_timer_start(timer, on_rest, 1, 0);
}

static long worked_ms(void)
{
	struct timespec used = {0};

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return used.tv_sec * 1000 + used.tv_nsec / 1000000;
}

static void on_work(uv_timer_t *timer)
{
	const struct fixture *fixture = timer->data;

	while (worked_ms() < fixture->work_until_ms)
		;
	(void)uv_timer_start(timer, on_rest, 1, 0);
}

/* Turns count from the first poll on: where the machine halts before it, the
 * timer is due, and runs, too early. */
static void run(struct fixture *fixture, uv_timer_cb first, uint64_t delay)
{
	(void)uv_timer_start(&fixture->timer, on_rest, 0, 0);
	(void)uv_run(&fixture->loop, UV_RUN_DEFAULT);
	(void)uv_timer_start(&fixture->timer, first, delay, 0);
	(void)uv_run(&fixture->loop, UV_RUN_DEFAULT);
}

static void waiting_for_something_to_do_is_no_turn(void **state)
{
	struct fixture *fixture = *state;

	run(fixture, on_rest, 600);
	assert_true(turn_clock_longest(&fixture->clock).wall_ns < 550 * MS);
	assert_true(turn_clock_longest(&fixture->clock).cpu_ns < 550 * MS);
}

static void what_blocks_the_loop_counts_by_the_clock_on_the_wall(void **state)
{
	struct fixture *fixture = *state;

	run(fixture, on_sleep, 1);
	assert_true(turn_clock_longest(&fixture->clock).wall_ns >
		    (SLEEP_MS - 3) * MS);
	assert_true(turn_clock_longest(&fixture->clock).cpu_ns < 100 * MS);
}

static void work_counts_by_both_clocks(void **state)
{
	struct fixture *fixture = *state;
	fixture->timer.data = fixture;
	fixture->work_until_ms = worked_ms() + 40;
	run(fixture, on_work, 1);
	assert_true(turn_clock_longest(&fixture->clock).wall_ns > 37 * MS);
	assert_true(turn_clock_longest(&fixture->clock).cpu_ns > 37 * MS);
	assert_int_equal(turn_clock_recent(&fixture->clock).cpu_ns,
			 turn_clock_longest(&fixture->clock).cpu_ns);
}

#define claim(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		claim(waiting_for_something_to_do_is_no_turn),
		claim(what_blocks_the_loop_counts_by_the_clock_on_the_wall),
		claim(work_counts_by_both_clocks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
