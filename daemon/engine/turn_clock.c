#include "engine/turn_clock.h"

#include <time.h>

#define NS_PER_MS UINT64_C(1000000)
#define PERIOD_NS (UINT64_C(300000) * NS_PER_MS)

/* Between two looks at the thread's clock, which is a system call. */
#define LOOK_NS NS_PER_MS

static uint64_t thread_ns(void)
{
	struct timespec used = {0};

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (uint64_t)used.tv_sec * 1000 * NS_PER_MS +
	       (uint64_t)used.tv_nsec;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static struct turn_times longer(struct turn_times a, struct turn_times b)
{
	return (struct turn_times){
		.wall_ns = larger(a.wall_ns, b.wall_ns),
		.cpu_ns = larger(a.cpu_ns, b.cpu_ns),
	};
}

static void record(struct turn_clock *clock, uint64_t now,
		   struct turn_times turn)
{
	if (now / PERIOD_NS != clock->period) {
		clock->before = now / PERIOD_NS == clock->period + 1
					? clock->now
					: (struct turn_times){0};
		clock->now = (struct turn_times){0};
		clock->period = now / PERIOD_NS;
	}
	clock->now = longer(clock->now, turn);
	clock->all = longer(clock->all, turn);
}

/* What the thread worked since the last look, if it is time for one. */
static uint64_t work_since_look(struct turn_clock *clock, uint64_t now)
{
	uint64_t before = clock->cpu_ns;

	if (now - clock->looked_ns < LOOK_NS)
		return 0;
	clock->looked_ns = now;
	clock->cpu_ns = thread_ns();
	return clock->cpu_ns - before;
}

static void end_turn(struct turn_clock *clock)
{
	uint64_t now = uv_hrtime();
	uint64_t work = work_since_look(clock, now);

	if (!clock->polled_ns)
		return; /* what came before the first turn is none */
	record(clock, now,
	       (struct turn_times){
		       .wall_ns = now > clock->polled_ns
					  ? now - clock->polled_ns
					  : 0,
		       .cpu_ns = work,
	       });
}

static void on_prepare(uv_prepare_t *prepare)
{
	end_turn(prepare->data);
}

/* Callbacks of descriptors have run by now, but the loop's clock still says
 * when poll(2) came back. */
static void on_check(uv_check_t *check)
{
	struct turn_clock *clock = check->data;

	clock->polled_ns = uv_now(check->loop) * NS_PER_MS;
}

void turn_clock_init(struct turn_clock *clock, uv_loop_t *loop)
{
	*clock = (struct turn_clock){0};
	(void)uv_check_init(loop, &clock->check);
	(void)uv_prepare_init(loop, &clock->prepare);
	clock->check.data = clock->prepare.data = clock;
	(void)uv_check_start(&clock->check, on_check);
	(void)uv_prepare_start(&clock->prepare, on_prepare);
	uv_unref((uv_handle_t *)&clock->check);
	uv_unref((uv_handle_t *)&clock->prepare);
}

void turn_clock_deinit(struct turn_clock *clock)
{
	uv_close((uv_handle_t *)&clock->check, NULL);
	uv_close((uv_handle_t *)&clock->prepare, NULL);
}

struct turn_times turn_clock_longest(const struct turn_clock *clock)
{
	return clock->all;
}

struct turn_times turn_clock_recent(const struct turn_clock *clock)
{
	return longer(clock->now, clock->before);
}
