#ifndef EXEC_POLICY_H
#define EXEC_POLICY_H

/*
 * How `exec` treats its command: what its options say, else what suits the
 * command. ClearML's agent is not to lose a task by us, wherever it is not
 * asked for.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "call/arguments.h"

struct exec_options {
	const char *on_change, *grace, *idle, *splay, *max_wait, *umask,
		*vaults, *check, *check_timeout;
	struct option_list only;
	bool files, require_vaults;
};

struct exec_policy {
	int on_change;  /* EXEC_RESTART, EXEC_IDLE, EXEC_NOTHING or a signal */
	bool is_agent;  /* ClearML's, whatever it does */
	bool is_worker; /* one that takes tasks from queues */
	int grace_ms;
	int splay_ms; /* this one's share of --splay */
	int max_wait_ms;
	mode_t umask;     /* EXEC_UMASK_OURS: as it is */
	const char *name; /* of the command, for people */
};

/* @argv: the command. EXIT_DONE or EXEC_FAILED, complained about; what people
 * would wonder about later is said as a warning. */
int exec_policy_make(struct exec_policy *policy,
		     const struct exec_options *options, char *const *argv);

/* What to pass on to the command of signal @number that was sent to us; 0:
 * nothing, which is said. */
int exec_policy_pass_on(const struct exec_policy *policy, int number);

#endif
