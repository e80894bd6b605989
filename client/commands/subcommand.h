#ifndef SUBCOMMAND_H
#define SUBCOMMAND_H

/*
 * Subcommands: `clearconf workspace use NAME`. A table a command; the
 * first verb is what the command does without one.
 */

#include <stdbool.h>
#include <stddef.h>

struct client;
struct command;

struct subcommand {
	const char *name;
	const char *argument; /* the one it takes, for people; NULL: none */
	int (*run)(const struct client *client, const void *fields,
		   const char *argument);
	bool optional; /* the argument, which is NULL then */

	/* In place of run, of one that takes two. */
	const char *second;
	int (*run_two)(const struct client *client, const void *fields,
		       const char *argument, const char *second);
};

struct subcommand_call {
	const struct command *command; /* whose verbs these are */
	char **words; /* NULL-terminated: what stands after the command */
};

/* The verb that the words begin with; NULL: they begin with something else. */
const struct subcommand *subcommand_find(const struct subcommand_call *call);

/* Run the verb that the words begin with. An exit status, complained about. */
int subcommand_run(const struct subcommand_call *call,
		   const struct client *client, const void *fields);

#endif
