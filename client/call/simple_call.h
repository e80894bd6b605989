#ifndef SIMPLE_CALL_H
#define SIMPLE_CALL_H

/*
 * A command that is one call: connect, call, and say what went wrong.
 */

#include <stdbool.h>

#include "base/buf.h"

struct client;
struct doc;
struct value;

struct simple_call {
	const char *method;  /* of io.clearconf */
	struct buf *members; /* of its parameters besides `workspace`; NULL */
	/* What to do when the daemon does not take a parameter; NULL: the two
	 * are of different versions. */
	const char *refused;
	bool of_all; /* it takes no workspace */
};

/* Connect, call, and complain of what went wrong. An exit status; *answer is
 * the caller's. */
int simple_call_run(const struct client *client, const struct simple_call *call,
		    struct doc **answer);

/* simple_call_run without parameters but the workspace, if one is named. */
int simple_call_plain(const struct client *client, const char *method,
		      struct doc **answer);

/* Print an answer as JSON, for --json. An exit status. */
int simple_call_print_json(const struct value *answer);

#endif
