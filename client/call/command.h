#ifndef COMMAND_H
#define COMMAND_H

/*
 * A command of the command line: one line of its program's table in main.c, one
 * file cmd_NAME.c.
 *
 * commands/program.c parses the options into a zeroed block of @fields_size
 * bytes, checks the number of the other arguments, and calls @run with an argv
 * of those alone.
 */

#include <stdbool.h>
#include <stddef.h>

struct client;
struct option_spec;
struct program;
struct subcommand;

/* The global options, for every command. */
struct client {
	const struct program *program;
	const char *socket, *workspace; /* NULL: not given */
	int timeout_ms;
	bool any_server; /* it need not be root's or the user's own */
};

struct command {
	const char *name;
	const char *synopsis;  /* arguments, as in clearconf(1) */
	const char *summary;   /* for the list of commands */
	const char *elsewhere; /* the program that has it, and all that
				  follows; NULL: the one that lists it */
	const char *details;   /* for its own --help; lines */
	const struct option_spec *options;
	size_t option_count;
	size_t fields_size;
	const struct subcommand *subcommands; /* see commands/subcommand.h */
	size_t verb_count;
	int arguments_max;
	bool secret;     /* no core dump, no ptrace by others */
	bool runs_words; /* the first word ends the options: it is a command */
	int failure;     /* exit status of wrong options; 0: EXIT_USAGE */
	int (*run)(const struct client *client, const void *fields, int argc,
		   char **argv);
};

extern const struct command cmd_change, cmd_complete, cmd_consumers,
	cmd_credentials, cmd_diff, cmd_doctor, cmd_dump, cmd_exec, cmd_explain,
	cmd_fleet, cmd_get, cmd_help, cmd_hold, cmd_log, cmd_profile,
	cmd_release, cmd_reload, cmd_report, cmd_rollout, cmd_status, cmd_site,
	cmd_storage, cmd_token, cmd_vault, cmd_version, cmd_watch,
	cmd_workspace;

#endif
