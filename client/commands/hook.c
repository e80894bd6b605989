#include "commands/hook.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "text/complain.h"
#include "text/exit_status.h"

#define GRACE_MS 2000

/* A group of its own, so that all it starts can be ended; and it does not
 * outlive us. */
static _Noreturn void become(const char *command, const sigset_t *mask)
{
	(void)setpgid(0, 0);
	(void)sigprocmask(SIG_SETMASK, mask, NULL);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

static long long now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Has it ended? Its status is left for conclude(). */
static bool has_ended(pid_t pid)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) <
		       0 ||
	       info.si_pid == pid;
}

/* Whether the process ended in time. @ended, a SIGCHLD that is blocked, tells
 * of it: a pidfd would take Linux 5.3. */
static bool ends_within(pid_t pid, const sigset_t *ended, int timeout_ms)
{
	long long deadline = now_ms() + timeout_ms, left = timeout_ms;
	struct timespec rest;

	while (!has_ended(pid) && left > 0) {
		rest.tv_sec = left / 1000;
		rest.tv_nsec = left % 1000 * 1000000;
		(void)sigtimedwait(ended, NULL, &rest);
		left = deadline - now_ms();
	}
	return has_ended(pid);
}

static int conclude(pid_t pid)
{
	int how = 0;

	while (waitpid(pid, &how, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(how) && WEXITSTATUS(how) == 0)
		return EXIT_DONE;
	if (WIFSIGNALED(how))
		return complain(EXIT_FAILED,
				"the command of --exec was ended by signal %d",
				WTERMSIG(how));
	return complain(EXIT_FAILED, "the command of --exec failed, status %d",
			WEXITSTATUS(how));
}

/* End what does not end by itself in time. */
static void limit_time(pid_t pid, const sigset_t *ended, int timeout_ms)
{
	if (ends_within(pid, ended, timeout_ms))
		return;
	complain_warning("the command of --exec takes longer than "
			 "--exec-timeout and is ended");
	(void)kill(-pid, SIGTERM);
	if (!ends_within(pid, ended, GRACE_MS))
		(void)kill(-pid, SIGKILL);
}

static int run(const char *command, int timeout_ms, const sigset_t *ended,
	       const sigset_t *mask)
{
	pid_t pid = fork();

	if (pid < 0)
		return complain(EXIT_FAILED, "cannot start a process: %s",
				strerror(errno));
	if (pid == 0)
		become(command, mask);
	(void)setpgid(pid, pid); /* whoever of the two comes first */
	limit_time(pid, ended, timeout_ms);
	return conclude(pid);
}

int hook_run(const char *command, int timeout_ms)
{
	sigset_t ended, mask;
	int status;

	(void)signal(SIGCHLD, SIG_DFL); /* ignored, there would be no status */
	(void)sigemptyset(&ended);
	(void)sigaddset(&ended, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &ended, &mask);
	status = run(command, timeout_ms, &ended, &mask);
	(void)sigprocmask(SIG_SETMASK, &mask, NULL);
	return status;
}
