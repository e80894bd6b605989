/*
 * clearconf, the command line of clearconfd.
 */

#include <stddef.h>

#include "call/command.h"
#include "commands/elsewhere.h"
#include "commands/program.h"

/* In the order of the list. */
/* clang-format off */
static const struct command *const commands[] = {
	&cmd_get,
	&cmd_explain,
	&cmd_watch,
	&cmd_dump,
	&cmd_exec,
	&cmd_status,
	&cmd_doctor,
	&cmd_report,
	&cmd_consumers,
	&cmd_change,
	&cmd_log,
	&cmd_diff,
	&cmd_hold,
	&cmd_release,
	&cmd_workspace,
	&cmd_credentials,
	&cmd_storage,
	&cmd_vault,
	&elsewhere_fleet,
	&elsewhere_site,
	&elsewhere_rollout,
	&cmd_profile,
	&cmd_token,
	&cmd_reload,
	&cmd_help,
	&cmd_version,
	NULL,
};
/* clang-format on */

static const struct program program = {commands};

int main(int argc, char **argv)
{
	return program_main(&program, argc, argv);
}
