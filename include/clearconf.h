#ifndef CLEARCONF_H
#define CLEARCONF_H

/*
 * libclearconf: ask clearconfd for the ClearML configuration of this host.
 *
 * The daemon speaks Varlink (varlink.org) on a Unix socket; this library finds
 * the socket, sends calls and hands out replies. Parameters and replies are
 * JSON text, so that any JSON library can be used, or none: integers may have
 * more than 64 bits. The methods are described in io.clearconf.varlink.
 *
 * A handle is one connection with at most one call under way:
 *
 *             connect              send
 *   CLOSED -------------> IDLE -------------> BUSY --+ a reply that
 *      ^                   ^                  |  ^---+ continues
 *      |                   +--- last reply ---+  |
 *      +------------- disconnect, or a failure --+
 *
 * Handles are independent of one another, and there is no other state: use
 * each from one thread at a time.
 *
 * Every function that can fail returns
 *    0                   done; where there is a reply, it is in *reply
 *    CLEARCONF_E_...     an outcome to expect, below
 *    a negative errno    -ENOENT or -ECONNREFUSED: no daemon; -ETIMEDOUT;
 *                        -ECONNRESET: the daemon went away; -EPROTO: the peer
 *                        does not speak Varlink; -EMSGSIZE: a reply over the
 *                        limit; -ENOMEM; -EBUSY, -ENOTCONN, -EINVAL: a mistake
 *                        of the caller's
 * and leaves one line for people in clearconf_strerror(). A failure of the
 * connection disconnects the handle; connect again to go on. Memory that held
 * a reply is wiped before it is given back.
 *
 * Example: print agent.worker_name as JSON, with the daemon's {"generation":
 * ..., "value": ...} around it.
 *
 *	#include <clearconf.h>
 *	#include <stdio.h>
 *
 *	int main(void)
 *	{
 *		struct clearconf *handle;
 *		struct clearconf_reply reply;
 *		int r;
 *
 *		if (clearconf_new(&handle) < 0)
 *			return 1;
 *		r = clearconf_connect(handle, NULL);
 *		if (r == 0)
 *			r = clearconf_call(handle, "io.clearconf.Get",
 *					   "{\"path\":\"agent.worker_name\"}",
 *					   &reply);
 *		if (r == 0)
 *			puts(reply.parameters);
 *		else
 *			fprintf(stderr, "%s\n", clearconf_strerror(handle));
 *		clearconf_free(handle);
 *		return r == 0 ? 0 : 1;
 *	}
 */

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct clearconf;

enum {
	/* The daemon answered with an error: *reply says which. */
	CLEARCONF_E_ERROR = 1,
	/* clearconf_process: no complete reply yet, poll again. */
	CLEARCONF_E_AGAIN = 2,
};

/* A reply belongs to its handle and is valid until the next function that is
 * given the handle, clearconf_strerror and the getters excepted. */
struct clearconf_reply {
	const char *error;      /* "io.clearconf.PathNotFound"; NULL: none */
	const char *parameters; /* JSON text of an object, as it was received */
	size_t parameters_len;  /* the same as strlen(parameters) */
	bool continues;         /* more replies to this call will come */
};

/* A new handle in *handle, CLOSED. 0 or -ENOMEM. */
int clearconf_new(struct clearconf **handle);

/* Disconnect, wipe and free; NULL is allowed. */
void clearconf_free(struct clearconf *handle);

/* Connect to the daemon's socket. @path NULL: $CLEARCONF_SOCKET; else the
 * first that exists of the user instance's and the system instance's sockets.
 * When that one refuses, connecting fails: the next is not tried, since it
 * would answer with another configuration. A connected handle is disconnected
 * first. */
int clearconf_connect(struct clearconf *handle, const char *path);

/* Forget the connection and any call under way. */
void clearconf_disconnect(struct clearconf *handle);

/* The socket that clearconf_connect chose last; "" when it found none. */
const char *clearconf_socket(const struct clearconf *handle);

/* How long clearconf_connect, clearconf_call and clearconf_wait may wait for
 * the daemon, in milliseconds; negative: for ever. 30,000 at first. */
void clearconf_set_timeout(struct clearconf *handle, int milliseconds);

/* The largest message to accept, in bytes. 64 MiB at first. */
void clearconf_set_limit(struct clearconf *handle, size_t bytes);

/* Call @method ("io.clearconf.Get") with @parameters, the JSON text of an
 * object or NULL for none, and wait for the one reply. 0 or CLEARCONF_E_ERROR,
 * both with *reply; a negative errno disconnects, -EBUSY, -ENOTCONN and
 * -EINVAL excepted. */
int clearconf_call(struct clearconf *handle, const char *method,
		   const char *parameters, struct clearconf_reply *reply);

/*
 * The parts of a call, for methods that reply again and again (@more: Watch,
 * GetStatus) and for event loops.
 */

/* Begin a call; may leave bytes to send to clearconf_process. @more: several
 * replies are welcome. */
int clearconf_send(struct clearconf *handle, const char *method,
		   const char *parameters, bool more);

/* Wait for the next reply. 0 or CLEARCONF_E_ERROR, both with *reply. After
 * -ETIMEDOUT the call is still under way: wait again, or disconnect. */
int clearconf_wait(struct clearconf *handle, struct clearconf_reply *reply);

/* Go on without ever blocking: call it when clearconf_get_fd() is ready for
 * clearconf_get_events(), again and again until CLEARCONF_E_AGAIN. 0 or
 * CLEARCONF_E_ERROR, both with *reply. */
int clearconf_process(struct clearconf *handle, struct clearconf_reply *reply);

/* The connection's descriptor, for poll(2) and the like; -1 when CLOSED. It
 * changes with every connect. */
int clearconf_get_fd(const struct clearconf *handle);

/* What to poll for: POLLIN, and POLLOUT while there is something to send. */
int clearconf_get_events(const struct clearconf *handle);

/* One line about the last thing that went wrong on @handle: no line end, no
 * configuration value; "" when nothing has. Valid until the next failure. */
const char *clearconf_strerror(const struct clearconf *handle);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
