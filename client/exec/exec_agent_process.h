#ifndef EXEC_AGENT_PROCESS_H
#define EXEC_AGENT_PROCESS_H

/*
 * A running agent of ClearML's, as it can be seen from outside: what it was
 * called with, whether it sleeps, and under which id the server knows it.
 *
 * Between two looks at its queues a worker sleeps. While its main thread does,
 * it is in no call to the server: no answer that hands it a task is on its way.
 */

#include <stdbool.h>
#include <sys/types.h>

enum exec_agent_process_kind {
	WORKER_NONE,       /* no agent at all */
	WORKER_OF_QUEUES,  /* one task at a time, and idle between them */
	WORKER_NEVER_IDLE, /* its tasks run beside each other, or it is one */
};

enum exec_agent_process_kind exec_agent_process_kind(char *const *argv);

/* The kind of the process @pid; WORKER_NONE when it may not be seen. */
enum exec_agent_process_kind exec_agent_process_kind_of(pid_t pid);

/* Is the main thread of @pid asleep? That is what it does, or did when it was
 * stopped; false when it may not be seen. */
bool exec_agent_process_is_asleep(pid_t pid);

/* The id that the agent @pid has at the server, the caller's; NULL: it has
 * none yet, or it may not be seen. */
char *exec_agent_process_id(pid_t pid);

/* Does an agent end by @signal, or stand still? It answers to SIGTERM and
 * SIGINT only, which end it in order. */
bool exec_agent_process_dies_of(int signal);

#endif
