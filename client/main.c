/*
 * clearconf, the command line of clearconfd: find the command, parse its
 * options, run it.
 */

#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "base/file.h"
#include "base/mem.h"
#include "call/arguments.h"
#include "call/command.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/output.h"

#define TIMEOUT_MS 30000

/* As --help lists them. */
/* clang-format off */
static const struct command *const commands[] = {
	&cmd_get,
	&cmd_explain,
	&cmd_watch,
	&cmd_dump,
	&cmd_exec,
	&cmd_status,
	&cmd_doctor,
	&cmd_log,
	&cmd_workspace,
	&cmd_credentials,
	&cmd_storage,
	&cmd_site,
	&cmd_profile,
	&cmd_token,
	&cmd_reload,
};
/* clang-format on */

struct globals {
	const char *socket, *workspace, *timeout;
	bool any_server, help, version;
};

static const struct option_spec global_options[] = {
	{"socket", 's', OPTION_TEXT, offsetof(struct globals, socket), "PATH",
	 "the daemon's socket"},
	{"workspace", 'w', OPTION_TEXT, offsetof(struct globals, workspace),
	 "NAME", "not the active workspace but this one"},
	{"timeout", 't', OPTION_SECONDS, offsetof(struct globals, timeout), "S",
	 "wait at most S seconds for an answer (30)"},
	{"any-server", '\0', OPTION_FLAG, offsetof(struct globals, any_server),
	 NULL, "trust the daemon whoever runs it"},
	{"help", 'h', OPTION_FLAG, offsetof(struct globals, help), NULL,
	 "print this help"},
	{"version", 'V', OPTION_FLAG, offsetof(struct globals, version), NULL,
	 "print the version"},
};

static struct option_set global_set(struct globals *globals)
{
	return (struct option_set){global_options, ARRAY_SIZE(global_options),
				   globals};
}

static int print_help(void)
{
	(void)printf(
		"Usage: clearconf [OPTION...] COMMAND [ARG...]\n"
		"\n"
		"The ClearML configuration of this host, from clearconfd.\n"
		"\n"
		"Commands (more with 'clearconf COMMAND --help'):\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		(void)printf("  %-11s %s\n", commands[i]->name,
			     commands[i]->summary);
	(void)printf("\nOptions:\n");
	arguments_print(global_options, ARRAY_SIZE(global_options));
	(void)printf("\n"
		     "The socket is --socket, else $CLEARCONF_SOCKET, else the "
		     "first that exists of\n"
		     "the user's ($XDG_RUNTIME_DIR/clearconf/clearconf.sock) "
		     "and the system's\n"
		     "(/run/clearconf/clearconf.sock).\n"
		     "\n"
		     "Exit status: 0 done, 1 failed, 2 wrong usage, 3 path not "
		     "found, 4 no daemon,\n"
		     "5 access denied, 6 the ClearML server refused or is "
		     "away.\n");
	return EXIT_DONE;
}

static int print_command_help(const struct command *command)
{
	(void)printf("Usage: clearconf %s%s%s\n\n%s\n", command->name,
		     *command->synopsis ? " " : "", command->synopsis,
		     command->details);
	if (command->option_count)
		(void)printf("\nOptions:\n");
	arguments_print(command->options, command->option_count);
	(void)printf("\nGlobal options:\n");
	arguments_print(global_options, ARRAY_SIZE(global_options));
	return EXIT_DONE;
}

static int print_version(void)
{
	(void)printf("clearconf %s\n", CLEARCONF_VERSION);
	return EXIT_DONE;
}

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
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
	if (globals->help)
		return print_command_help(command);
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
		return print_help();
	if (globals.version)
		return print_version();
	if (first == argc)
		return complain(EXIT_USAGE,
				"a command is missing: see 'clearconf --help'");
	command = find_command(argv[first]);
	if (!command)
		return complain(EXIT_USAGE,
				"unknown command '%s': see 'clearconf --help'",
				argv[first]);
	return run_command(command, &globals, argc - first, argv + first);
}

int main(int argc, char **argv)
{
	file_guard_standard();
	return output_end(run(argc, argv));
}
