#ifndef EXEC_AGENT_H
#define EXEC_AGENT_H

/*
 * Whether a command is ClearML's agent, and in what way it is to run: read
 * from its words alone, nothing is looked up.
 *
 * Recognised are clearml-agent by any path, Python running it (-m
 * clearml_agent, or the launcher's path), and either behind env, nice and
 * others that become the command they are given. The agent's words are read as
 * its argparse reads them: abbreviated, several letters in one.
 *
 * @argv is NULL-terminated everywhere.
 */

#include <stdbool.h>

bool exec_agent_is(char *const *argv);

/* "daemon", "execute" ...; NULL: no agent, or none is named. */
const char *exec_agent_subcommand(char *const *argv);

/* A worker that takes tasks from queues, for as long as it lives; not one that
 * asks (--status) or stops another (--stop). */
bool exec_agent_is_worker(char *const *argv);

/* A worker whose tasks run beside each other, for as long as they like: in
 * services mode, or on a share of the GPUs each. */
bool exec_agent_is_services(char *const *argv);

/* A worker whose tasks log in as their owners: its keys are none of theirs. */
bool exec_agent_is_for_owners(char *const *argv);

#endif
