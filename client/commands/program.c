#include "commands/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "call/arguments.h"
#include "call/command.h"
#include "call/globals.h"
#include "commands/help.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/output.h"
#include "wire.h"

#define TIMEOUT_MS 30000

/* What was typed, after the program's name. */
struct words {
	int count;
	char **list; /* [-1]: the program, or the command */
};

static struct option_set global_set(struct globals *globals)
{
	return (struct option_set){global_options, global_option_count,
				   globals};
}

static int start(const struct command *command, const struct client *client,
		 const void *fields, char **words)
{
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
	return command->run(client, fields, count, words);
}

static const char *workspace_of(const struct globals *globals)
{
	const char *name = getenv(WIRE_WORKSPACE_VARIABLE);

	if (globals->workspace)
		return globals->workspace;
	return name && *name ? name : NULL;
}

static struct client client_of(const struct program *program,
			       const struct globals *globals)
{
	return (struct client){
		.program = program,
		.socket = globals->socket,
		.workspace = workspace_of(globals),
		.timeout_ms =
			arguments_milliseconds(globals->timeout, TIMEOUT_MS),
		.any_server = globals->any_server,
	};
}

static int run_command(const struct program *program,
		       const struct command *command, struct globals *globals,
		       struct words words)
{
	_cleanup_(mem_freep) void *fields = mem_alloc(command->fields_size);
	_cleanup_(mem_freep) char *help =
		mem_printf("clearconf %s", command->name);
	struct option_set sets[ARGUMENTS_SETS] = {
		{command->options, command->option_count, fields},
		global_set(globals),
	};
	struct arguments arguments = {sets, command->runs_words, help};
	struct client client;
	int first, status = arguments_parse(&arguments, words.count, words.list,
					    &first);

	if (status != EXIT_DONE)
		return command->failure ? command->failure : status;
	if (globals->no_pager)
		(void)setenv("CLEARCONF_PAGER", "", true);
	if (globals->help)
		return help_print(command);
	if (globals->version)
		return help_print_version();
	client = client_of(program, globals);
	return start(command, &client, fields, words.list + first);
}

static int run(const struct program *program, int argc, char **argv)
{
	struct globals globals = {0};
	struct option_set sets[ARGUMENTS_SETS] = {global_set(&globals)};
	struct arguments arguments = {sets, true, "clearconf"};
	const struct command *command;
	int first, status = arguments_parse(&arguments, argc, argv, &first);

	if (status != EXIT_DONE)
		return status;
	if (globals.help)
		return help_print_overview(program);
	if (globals.version)
		return help_print_version();
	if (first == argc)
		return complain(EXIT_USAGE,
				"a command is missing: see 'clearconf help'");
	command = help_find(program, argv[first]);
	if (!command)
		return EXIT_USAGE;
	if (command->elsewhere)
		return program_become(command->elsewhere, argv);
	return run_command(program, command, &globals,
			   (struct words){argc - first, argv + first});
}

int program_main(const struct program *program, int argc, char **argv)
{
	file_guard_standard();
	return output_end(run(program, argc, argv));
}

int program_become(const char *name, char **argv)
{
	_cleanup_(mem_freep) char *path = NULL;
	char self[4096];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	self[len > 0 ? len : 0] = '\0';
	slash = strrchr(self, '/');
	path = slash ? mem_printf("%.*s/%s", (int)(slash - self), self, name)
		     : mem_strdup(name);
	argv[0] = path;
	(void)execvp(path, argv);
	return complain(EXIT_FAILED,
			"%s: %s: it is installed with clearconf, beside it",
			path, strerror(errno));
}
