#ifndef VERB_H
#define VERB_H

/*
 * Commands of commands: `clearconf workspace use NAME`. A table a command; the
 * first verb is what the command does without one.
 */

#include <stddef.h>

struct client;

struct verb {
	const char *name;
	const char *argument; /* the one it takes, for people; NULL: none */
	int (*run)(const struct client *client, const void *fields,
		   const char *argument);
};

struct verb_call {
	const char *command; /* whose verbs these are */
	const struct verb *verbs;
	size_t count;
	char **words; /* NULL-terminated: what stands after the command */
};

/* An exit status, complained about. */
int verb_run(const struct verb_call *call, const struct client *client,
	     const void *fields);

#endif
