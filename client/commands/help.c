#include "commands/help.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/suggest.h"
#include "call/command.h"
#include "call/globals.h"
#include "commands/program.h"
#include "text/complain.h"
#include "text/exit_status.h"
#include "text/output.h"

const struct command *help_find_quietly(const struct program *program,
					const char *name)
{
	const struct command *const *at;

	for (at = program->commands; *at; at++)
		if (!strcmp((*at)->name, name))
			return *at;
	/* Which is in no list. */
	return !strcmp(cmd_complete.name, name) ? &cmd_complete : NULL;
}

const struct command *help_find(const struct program *program, const char *name)
{
	const struct command *command = help_find_quietly(program, name);
	struct suggest near = SUGGEST_FOR(str_from(name));
	_cleanup_(mem_freep) char *guess = NULL;

	if (command)
		return command;
	for (const struct command *const *at = program->commands; *at; at++)
		suggest_offer(&near, (*at)->name);
	guess = suggest_text(&near, "");
	complain(EXIT_USAGE, "unknown command '%s'%s: see 'clearconf help'",
		 name, guess);
	return NULL;
}

static void write_overview(struct buf *out, const struct program *program)
{
	buf_puts(out,
		 "Usage: clearconf [OPTION...] COMMAND [ARG...]\n"
		 "\n"
		 "The ClearML configuration of this host, from clearconfd.\n"
		 "\n"
		 "Commands (more with 'clearconf help COMMAND'):\n");
	for (const struct command *const *at = program->commands; *at; at++)
		buf_printf(out, "  %-11s %s\n", (*at)->name, (*at)->summary);
	buf_puts(out, "\nOptions:\n");
	arguments_write(out, global_options, global_option_count);
	buf_puts(out, "\n"
		      "The socket is --socket, else $CLEARCONF_SOCKET, else "
		      "the first that exists of\n"
		      "the user's ($XDG_RUNTIME_DIR/clearconf/clearconf.sock) "
		      "and the system's\n"
		      "(/run/clearconf/clearconf.sock).\n"
		      "\n"
		      "Exit status: 0 done, 1 failed, 2 wrong usage, 3 path "
		      "not found, 4 no daemon,\n"
		      "5 access denied, 6 the ClearML server refused or is "
		      "away.\n");
}

static void write_command(struct buf *out, const struct command *command)
{
	buf_printf(out, "Usage: clearconf %s%s%s\n\n%s\n", command->name,
		   *command->synopsis ? " " : "", command->synopsis,
		   command->details);
	if (command->option_count)
		buf_puts(out, "\nOptions:\n");
	arguments_write(out, command->options, command->option_count);
	buf_puts(out, "\nGlobal options:\n");
	arguments_write(out, global_options, global_option_count);
}

int help_print(const struct command *command)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	write_command(&out, command);
	return output_show(buf_str(&out));
}

int help_print_overview(const struct program *program)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	write_overview(&out, program);
	return output_show(buf_str(&out));
}

int help_print_version(void)
{
	return output_write(STR("clearconf " CLEARCONF_VERSION "\n"));
}

/* --- as commands ---------------------------------------------------------- */

static int run_help(const struct client *client, const void *fields, int argc,
		    char **argv)
{
	const struct command *command;
	char verb[] = "help";
	char *words[] = {NULL, verb, argv[0], NULL};

	(void)fields;
	if (!argc)
		return help_print_overview(client->program);
	command = help_find(client->program, argv[0]);
	if (!command)
		return EXIT_USAGE;
	return command->elsewhere ? program_become(command->elsewhere, words)
				  : help_print(command);
}

static int run_version(const struct client *client, const void *fields,
		       int argc, char **argv)
{
	(void)client;
	(void)fields;
	(void)argc;
	(void)argv;
	return help_print_version();
}

const struct command cmd_help = {
	.name = "help",
	.synopsis = "[COMMAND]",
	.summary = "list the commands, or tell how one is used",
	.details = "The same as 'clearconf --help' and 'clearconf COMMAND "
		   "--help'.",
	.fields_size = 1,
	.arguments_max = 1,
	.run = run_help,
};

const struct command cmd_version = {
	.name = "version",
	.synopsis = "",
	.summary = "print the version",
	.details = "The same as 'clearconf --version'. 'clearconf status' "
		   "shows that of the daemon.",
	.fields_size = 1,
	.arguments_max = 0,
	.run = run_version,
};
