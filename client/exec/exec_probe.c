#include "exec/exec_probe.h"

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
static _Noreturn void become(const struct exec_probe *probe, pid_t judged)
{
	char number[16];

	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)snprintf(number, sizeof(number), "%d", (int)judged);
	if (judged)
		(void)setenv("CLEARCONF_PID", number, 1);
	if (probe->output >= 0) {
		(void)dup2(probe->output, STDOUT_FILENO);
		(void)dup2(probe->output, STDERR_FILENO);
	}
	(void)sigprocmask(SIG_SETMASK, probe->mask, NULL);
	(void)execl("/bin/sh", "sh", "-c", probe->command, "sh",
		    probe->argument, (char *)NULL);
	_exit(EXEC_NOT_FOUND);
}

bool exec_probe_start(struct exec_probe *probe, struct exec_helper *helper,
		      pid_t judged)
{
	if (helper->pid)
		return false;
	helper->pid = fork();
	if (helper->pid == 0)
		become(probe, judged);
	if (helper->pid < 0) {
		helper->pid = 0;
		return false;
	}
	(void)setpgid(helper->pid, helper->pid); /* whoever comes first */
	probe->pid = helper->pid;
	probe->until = clock_now() + probe->limit_ms;
	return true;
}

enum exec_verdict exec_probe_look(struct exec_probe *probe,
				  const struct exec_helper *helper)
{
	if (helper->pid && !clock_is_past(probe->until))
		return PROBE_RUNS;
	if (helper->pid)
		complain_warning("the command of %s takes longer than %g "
				 "seconds and is killed",
				 probe->option, probe->limit_ms / 1000.0);
	exec_probe_stop(probe);
	return !helper->pid && WIFEXITED(helper->how) &&
			       WEXITSTATUS(helper->how) == 0
		       ? PROBE_YES
		       : PROBE_NO;
}

void exec_probe_stop(struct exec_probe *probe)
{
	if (probe->pid)
		(void)kill(-probe->pid, SIGKILL);
	probe->pid = 0;
}
