#ifndef EXEC_CHILD_H
#define EXEC_CHILD_H

/*
 * The command that `exec` runs: a process of our group, so that a terminal
 * stays its own, and all that it starts. As a subreaper we are handed what
 * outlives its parent: nothing of the command gets lost, and it is over when
 * nothing of it is left.
 *
 *	      start            stop, and SIGKILL after the grace
 *	NONE -------> RUNNING ------> STOPPING
 *	  ^            |  ^ |            | its end, others of it live:
 *	  |    its end,|  +-+ the eldest | they get SIGTERM too, and SIGKILL
 *	  | none left  |      follows it v
 *	  +------------+------------- CLEARING
 *
 * A command that ends while others of it live has gone into the background:
 * the eldest of them is followed in its place, unless its end was asked for.
 */

#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "exec/exec_descendants.h"

/* Exit statuses of what runs commands, as env(1) and timeout(1) have them. */
enum {
	EXEC_FAILED = 125,
	EXEC_NOT_EXECUTABLE = 126,
	EXEC_NOT_FOUND = 127,
	EXEC_KILLED = 128, /* and the number of the signal */
};

struct exec_child {
	enum {
		CHILD_NONE,
		CHILD_RUNNING,
		CHILD_STOPPING,
		CHILD_CLEARING
	} state;
	pid_t pid;         /* the command; 0: it has ended, others live */
	bool ends;         /* its end was asked for: nothing is to be left */
	bool restarts;     /* exec_child_stop was called: it is to be started */
	int grace_ms;      /* between SIGTERM and SIGKILL */
	long long kill_at; /* while STOPPING or CLEARING; see clock.h */
	int status;        /* so far */
	struct exec_helper {
		pid_t pid;       /* 0: none, or it has ended */
		int how;         /* it did; see wait(2) */
	} helpers[EXEC_HELPERS]; /* processes of our own beside it */
};

struct exec_command {
	char **argv;          /* NULL-terminated */
	const sigset_t *mask; /* of signals, for the command */
	bool outlives_us;     /* or it gets SIGTERM when we are killed */
	mode_t umask;         /* EXEC_UMASK_OURS: as it is */
	int lock;             /* a descriptor that it shares with us */
};

#define EXEC_UMASK_OURS ((mode_t)-1)

/* EXIT_DONE, or one of EXEC_*, complained about. @env: of the command, whose
 * PATH also says where it is looked for. */
int exec_child_start(struct exec_child *child,
		     const struct exec_command *command, char **env);

/* Reap what has ended. True when nothing is left of the command; then *status
 * is its exit status, or, where that is 0, of the next that was followed. */
bool exec_child_reap(struct exec_child *child, int *status);

void exec_child_signal(const struct exec_child *child, int number);

/* End it and what it leaves: SIGTERM, and SIGKILL after the grace. */
void exec_child_stop(struct exec_child *child);

/* To be called when the time of child->kill_at has come. */
void exec_child_kill(struct exec_child *child);

/* List what lives of it, helpers excepted. */
void exec_child_look(const struct exec_child *child,
		     struct exec_descendants *descendants);

#endif
