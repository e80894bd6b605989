#ifndef EXEC_DRAIN_H
#define EXEC_DRAIN_H

/*
 * Waiting until the command has nothing at work: looks, asks, holds it still,
 * as exec_idle.h decides, or has --idle decide.
 */

#include <stdbool.h>

#include "exec/exec_freeze.h"
#include "exec/exec_idle.h"
#include "exec/exec_probe.h"

struct exec_child;
struct exec_reporter;

#define EXEC_DRAIN_REASON 160

struct exec_drain {
	struct exec_child *child;
	struct exec_reporter *reporter;
	bool is_worker; /* the command is a worker of queues, by its words */
	struct exec_idle idle;
	struct exec_freeze freeze;
	struct exec_probe probe;
	long long look_at;              /* 0: at once */
	char reason[EXEC_DRAIN_REASON]; /* what is waited for; "": unknown */
};

/* Go on, after a poll; true when it has nothing at work: then it is to be
 * ended, and exec_drain_stop called. */
bool exec_drain_step(struct exec_drain *drain);

/* There is nothing to wait for any more; what is held is let go. */
void exec_drain_stop(struct exec_drain *drain);

#endif
