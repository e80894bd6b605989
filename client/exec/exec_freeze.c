#include "exec/exec_freeze.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "exec/exec_child.h"

#define GUARD_MS 30000

/* The guard has a group of its own: signals to ours do not reach it. */
static _Noreturn void guard_it(pid_t pid, const int ends[2])
{
	struct pollfd us = {ends[0], POLLIN, 0};

	(void)setpgid(0, 0);
	(void)close(ends[1]);
	(void)poll(&us, 1, GUARD_MS);
	(void)kill(pid, SIGCONT);
	_exit(0);
}

bool exec_freeze_begin(struct exec_freeze *freeze, pid_t pid,
		       struct exec_helper *guard)
{
	int ends[2];

	if (guard->pid || pipe2(ends, O_CLOEXEC) < 0)
		return false;
	guard->pid = fork();
	if (guard->pid == 0)
		guard_it(pid, ends);
	file_closep(&ends[0]);
	if (guard->pid < 0) {
		guard->pid = 0;
		file_closep(&ends[1]);
		return false;
	}
	*freeze = (struct exec_freeze){pid, ends[1]};
	(void)kill(pid, SIGSTOP);
	return true;
}

bool exec_freeze_is_stopped(const struct exec_freeze *freeze)
{
	struct proc proc;

	return freeze->pid && proc_read(freeze->pid, &proc) &&
	       proc.state == 'T';
}

void exec_freeze_end(struct exec_freeze *freeze)
{
	if (freeze->pid)
		(void)kill(freeze->pid, SIGCONT);
	file_closep(&freeze->alive);
	*freeze = EXEC_FREEZE_INIT;
}
