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
 * each from one thread at a time. Where the daemon may go and come back,
 * struct clearconf_watch below connects again by itself.
 *
 * Every function that can fail returns
 *    0                   done; where there is a reply, it is in *reply
 *    CLEARCONF_E_...     an outcome to expect, below
 *    a negative errno    -ENOENT or -ECONNREFUSED: no daemon; -ETIMEDOUT;
 *                        -EPERM: somebody else serves on the socket;
 *                        -ECONNRESET: the daemon went away; -EPROTO: the peer
 *                        does not speak Varlink; -EMSGSIZE: a reply over the
 *                        limit; -ENOMEM; -EBUSY, -ENOTCONN, -EINVAL: a mistake
 *                        of the caller's
 * and leaves one line for people in clearconf_strerror(). A failure of the
 * connection disconnects the handle; connect again to go on. Memory that held
 * a reply is wiped before it is given back.
 *
 * Example:
 *
 *	#include <clearconf.h>
 *	#include <stdio.h>
 *
 *	int main(void)
 *	{
 *		struct clearconf *handle;
 *		const char *name;
 *		int r;
 *
 *		if (clearconf_new(&handle) < 0)
 *			return 1;
 *		r = clearconf_connect(handle, NULL);
 *		if (r == 0)
 *			r = clearconf_get_string(handle, "agent.worker_name",
 *						 &name);
 *		if (r == 0)
 *			puts(name);
 *		else
 *			fprintf(stderr, "%s\n", clearconf_strerror(handle));
 *		clearconf_free(handle);
 *		return r == 0 ? 0 : 1;
 *	}
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct clearconf;

