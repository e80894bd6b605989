/* How exec treats its command. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>

#include "base/mem.h"
#include "exec/exec_child.h"
#include "exec/exec_policy.h"
#include "exec/exec_signal.h"
#include "text/exit_status.h"

#define AGENT(...)                                                             \
	((char *[]){(char *)"/opt/venv/bin/clearml-agent", __VA_ARGS__, NULL})
#define TRAIN  ((char *[]){(char *)"python3", (char *)"train.py", NULL})
#define DAEMON AGENT((char *)"daemon", (char *)"--queue", (char *)"gpu")

static struct exec_policy make(const struct exec_options *options, char **argv)
{
	struct exec_policy policy;

	assert_int_equal(exec_policy_make(&policy, options, argv), EXIT_DONE);
	return policy;
}

static void assert_refused(const struct exec_options *options, char **argv)
{
	struct exec_policy policy;

	assert_int_equal(exec_policy_make(&policy, options, argv), EXEC_FAILED);
}

static void a_worker_is_restarted_when_it_is_idle(void **state)
{
	struct exec_policy policy = make(&(struct exec_options){0}, DAEMON);

	(void)state;
	assert_int_equal(policy.on_change, EXEC_IDLE);
	assert_int_equal(policy.grace_ms, 120000);
	assert_int_equal(policy.umask, 077);
	assert_string_equal(policy.name, "clearml-agent");
	assert_true(policy.is_agent && policy.is_worker);
}

static void one_task_is_never_started_twice(void **state)
{
	struct exec_policy policy =
		make(&(struct exec_options){0}, AGENT((char *)"execute"));

	(void)state;
	assert_int_equal(policy.on_change, EXEC_NOTHING);
	assert_true(policy.is_agent && !policy.is_worker);
	policy = make(&(struct exec_options){0},
		      AGENT((char *)"daemon", (char *)"--stop"));
	assert_int_equal(policy.on_change, EXEC_NOTHING);
}

static void any_other_command_is_restarted(void **state)
{
	struct exec_options options = {0};
	struct exec_policy policy = make(&options, TRAIN);

	(void)state;
	assert_int_equal(policy.on_change, EXEC_RESTART);
	assert_int_equal(policy.grace_ms, 10000);
	assert_int_equal(policy.umask, EXEC_UMASK_OURS);
	assert_string_equal(policy.name, "python3");
	options.idle = "true";
	assert_int_equal(make(&options, TRAIN).on_change, EXEC_IDLE);
}

static void what_is_said_holds(void **state)
{
	struct exec_options options = {.on_change = "none",
				       .grace = "1.5",
				       .umask = "027",
				       .max_wait = "3",
				       .splay = "2"};
	struct exec_policy policy = make(&options, DAEMON);

	(void)state;
	assert_int_equal(policy.on_change, EXEC_NOTHING);
	assert_int_equal(policy.grace_ms, 1500);
	assert_int_equal(policy.umask, 027);
	assert_int_equal(policy.max_wait_ms, 3000);
	assert_in_range(policy.splay_ms, 0, 2000);
}

static void what_an_agent_dies_of_is_refused(void **state)
{
	struct exec_options options = {.on_change = "signal:HUP"};

	(void)state;
	assert_refused(&options, DAEMON);
	assert_int_equal(make(&options, TRAIN).on_change, SIGHUP);
	options.on_change = "signal:WINCH";
	assert_int_equal(make(&options, DAEMON).on_change, SIGWINCH);
	options.on_change = "dance";
	assert_refused(&options, TRAIN);
}

static void a_test_is_for_idleness(void **state)
{
	struct exec_options options = {.on_change = "restart", .idle = "true"};

	(void)state;
	assert_refused(&options, TRAIN);
}

static void an_agent_is_passed_what_ends_it_in_order(void **state)
{
	struct exec_policy policy = make(&(struct exec_options){0}, DAEMON);
	static const int passed[][2] = {
		{SIGTERM, SIGTERM},   {SIGINT, SIGINT}, {SIGQUIT, SIGTERM},
		{SIGHUP, 0},          {SIGUSR1, 0},     {SIGALRM, 0},
		{SIGWINCH, SIGWINCH},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(passed); i++)
		assert_int_equal(exec_policy_pass_on(&policy, passed[i][0]),
				 passed[i][1]);
	policy = make(&(struct exec_options){0}, TRAIN);
	assert_int_equal(exec_policy_pass_on(&policy, SIGHUP), SIGHUP);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_worker_is_restarted_when_it_is_idle),
		cmocka_unit_test(one_task_is_never_started_twice),
		cmocka_unit_test(any_other_command_is_restarted),
		cmocka_unit_test(what_is_said_holds),
		cmocka_unit_test(what_an_agent_dies_of_is_refused),
		cmocka_unit_test(a_test_is_for_idleness),
		cmocka_unit_test(an_agent_is_passed_what_ends_it_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
