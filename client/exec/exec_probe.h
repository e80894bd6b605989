#ifndef EXEC_PROBE_H
#define EXEC_PROBE_H

/*
 * A command of the user's that says yes or no: --idle CMD, --check CMD. Run by
 * the shell, a helper of exec_child.h, and ended with all of its process group
 * when it takes too long, which is a no.
 */

#include <signal.h>
#include <stdbool.h>

struct exec_helper;

struct exec_probe {
	const char *command;
	const sigset_t *mask;
	const char *option;   /* that brought it, for people */
	const char *argument; /* its $1; NULL: none */
	int limit_ms;
	int output;      /* where it prints; -1: where we do */
	pid_t pid;       /* 0: it does not run */
	long long until; /* it may; see clock.h */
};

enum exec_verdict { PROBE_RUNS, PROBE_YES, PROBE_NO };

/* It finds the process that is to be judged in CLEARCONF_PID (0: none is).
 * False: no process could be made. */
bool exec_probe_start(struct exec_probe *probe, struct exec_helper *helper,
		      pid_t judged);

/* The verdict of a test that was started. Once it is no longer PROBE_RUNS,
 * another may be started. */
enum exec_verdict exec_probe_look(struct exec_probe *probe,
				  const struct exec_helper *helper);

/* Stop the test; does nothing when none runs. */
void exec_probe_stop(struct exec_probe *probe);

#endif