enum {
	/* The daemon answered with an error: *reply says which. */
	CLEARCONF_E_ERROR = 1,
	/* clearconf_process, clearconf_watch_next: no complete reply yet, poll
	 * again. */
	CLEARCONF_E_AGAIN = 2,
	/* The getters: there is nothing at the path, or null. */
	CLEARCONF_E_ABSENT = 3,
	/* The getters: the value is of another type. */
	CLEARCONF_E_TYPE = 4,
	/* The getters: the value is of the right type, but C's has no room for
	 * it. */
	CLEARCONF_E_RANGE = 5,
	/* The getters: this user may not have the value. */
	CLEARCONF_E_DENIED = 6,
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
 * first.
 *
 * What a configuration says may be run, so only root's or this process's own
 * daemon will do, and on the system instance's socket that of the user to whom
 * root gave its folder, /run/clearconf: else -EPERM. */
int clearconf_connect(struct clearconf *handle, const char *path);

/* Whoever serves will do, from the next clearconf_connect on; for tests. */
void clearconf_allow_any_server(struct clearconf *handle, bool allowed);

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

/*
 * One value, by its path: agent.worker_name, sdk."key.with.dots", list.0; NULL
 * or "" is the root. Each asks the daemon, which answers from memory; 0, one of
 * CLEARCONF_E_ABSENT, _TYPE, _RANGE, _DENIED and _ERROR, which leave *value as
 * it was, so that it may hold the default; or a negative errno as of
 * clearconf_call. A text is valid as long as a reply.
 *
 * Types are not bent: "1" is no integer. What is masked for this user is
 * CLEARCONF_E_DENIED, never a text of asterisks.
 */

/* Ask for the values of this workspace from now on; NULL, and at first: of the
 * one that $CLEARCONF_WORKSPACE names, else of this process's own or the active
 * one. Calls and watches say it by their parameters. 0 or -ENOMEM. */
int clearconf_set_workspace(struct clearconf *handle, const char *name);

/* A string. With a NUL in it, it is CLEARCONF_E_RANGE. */
int clearconf_get_string(struct clearconf *handle, const char *path,
			 const char **value);

/* An integer; over 64 bits it is CLEARCONF_E_RANGE. */
int clearconf_get_int(struct clearconf *handle, const char *path,
		      int64_t *value);

/* Any number, as near as a double comes. */
int clearconf_get_double(struct clearconf *handle, const char *path,
			 double *value);

int clearconf_get_bool(struct clearconf *handle, const char *path, bool *value);

/* A string, or the text of a number with all its digits, or "true" or "false".
 */
int clearconf_get_text(struct clearconf *handle, const char *path,
		       const char **value);

/* Anything, null too, as JSON text. */
int clearconf_get_json(struct clearconf *handle, const char *path,
		       const char **value);

/* One line about the last thing that went wrong on @handle: no line end, no
 * configuration value; "" when nothing has. Valid until the next failure. */
const char *clearconf_strerror(const struct clearconf *handle);

/*
 * A watch follows the configuration, and outlives the daemon: it owns a handle,
 * connects when it can, asks, and when the connection is lost does so again,
 * after 100 ms, then twice as long each time up to 5 s. What changed meanwhile
 * is in the first reply of the new connection, or all there is, with
 * "resync":true, when the daemon cannot tell any more; a watch with "values"
 * gets all there is each time.
 *
 *	struct clearconf_watch *watch;
 *	struct clearconf_reply reply;
 *
 *	clearconf_watch_new(&watch, NULL, NULL, "{\"paths\":[\"agent\"]}");
 *	for (;;) {
 *		int r = clearconf_watch_wait(watch, -1, &reply);
 *
 *		if (r == 0)
 *			apply(reply.parameters);
 *		else
 *			complain(clearconf_strerror(
 *				clearconf_watch_get_handle(watch)));
 *	}
 *
 * In an event loop: poll clearconf_watch_get_fd(), which is the same for the
 * watch's whole life, for POLLIN alone, and then call clearconf_watch_next
 * until it returns CLEARCONF_E_AGAIN.
 */
struct clearconf_watch;

/* @socket: as for clearconf_connect; one that was found and has answered is
 * kept. @method NULL: io.clearconf.Watch; else
 * another that replies again and again. @parameters: its parameters without
 * "since", or NULL for none. Nothing is connected yet. 0, -ENOMEM, -EINVAL (no
 * such parameters), or why the system gives no descriptor. */
int clearconf_watch_new(struct clearconf_watch **watch, const char *socket,
			const char *method, const char *parameters);

/* Disconnect, wipe and free; NULL is allowed. */
void clearconf_watch_free(struct clearconf_watch *watch);

/* Begin with what has changed after this generation. Before the first reply:
 * then the watch knows itself where it was. */
void clearconf_watch_set_since(struct clearconf_watch *watch,
			       int64_t generation);

/* For poll(2) and the like; ready for reading when clearconf_watch_next has
 * something to do. */
int clearconf_watch_get_fd(const struct clearconf_watch *watch);

/* Go on, without ever blocking.
 *    0                  a reply of the method
 *    CLEARCONF_E_AGAIN  nothing for now: poll
 *    CLEARCONF_E_ERROR  the daemon refused, *reply says why
 *    a negative errno   there is no daemon, or it went away; told once, until
 *                       there has been a reply again. -ENOMEM is told always
 * After the last two the watch tries again by itself, if it is still asked: who
 * takes them for the end frees it. *reply is valid until the next call. */
int clearconf_watch_next(struct clearconf_watch *watch,
			 struct clearconf_reply *reply);

/* The same, but wait so long (negative: for ever) before CLEARCONF_E_AGAIN. */
int clearconf_watch_wait(struct clearconf_watch *watch, int milliseconds,
			 struct clearconf_reply *reply);

/* The watch's own handle: for clearconf_strerror, clearconf_socket,
 * clearconf_set_limit, clearconf_allow_any_server and clearconf_set_timeout
 * (how long the first reply may take), and for nothing else. */
struct clearconf *clearconf_watch_get_handle(struct clearconf_watch *watch);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif
