#include "exec/exec_child.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "call/clock.h"
#include "text/complain.h"
#include "text/exit_status.h"

#define LEFTOVERS_MS 2000  /* what is left has that long at least */
#define AGAIN_MS     30000 /* what was killed and lives is killed again */
#define LOCK_MIN     64    /* numbers that scripts do not use */

/* --- its beginning -------------------------------------------------------- */

/* We may have died before the child asked to be told. */
static void die_with_parent(pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(EXEC_FAILED);
}

/* As long as one of us lives, the lock is held. */
static void share_lock(int lock)
{
	if (lock >= 0 && fcntl(lock, F_DUPFD, LOCK_MIN) < 0)
		(void)fcntl(lock, F_DUPFD, 3);
}

/* In the child: what goes wrong is told through the pipe, which closes when
 * nothing does. */
static _Noreturn void become(const struct exec_command *command, char **env,
			     int report)
{
	int error;

	share_lock(command->lock);
	if (command->umask != EXEC_UMASK_OURS)
		(void)umask(command->umask);
	environ = env; /* execvp looks for PATH there */
	(void)sigprocmask(SIG_SETMASK, command->mask, NULL);
	(void)execvp(command->argv[0], command->argv);
	error = errno;
	(void)!write(report, &error, sizeof(error));
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
	child->pid = 0;
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
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1);
	child->status = 0;
	child->restarts = false;
	child->pid = fork();
	if (child->pid == 0) {
		if (!command->outlives_us)
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

/* --- its end -------------------------------------------------------------- */

void exec_child_look(const struct exec_child *child,
		     struct exec_descendants *descendants)
{
	pid_t apart[EXEC_HELPERS];

	for (size_t i = 0; i < EXEC_HELPERS; i++)
		apart[i] = child->helpers[i].pid;
	exec_descendants_list(descendants, apart);
}

static void end_all(const struct exec_descendants *descendants, int number)
{
	for (size_t i = 0; i < descendants->count; i++) {
		(void)kill(descendants->list[i].pid, number);
		(void)kill(descendants->list[i].pid, SIGCONT);
	}
}

static void clear(struct exec_child *child,
		  const struct exec_descendants *descendants)
{
	long long soon = clock_now() + LEFTOVERS_MS;

	if (child->state == CHILD_CLEARING)
		return;
	complain_warning(
		"the command has left process %d (%s)%s behind: SIGTERM "
		"ends what is left",
		(int)descendants->list[0].pid, descendants->list[0].name,
		descendants->count > 1 ? " and others" : "");
	if (child->state == CHILD_RUNNING)
		child->kill_at = clock_now() + child->grace_ms;
	if (child->kill_at < soon)
		child->kill_at = soon;
	child->state = CHILD_CLEARING;
	end_all(descendants, SIGTERM);
}

/* What parents have left is our child. */
static void follow(struct exec_child *child,
		   const struct exec_descendants *descendants)
{
	size_t i = 0;

	while (i + 1 < descendants->count &&
	       descendants->list[i].parent != getpid())
		i++;
	child->pid = descendants->list[i].pid;
	complain_warning("the command has ended with status %d, and process %d "
			 "(%s) that it started goes on: it is followed",
			 child->status, (int)child->pid,
			 descendants->list[i].name);
}

/* The command has ended, and we have children. A look may miss one that was
 * born during it: then the end of its parent brings us here again. */
static void go_on(struct exec_child *child)
{
	struct exec_descendants descendants;

	exec_child_look(child, &descendants);
	if (descendants.count && (child->ends || child->state != CHILD_RUNNING))
		clear(child, &descendants);
	else if (descendants.count)
		follow(child, &descendants);
	exec_descendants_deinit(&descendants);
}

static void take_end(struct exec_child *child, pid_t ended, int how)
{
	for (size_t i = 0; i < EXEC_HELPERS; i++)
		if (child->helpers[i].pid == ended)
			child->helpers[i] = (struct exec_helper){.how = how};
	if (child->pid != ended)
		return;
	child->pid = 0;
	if (!child->status)
		child->status = WIFSIGNALED(how) ? EXEC_KILLED + WTERMSIG(how)
						 : WEXITSTATUS(how);
}

/* All that have ended: we get the orphans of others. Whoever lives below us has
 * a parent among our children, so that without children nobody does. */
bool exec_child_reap(struct exec_child *child, int *status)
{
	pid_t ended;
	int how;

	while ((ended = waitpid(-1, &how, WNOHANG)) > 0)
		take_end(child, ended, how);
	if (child->state == CHILD_NONE || child->pid)
		return false;
	if (ended == 0) {
		go_on(child);
		return false;
	}
	*status = child->status;
	child->state = CHILD_NONE;
	child->kill_at = 0;
	return true;
}

void exec_child_signal(const struct exec_child *child, int number)
{
	if (child->pid)
		(void)kill(child->pid, number);
}

void exec_child_stop(struct exec_child *child)
{
	if (child->state != CHILD_RUNNING)
		return;
	child->state = CHILD_STOPPING;
	child->restarts = true;
	child->kill_at = clock_now() + child->grace_ms;
	exec_child_signal(child, SIGTERM);
	exec_child_signal(child, SIGCONT);
}

static void kill_leftovers(struct exec_child *child)
{
	struct exec_descendants descendants;

	exec_child_look(child, &descendants);
	if (descendants.count)
		complain_warning("process %d (%s) of the command does not end "
				 "and is killed",
				 (int)descendants.list[0].pid,
				 descendants.list[0].name);
	end_all(&descendants, SIGKILL);
	exec_descendants_deinit(&descendants);
}

void exec_child_kill(struct exec_child *child)
{
	child->kill_at = clock_now() + AGAIN_MS;
	if (child->state == CHILD_CLEARING) {
		kill_leftovers(child);
		return;
	}
	complain_warning("the command does not end within --grace and is "
			 "killed");
	exec_child_signal(child, SIGKILL);
}
