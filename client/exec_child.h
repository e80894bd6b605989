#ifndef EXEC_CHILD_H
#define EXEC_CHILD_H

/*
 * The command that `exec` runs: a process of our group, so that a terminal
 * stays its own, which does not outlive us.
 *
 *	      start            stop              its end
 *	NONE -------> RUNNING ------> STOPPING ----------+
 *	  ^              | its end                       |
 *	  +--------------+-------------------------------+
 *
 * It gets SIGTERM, and SIGKILL when the grace is over.
 */

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

/* Exit statuses of what runs commands, as env(1) and timeout(1) have them. */
enum {
	EXEC_FAILED = 125,
	EXEC_NOT_EXECUTABLE = 126,
	EXEC_NOT_FOUND = 127,
	EXEC_KILLED = 128, /* and the number of the signal */
};

struct exec_child {
	enum { CHILD_NONE, CHILD_RUNNING, CHILD_STOPPING } state;
	pid_t pid;
	long long kill_at; /* while STOPPING; see clock.h */
};

struct exec_command {
	char **argv;          /* NULL-terminated */
	const sigset_t *mask; /* of signals, for the command */
};

/* EXIT_DONE, or one of EXEC_*, complained about. @env: of the command, whose
 * PATH also says where it is looked for. */
int exec_child_start(struct exec_child *child,
		     const struct exec_command *command, char **env);

/* Whether it has ended; then *status is its exit status. */
bool exec_child_reap(struct exec_child *child, int *status);

void exec_child_signal(const struct exec_child *child, int number);
void exec_child_stop(struct exec_child *child, int grace_ms);

/* When the time of child->kill_at has come. */
void exec_child_kill(struct exec_child *child);

#endif
