#include "commands/hook.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "text/complain.h"
#include "text/exit_status.h"

#define GRACE_MS 2000

/* A group of its own, so that all it starts can be ended; and it does not
 * outlive us. */
static _Noreturn void become(const char *command)
{
	(void)setpgid(0, 0);
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

/* Whether the process ended in time. */
static bool ends_within(int pidfd, int timeout_ms)
{
	struct pollfd ended = {pidfd, POLLIN, 0};
	long long deadline = now_ms() + timeout_ms, left = timeout_ms;
	int n;

	do {
		n = poll(&ended, 1, (int)left);
		left = deadline - now_ms();
	} while (n < 0 && errno == EINTR && left > 0);
	return n > 0;
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
static void limit_time(pid_t pid, int timeout_ms)
{
	_cleanup_(file_closep) int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (pidfd < 0 || ends_within(pidfd, timeout_ms))
		return;
	complain_warning("the command of --exec takes longer than "
			 "--exec-timeout and is ended");
	(void)kill(-pid, SIGTERM);
	if (!ends_within(pidfd, GRACE_MS))
		(void)kill(-pid, SIGKILL);
}

int hook_run(const char *command, int timeout_ms)
{
	pid_t pid;

	(void)signal(SIGCHLD, SIG_DFL); /* ignored, there would be no status */
	pid = fork();
	if (pid < 0)
		return complain(EXIT_FAILED, "cannot start a process: %s",
				strerror(errno));
	if (pid == 0)
		become(command);
	(void)setpgid(pid, pid); /* whoever of the two comes first */
	limit_time(pid, timeout_ms);
	return conclude(pid);
}
