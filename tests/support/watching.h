#ifndef SUPPORT_WATCHING_H
#define SUPPORT_WATCHING_H

/*
 * A watch on real files under a real loop, for tests about what it tells.
 *
 * Waits for what must come are long, so that a busy machine fails nothing;
 * waits for what must not come are short. Include it after cmocka.h.
 */

#include <stdbool.h>

#include "scratch.h"

#include "base/mem.h"
#include "fetch/watch.h"

#define SETTLE_MS   UINT64_C(20)
#define NOTHING_MS  (3 * SETTLE_MS)
#define DEADLINE_MS UINT64_C(10000)

struct fixture {
	uv_loop_t loop;
	uv_timer_t timer;
	bool timed_out;
	struct watch *watch;
	unsigned int told;
	void (*when_told)(struct fixture *fixture); /* NULL: count only */
};

static inline void on_change(void *data)
{
	struct fixture *fixture = data;

	fixture->told++;
	if (fixture->when_told)
		fixture->when_told(fixture);
}

static inline void watch_with(struct fixture *fixture, uint64_t settle_ms)
{
	watch_close(fixture->watch);
	fixture->watch =
		watch_new(&fixture->loop, settle_ms, on_change, fixture);
}

static inline int enter(void **state)
{
	struct fixture *fixture = mem_alloc(sizeof(*fixture));

	scratch_enter();
	assert_int_equal(uv_loop_init(&fixture->loop), 0);
	uv_timer_init(&fixture->loop, &fixture->timer);
	fixture->timer.data = fixture;
	watch_with(fixture, SETTLE_MS);
	*state = fixture;
	return 0;
}

static inline int leave(void **state)
{
	struct fixture *fixture = *state;

	watch_close(fixture->watch);
	uv_close((uv_handle_t *)&fixture->timer, NULL);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&fixture->loop), 0);
	mem_free(fixture);
	scratch_leave();
	return 0;
}

static inline void on_time_out(uv_timer_t *timer)
{
	struct fixture *fixture = timer->data;

	fixture->timed_out = true;
}

/* Run the loop until it was told @times in all or @ms are over. */
static inline void run(struct fixture *fixture, unsigned int times, uint64_t ms)
{
	fixture->timed_out = false;
	uv_update_time(&fixture->loop);
	uv_timer_start(&fixture->timer, on_time_out, ms, 0);
	while (fixture->told < times && !fixture->timed_out)
		uv_run(&fixture->loop, UV_RUN_ONCE);
	uv_timer_stop(&fixture->timer);
}

static inline void run_for(struct fixture *fixture, uint64_t ms)
{
	run(fixture, UINT32_MAX, ms);
}

static inline void assert_told(struct fixture *fixture)
{
	run(fixture, 1, DEADLINE_MS);
	assert_true(fixture->told >= 1);
}

static inline void assert_not_told(struct fixture *fixture)
{
	run_for(fixture, NOTHING_MS);
	assert_int_equal(fixture->told, 0);
}

/* Since the last time; and then forget it. */
static inline void assert_told_once(struct fixture *fixture)
{
	assert_told(fixture);
	run_for(fixture, NOTHING_MS);
	assert_int_equal(fixture->told, 1);
	fixture->told = 0;
}

static inline void watch_one(struct fixture *fixture, const char *name)
{
	const char *path = scratch_at(name);

	watch_set_paths(fixture->watch, &path, 1);
}

#define WATCH_TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

#endif
