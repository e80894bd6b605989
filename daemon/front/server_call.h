#ifndef FRONT_SERVER_CALL_H
#define FRONT_SERVER_CALL_H

/*
 * Server calls: pending replies that need the ClearML server, or the daemon's
 * own polls, within a deadline.
 *
 * A method either asks the server of its workspace one thing after the other
 * (server_asks.c), or waits until polls have been answered (server_waits.c) or
 * the disk has (server_holds.c). Each is one row of a table there, named as in
 * the interface, and what it takes of the answers. The front owns its server
 * calls; a pending reply that is cancelled takes its call with it.
 *
 *   server_call_begin --> UNDER WAY --answered, failed, deadline--> replied
 *                             |                                       |
 *                             +-- cancelled ----------------------> freed
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/list.h"
#include "serve/pending.h"

struct engine;
struct front;
struct server_call;
struct session_call;
struct value;
struct workspace;

/* One request to the server. */
struct server_ask {
	const char *endpoint; /* NULL ends the list */
	bool optional;        /* not every server has it */
	/* The members of the object that is posted; NULL: nothing is. */
	void (*body)(const struct server_call *call, struct buf *members);
	/* The lifetime of the token that is asked for; NULL: it asks for none.
	 */
	int64_t (*mint)(const struct server_call *call);
	/* Add to call->fields. @data NULL: optional, and there is none. False
	 * when the answer lacks what it is all about. */
	bool (*take)(struct server_call *call, const struct value *data);
};

#define SERVER_ASKS_MAX 3

struct server_method {
	const char *name;                            /* NULL ends the table */
	struct server_ask asks[SERVER_ASKS_MAX + 1]; /* none: it waits */
	/* Called before it asks or looks; false: the call has ended. NULL:
	 * there is nothing to do. */
	bool (*begin)(struct server_call *call);
	void (*look)(struct server_call *call); /* polls have been answered */
	void (*late)(struct server_call *call); /* the deadline; NULL: fail */
	unsigned int timeouts; /* the deadline, in [poll] timeout; 0: one */
};

extern const struct server_method server_asks[], server_waits[], server_holds[];

struct server_call {
	struct list link; /* front->server_calls */
	struct front *front;
	struct engine *engine;
	struct workspace *workspace;
	struct pending *pending;
	const struct call *asked; /* its parameters; the pending reply's */
	const struct server_method *method;
	uv_timer_t deadline;
	bool begun; /* look() before that would end it while begin() runs */

	const struct server_ask *ask; /* that is under way */
	struct session_call *sent;
	struct buf fields;   /* of the answer, so far */
	uint64_t generation; /* of the active workspace at the beginning */
};

/* The row of a method of io.clearconf; NULL: it is none of the server's. */
const struct server_method *server_method_find(const char *name);

/* Work on @pending, for serve/service.h. */
void server_call_begin(struct front *front, struct pending *pending);

/* Polls have been answered: some calls may have waited for that. */
void server_calls_look(struct front *front);

/* @workspace's login (NULL: everybody's) is going: calls that use it fail. */
void server_calls_log_out(struct front *front,
			  const struct workspace *workspace);

/* --- for the methods --- */

/* Add @value as @key to the answer, masked if it has to be. */
void server_call_add(struct server_call *call, const char *key,
		     const struct value *value);

/* NULL, or why a workspace's server cannot be asked: the caller's. */
char *server_call_why_not(const struct workspace *workspace);

/* The call's, as it is now: a reload may have taken it away, which ends the
 * call and gives NULL. */
struct workspace *server_call_workspace(struct server_call *call);

/* What is to be replied to now: nothing is left of the call. */
struct pending *server_call_end(struct server_call *call);

/* The end with call->fields as the reply. */
void server_call_succeed(struct server_call *call);

#endif
