#include "exec/exec_hold.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/file.h"
#include "base/proc.h"
#include "exec/exec_child.h"

#define GUARD_MS 30000

/* A group of its own: what is meant for ours does not reach it. */
static _Noreturn void guard_it(pid_t pid, const int ends[2])
{
	struct pollfd us = {ends[0], POLLIN, 0};

	(void)setpgid(0, 0);
	(void)close(ends[1]);
	(void)poll(&us, 1, GUARD_MS);
	(void)kill(pid, SIGCONT);
	_exit(0);
}

bool exec_hold_take(struct exec_hold *hold, pid_t pid,
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
	*hold = (struct exec_hold){pid, ends[1]};
	(void)kill(pid, SIGSTOP);
	return true;
}

bool exec_hold_stands(const struct exec_hold *hold)
{
	struct proc proc;

	return hold->pid && proc_read(hold->pid, &proc) && proc.state == 'T';
}

void exec_hold_release(struct exec_hold *hold)
{
	if (hold->pid)
		(void)kill(hold->pid, SIGCONT);
	file_closep(&hold->alive);
	*hold = EXEC_HOLD_INIT;
}
