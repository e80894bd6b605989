/*
 * clearconf, the command line of clearconfd: find the command, parse its
 * options, run it.
 */

#include <stdlib.h>
#include <sys/prctl.h>

#include "base/file.h"
#include "base/mem.h"
#include "call/arguments.h"
#include "call/command.h"
#include "call/globals.h"
#include "commands/help.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/output.h"

#define TIMEOUT_MS 30000

static struct option_set global_set(struct globals *globals)
{
	return (struct option_set){global_options, global_option_count,
				   globals};
}

static int start(const struct command *command, const struct globals *globals,
		 const void *fields, char **words)
{
	struct client client = {
		.socket = globals->socket,
		.workspace = globals->workspace,
		.timeout_ms =
			arguments_milliseconds(globals->timeout, TIMEOUT_MS),
		.any_server = globals->any_server,
	};
	int count = 0;

	while (words[count])
		count++;
	if (count > command->arguments_max)
		return complain(EXIT_USAGE,
				"'%s' is too many arguments: see 'clearconf "
				"%s --help'",
				words[command->arguments_max], command->name);
	if (command->secret)
		(void)prctl(PR_SET_DUMPABLE, 0);
	return command->run(&client, fields, count, words);
}

static int run_command(const struct command *command, struct globals *globals,
		       int argc, char **argv)
{
	_cleanup_(mem_freep) void *fields = mem_alloc(command->fields_size);
	_cleanup_(mem_freep) char *help =
		mem_printf("clearconf %s", command->name);
	struct option_set sets[ARGUMENTS_SETS] = {
		{command->options, command->option_count, fields},
		global_set(globals),
	};
	struct arguments arguments = {sets, command->runs_words, help};
	int first, status = arguments_parse(&arguments, argc, argv, &first);

	if (status != EXIT_DONE)
		return command->failure ? command->failure : status;
	if (globals->no_pager)
		(void)setenv("CLEARCONF_PAGER", "", true);
	if (globals->help)
		return help_print(command);
	if (globals->version)
		return help_print_version();
	return start(command, globals, fields, argv + first);
}

static int run(int argc, char **argv)
{
	struct globals globals = {0};
	struct option_set sets[ARGUMENTS_SETS] = {global_set(&globals)};
	struct arguments arguments = {sets, true, "clearconf"};
	const struct command *command;
	int first, status = arguments_parse(&arguments, argc, argv, &first);

	if (status != EXIT_DONE)
		return status;
	if (globals.help)
		return help_print(NULL);
	if (globals.version)
		return help_print_version();
	if (first == argc)
		return complain(EXIT_USAGE,
				"a command is missing: see 'clearconf help'");
	command = help_find(argv[first]);
	return command ? run_command(command, &globals, argc - first,
				     argv + first)
		       : EXIT_USAGE;
}

int main(int argc, char **argv)
{
	file_guard_standard();
	return output_end(run(argc, argv));
}
