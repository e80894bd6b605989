/* Which signals `exec` takes part in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exec/exec_signal.h"

static void assert_action(const char *text, int expected)
{
	int action;

	assert_true(exec_signal_parse(text, &action));
	assert_int_equal(action, expected);
}

static void an_action_is_a_restart_nothing_or_a_signal(void **state)
{
	(void)state;
	assert_action("restart", EXEC_RESTART);
	assert_action("idle", EXEC_IDLE);
	assert_action("none", EXEC_NOTHING);
	assert_action("signal:HUP", SIGHUP);
	assert_action("signal:SIGUSR2", SIGUSR2);
	assert_action("signal:sigterm", SIGTERM);
	assert_action("signal:12", 12);
}

static void anything_else_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",           "Restart",   "signal", "signal:",   "signal:0",
		"signal:SIG", "signal:99", "HUP",    "signal:-1", "signal:1x",
	};
	int action;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (exec_signal_parse(wrong[i], &action))
			fail_msg("'%s' is taken for %d", wrong[i], action);
}

static void what_is_forwarded_is_caught(void **state)
{
	sigset_t set;

	(void)state;
	exec_signal_set(&set);
	for (int i = 1; i < 32; i++) /* libc keeps the two after */
		if (exec_signal_is_forwarded(i))
			assert_int_equal(sigismember(&set, i), 1);
	assert_int_equal(sigismember(&set, SIGCHLD), 1);
	assert_false(exec_signal_is_forwarded(SIGCHLD));
	assert_int_equal(sigismember(&set, SIGSEGV), 0);
	assert_int_equal(sigismember(&set, SIGTSTP), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_action_is_a_restart_nothing_or_a_signal),
		cmocka_unit_test(anything_else_is_refused),
		cmocka_unit_test(what_is_forwarded_is_caught),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
