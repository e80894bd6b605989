/* When a command has nothing at work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exec/exec_idle.h"

/* One look, as a line of a story: after so many milliseconds. */
struct step {
	int after;
	enum idle_sight sight;
	enum idle_answer answer;
	bool stands;
	enum idle_action wanted;
};

static void play(struct exec_idle *idle, const struct step *steps, size_t count)
{
	long long now = 1000000;

	for (size_t i = 0; i < count; i++) {
		struct idle_look look;
		enum idle_action done;

		now += steps[i].after;
		look = (struct idle_look){steps[i].sight, steps[i].answer,
					  steps[i].stands, now};
		done = exec_idle_next(idle, &look);
		if (done != steps[i].wanted)
			fail_msg("step %zu: %d, not %d", i, done,
				 steps[i].wanted);
	}
}

#define PLAY(idle, ...)                                                        \
	play(idle, (const struct step[]){__VA_ARGS__},                         \
	     sizeof((const struct step[]){__VA_ARGS__}) / sizeof(struct step))

#define WORK   SIGHT_WORK, ANSWER_NONE, false
#define AWAKE  SIGHT_AWAKE, ANSWER_NONE, false
#define ASLEEP SIGHT_ASLEEP, ANSWER_NONE, false
#define STILL  SIGHT_ASLEEP, ANSWER_NONE, true

static void a_command_is_held_and_looked_at_again(void **state)
{
	struct exec_idle idle = {0};

	(void)state;
	PLAY(&idle, {0, WORK, IDLE_NOTHING}, {500, ASLEEP, IDLE_NOTHING},
	     {1999, ASLEEP, IDLE_NOTHING}, {1, ASLEEP, IDLE_HOLD},
	     {20, ASLEEP, IDLE_NOTHING}, {20, STILL, IDLE_IS_FREE});
}

static void work_begins_the_quiet_time_anew(void **state)
{
	struct exec_idle idle = {0};

	(void)state;
	PLAY(&idle, {0, ASLEEP, IDLE_NOTHING}, {1500, WORK, IDLE_NOTHING},
	     {500, ASLEEP, IDLE_NOTHING}, {1500, ASLEEP, IDLE_NOTHING},
	     {500, ASLEEP, IDLE_HOLD});
}

static void a_child_that_came_meanwhile_lets_it_go(void **state)
{
	struct exec_idle idle = {0};

	(void)state;
	PLAY(&idle, {0, ASLEEP, IDLE_NOTHING}, {2000, ASLEEP, IDLE_HOLD},
	     {20, SIGHT_WORK, ANSWER_NONE, true, IDLE_LET_GO});
	assert_false(exec_idle_is_held(&idle));
}

static void a_worker_is_asked_about_before_and_while_it_is_held(void **state)
{
	struct exec_idle idle = {.asks = true};

	(void)state;
	PLAY(&idle, {0, ASLEEP, IDLE_NOTHING}, {2000, AWAKE, IDLE_NOTHING},
	     {500, ASLEEP, IDLE_ASK}, {500, ASLEEP, IDLE_NOTHING},
	     {10, SIGHT_ASLEEP, ANSWER_FREE, false, IDLE_HOLD},
	     {20, ASLEEP, IDLE_NOTHING}, {20, STILL, IDLE_ASK},
	     {20, STILL, IDLE_NOTHING},
	     {20, SIGHT_ASLEEP, ANSWER_FREE, true, IDLE_IS_FREE});
}

/* The answer is worth nothing while it may be handed a task. */
static void a_worker_that_wakes_is_not_held(void **state)
{
	struct exec_idle idle = {.asks = true};

	(void)state;
	PLAY(&idle, {0, ASLEEP, IDLE_NOTHING}, {2000, ASLEEP, IDLE_ASK},
	     {10, SIGHT_AWAKE, ANSWER_FREE, false, IDLE_NOTHING},
	     {500, SIGHT_ASLEEP, ANSWER_FREE, false, IDLE_HOLD},
	     {20, SIGHT_AWAKE, ANSWER_NONE, true, IDLE_LET_GO});
}

static void a_task_or_no_answer_lets_it_go_for_a_while(void **state)
{
	struct exec_idle idle = {.asks = true};

	(void)state;
	PLAY(&idle, {0, ASLEEP, IDLE_NOTHING}, {2000, ASLEEP, IDLE_ASK},
	     {10, SIGHT_ASLEEP, ANSWER_NOT_FREE, false, IDLE_NOTHING},
	     {2500, ASLEEP, IDLE_NOTHING}, {2490, ASLEEP, IDLE_NOTHING},
	     {10, ASLEEP, IDLE_ASK},
	     {10, SIGHT_ASLEEP, ANSWER_FREE, false, IDLE_HOLD},
	     {20, STILL, IDLE_ASK},
	     {20, SIGHT_ASLEEP, ANSWER_NOT_FREE, true, IDLE_LET_GO});
}

static void nothing_is_held_for_long(void **state)
{
	struct exec_idle idle = {.asks = true};

	(void)state;
	PLAY(&idle, {0, ASLEEP, IDLE_NOTHING}, {2000, ASLEEP, IDLE_ASK},
	     {10, SIGHT_ASLEEP, ANSWER_FREE, false, IDLE_HOLD},
	     {20, STILL, IDLE_ASK}, {14000, STILL, IDLE_NOTHING},
	     {1000, STILL, IDLE_LET_GO});
	exec_idle_reset(&idle);
	PLAY(&idle, {100000, ASLEEP, IDLE_NOTHING}, {2000, ASLEEP, IDLE_ASK},
	     {10, SIGHT_ASLEEP, ANSWER_FREE, false, IDLE_HOLD},
	     {15000, ASLEEP, IDLE_LET_GO});
}

/* Somebody has sent it SIGCONT. */
static void what_moves_while_it_is_held_is_let_go(void **state)
{
	struct exec_idle idle = {.asks = true};

	(void)state;
	PLAY(&idle, {0, ASLEEP, IDLE_NOTHING}, {2000, ASLEEP, IDLE_ASK},
	     {10, SIGHT_ASLEEP, ANSWER_FREE, false, IDLE_HOLD},
	     {20, STILL, IDLE_ASK},
	     {20, SIGHT_ASLEEP, ANSWER_FREE, false, IDLE_LET_GO});
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_is_held_and_looked_at_again),
		cmocka_unit_test(work_begins_the_quiet_time_anew),
		cmocka_unit_test(a_child_that_came_meanwhile_lets_it_go),
		cmocka_unit_test(
			a_worker_is_asked_about_before_and_while_it_is_held),
		cmocka_unit_test(a_worker_that_wakes_is_not_held),
		cmocka_unit_test(a_task_or_no_answer_lets_it_go_for_a_while),
		cmocka_unit_test(nothing_is_held_for_long),
		cmocka_unit_test(what_moves_while_it_is_held_is_let_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
