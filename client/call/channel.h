#ifndef CHANNEL_H
#define CHANNEL_H

/*
 * Channel: a connection to the daemon as commands use it. Parameters and
 * answers are trees, failures are exit statuses, and nothing is said about
 * them until channel_complain, but that an answer makes no sense.
 *
 * Whoever embeds a channel ends it with channel_deinit; an answer is the
 * caller's document.
 */

#include <stdbool.h>

#include "base/buf.h"
#include "clearconf.h"
#include "wire.h"

struct client;
struct doc;

struct channel {
	struct clearconf *handle;      /* NULL: zeroed */
	struct clearconf_watch *watch; /* that the handle is of; NULL: none */
	const char *error; /* by its full name, of the last call; NULL: none
			    * that channel.c knows */
	const char *hint;  /* what to do about the last failure, or NULL */
	int result;        /* of the last call: a negative errno, or
			    * CLEARCONF_E_ERROR; 0: no failure of the
			    * connection's */
};

/* Errors that some commands have more to say of, or can do something about. */
#define CHANNEL_PARAMETER_REFUSED "org.varlink.service.InvalidParameter"
#define CHANNEL_BROKEN            WIRE_INTERFACE ".BrokenConfiguration"
#define CHANNEL_OVER_QUOTA        WIRE_INTERFACE ".QuotaExceeded"
#define CHANNEL_NOT_READY         WIRE_INTERFACE ".NotReady"

/* Connect, in place of any earlier connection. */
int channel_open(struct channel *channel, const struct client *client);

void channel_deinit(struct channel *channel);

/* Call @method of io.clearconf. *@answer: its parameters. */
int channel_call(struct channel *channel, const char *method,
		 struct buf *parameters, struct doc **answer);

/* Call @method for many answers. */
int channel_send(struct channel *channel, const char *method,
		 struct buf *parameters);

/* Call Watch in place of any earlier connection, and again whenever the
 * connection is lost, without @parameters' "since", which is the last answer's.
 * That there is no daemon is an outcome of channel_next and channel_poll, once
 * until it is back: who can wait asks on. */
int channel_follow(struct channel *channel, const struct client *client,
		   struct buf *parameters);

/* The next of them; the text itself is left in *@text (may be NULL) until the
 * next call. @timeout_ms: negative waits for ever. */
int channel_next(struct channel *channel, int timeout_ms, struct doc **answer,
		 struct str *text);

/* channel_next without waiting: false when there is no whole answer yet. With
 * true, *status is what channel_next would have returned. */
bool channel_poll(struct channel *channel, struct doc **answer, int *status);

/* Did the last call fail with @error? */
bool channel_failed_with(const struct channel *channel, const char *error);

/* Say what went wrong with the connection, if anything did, and return
 * @status. */
int channel_complain(const struct channel *channel, int status);

#endif
