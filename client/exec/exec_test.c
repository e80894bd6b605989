#include "exec/exec_test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call/clock.h"
#include "exec/exec_child.h"
#include "text/complain.h"

/* A group of its own, so that all it starts can be ended; and it does not
 * outlive us. */
static _Noreturn void become(const struct exec_test *test, pid_t judged)
{
	char number[16];

	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)snprintf(number, sizeof(number), "%d", (int)judged);
	if (judged)
		(void)setenv("CLEARCONF_PID", number, 1);
	if (test->output >= 0) {
		(void)dup2(test->output, STDOUT_FILENO);
		(void)dup2(test->output, STDERR_FILENO);
	}
	(void)sigprocmask(SIG_SETMASK, test->mask, NULL);
	(void)execl("/bin/sh", "sh", "-c", test->command, "sh", test->argument,
		    (char *)NULL);
	_exit(EXEC_NOT_FOUND);
}

bool exec_test_start(struct exec_test *test, struct exec_helper *helper,
		     pid_t judged)
{
	if (helper->pid)
		return false;
	helper->pid = fork();
	if (helper->pid == 0)
		become(test, judged);
	if (helper->pid < 0) {
		helper->pid = 0;
		return false;
	}
	(void)setpgid(helper->pid, helper->pid); /* whoever comes first */
	test->pid = helper->pid;
	test->until = clock_now() + test->limit_ms;
	return true;
}

enum exec_verdict exec_test_look(struct exec_test *test,
				 const struct exec_helper *helper)
{
	if (helper->pid && !clock_is_past(test->until))
		return TEST_RUNS;
	if (helper->pid)
		complain_warning("the command of %s takes longer than %g "
				 "seconds and is killed",
				 test->option, test->limit_ms / 1000.0);
	exec_test_stop(test);
	return !helper->pid && WIFEXITED(helper->how) &&
			       WEXITSTATUS(helper->how) == 0
		       ? TEST_YES
		       : TEST_NO;
}

void exec_test_stop(struct exec_test *test)
{
	if (test->pid)
		(void)kill(-test->pid, SIGKILL);
	test->pid = 0;
}
