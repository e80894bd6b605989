#ifndef ONCE_H
#define ONCE_H

/*
 * A command that is one call: connect, call, and say what went wrong.
 */

#include "base/buf.h"

struct client;
struct doc;
struct value;

struct once {
	const char *method; /* of io.clearconf */
	struct buf *parameters;
	/* What to do when the daemon does not take a parameter; NULL: the two
	 * are of different versions. */
	const char *refused;
};

/* An exit status, complained about; *answer is the caller's. */
int once_call(const struct client *client, const struct once *once,
	      struct doc **answer);

/* The same without parameters but the workspace, if one is named. */
int once_ask(const struct client *client, const char *method,
	     struct doc **answer);

/* Print an answer as JSON, for --json. An exit status. */
int once_print_json(const struct value *answer);

#endif
