/*
 * clearconf-fleet: the commands of clearconf that ask etcd, or nobody, and not
 * the daemon.
 */

#include <stddef.h>

#include "call/command.h"
#include "commands/program.h"

/* In the order of the list. */
static const struct command *const commands[] = {
	&cmd_fleet, &cmd_site, &cmd_rollout, &cmd_help, &cmd_version, NULL,
};

static const struct program program = {commands};

int main(int argc, char **argv)
{
	return program_main(&program, argc, argv);
}
