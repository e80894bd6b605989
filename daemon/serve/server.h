#ifndef SERVE_SERVER_H
#define SERVE_SERVER_H

/*
 * Server: the Varlink service on the Unix socket.
 *
 * It owns the listening socket and every connection; answers come from the
 * service it was given. One shared read buffer serves all connections. The
 * process must ignore SIGPIPE: libuv writes by plain writev(2).
 *
 *   new --listen--> LISTENING --stop--> DRAINING --last connection--> freed
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct behind;
struct buf;
struct consumer_count;
struct consumer_reader;
struct history;
struct limits;
struct service;
struct server;

/* @service must outlive the server. */
struct server *server_new(uv_loop_t *loop, const struct service *service,
			  const struct limits *limits);

/* What is there already stays, also above a new limit. */
void server_set_limits(struct server *server, const struct limits *limits);

/* Make the socket file @path and listen. -EADDRINUSE when another daemon
 * answers there; else a negative errno. A dead socket file is replaced. */
int server_listen(struct server *server, const char *path);

/* Has somebody removed the socket file? */
bool server_is_unreachable(const struct server *server);

/* Make it again; those who are connected do not notice. 0 or a negative errno.
 */
int server_listen_again(struct server *server);

/* Listen on a socket that systemd passed; the server closes it. */
int server_listen_fd(struct server *server, int fd);

/* The configuration of some workspace, which one is active, or somebody's
 * rights have changed: tell watchers, from the loop. May be called from
 * anywhere, the methods of the service included. Who is DRAINING tells nobody
 * any more. */
void server_notify(struct server *server);

/* The state of something has changed: tell those who watch the status. */
void server_notify_status(struct server *server);

/* Since the start. */
struct server_counts {
	uint64_t accepted;       /* connections */
	uint64_t calls, refused; /* refused: calls, and connections */
	uint64_t received, sent; /* bytes */
};

struct server_counts server_counts(const struct server *server);

unsigned int server_connections(const struct server *server);
unsigned int server_watchers(const struct server *server);

/* Who reports what it runs, as a JSON list; see consumer.h. */
void server_write_consumers(const struct server *server,
			    const struct consumer_reader *reader,
			    struct buf *json);

/* How many report what they run, and are behind; see consumer.h. */
struct consumer_count server_count_consumers(const struct server *server);

/* How many connections hold a generation of @workspace before the current one
 * of its @history, and for how long there has been a newer one: see holding.h.
 */
struct behind server_behind(const struct server *server, const char *workspace,
			    const struct history *history);

/* No new connections; answers in flight are finished, at most @grace_ms; the
 * socket file is removed if it is still ours. Then @done (NULL: nobody) is
 * called and the server frees itself. */
void server_stop(struct server *server, uint64_t grace_ms,
		 void (*done)(void *data), void *data);

#endif
