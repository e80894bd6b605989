#include "exec_child.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "clock.h"
#include "complain.h"
#include "exit_status.h"

/* In the child: what goes wrong is told through the pipe, which closes when
 * nothing does. */
static _Noreturn void become(const struct exec_command *command, char **env,
			     int report)
{
	int error;

	environ = env; /* execvp looks for PATH there */
	(void)sigprocmask(SIG_SETMASK, command->mask, NULL);
	(void)execvp(command->argv[0], command->argv);
	error = errno;
	(void)!write(report, &error, sizeof(error));
	_exit(EXEC_FAILED);
}

/* We may have died before the child asked to be told. */
static void die_with_parent(pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(EXEC_FAILED);
}

/* The errno with which the child failed to become the command, or 0. */
static int read_report(int report)
{
	int error = 0;
	ssize_t n;

	do
		n = read(report, &error, sizeof(error));
	while (n < 0 && errno == EINTR);
	return n == sizeof(error) ? error : 0;
}

static int explain(const char *name, int error)
{
	if (error == ENOENT)
		return complain(EXEC_NOT_FOUND,
				"cannot run %s: there is no such command, or "
				"its interpreter is missing",
				name);
	return complain(EXEC_NOT_EXECUTABLE, "cannot run %s: %s", name,
			strerror(error));
}

static int await(struct exec_child *child, const char *name, int report)
{
	int error = read_report(report);

	if (!error) {
		child->state = CHILD_RUNNING;
		return EXIT_DONE;
	}
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
	*child = (struct exec_child){0};
	return explain(name, error);
}

int exec_child_start(struct exec_child *child,
		     const struct exec_command *command, char **env)
{
	pid_t parent = getpid();
	int ends[2], status;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return complain(EXEC_FAILED, "cannot make a pipe: %s",
				strerror(errno));
	*child = (struct exec_child){.pid = fork()};
	if (child->pid == 0) {
		die_with_parent(parent);
		become(command, env, ends[1]);
	}
	file_closep(&ends[1]);
	if (child->pid < 0)
		status = complain(EXEC_FAILED, "cannot start a process: %s",
				  strerror(errno));
	else
		status = await(child, command->argv[0], ends[0]);
	file_closep(&ends[0]);
	return status;
}

/* All that have ended: as the first process of a container we also get the
 * orphans of others. */
bool exec_child_reap(struct exec_child *child, int *status)
{
	bool found = false;
	pid_t ended;
	int how;

	while ((ended = waitpid(-1, &how, WNOHANG)) > 0) {
		if (ended != child->pid)
			continue;
		*status = WIFSIGNALED(how) ? EXEC_KILLED + WTERMSIG(how)
					   : WEXITSTATUS(how);
		*child = (struct exec_child){0};
		found = true;
	}
	return found;
}

void exec_child_signal(const struct exec_child *child, int number)
{
	if (child->state != CHILD_NONE)
		(void)kill(child->pid, number);
}

void exec_child_stop(struct exec_child *child, int grace_ms)
{
	if (child->state != CHILD_RUNNING)
		return;
	child->state = CHILD_STOPPING;
	child->kill_at = clock_now() + grace_ms;
	exec_child_signal(child, SIGTERM);
	exec_child_signal(child, SIGCONT);
}

void exec_child_kill(struct exec_child *child)
{
	complain_warning("the command does not end within --grace and is "
			 "killed");
	child->kill_at = 0;
	exec_child_signal(child, SIGKILL);
}
