#ifndef SERVE_LISTENER_H
#define SERVE_LISTENER_H

/*
 * Listener: the socket that clients connect to, at a file of its own
 * (socket_file.h) or passed by systemd, whose file it is then.
 *
 * Whoever removes the file makes it unreachable. It notices by an event of the
 * folder and says so after a moment; what comes of that, listener_open_again,
 * is for who knows about folders.
 *
 * When descriptors run out, those who wait are taken by one kept in reserve and
 * dropped; when even that fails it looks away for a moment. Either way the loop
 * does not spin and who is connected is served.
 *
 *   init --open--> LISTENING <--EMFILE, a moment--> PAUSED
 *                      +--------close---------+---> closed
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "serve/socket_file.h"

struct listener {
	uv_poll_t poll;   /* open once fd is */
	uv_timer_t retry; /* active while PAUSED */
	int fd, spare;    /* -1: none */
	struct socket_file file;
	uv_fs_event_t folder; /* that the file lies in */
	uv_timer_t pause;     /* active while it seems unreachable */
	uint64_t shed; /* connections ever dropped for want of descriptors */
	uint64_t told; /* of them, in the log */
	uint64_t quiet_until; /* milliseconds of the loop: for the log */

	void (*on_connection)(void *data, int fd); /* takes the descriptor */
	void (*on_unreachable)(void *data); /* NULL: nobody wants to know */
	void (*on_closed)(void *data);
	void *data;
	unsigned int open_handles;
};

/* The callbacks and their data are the caller's to set. */
void listener_init(struct listener *listener, uv_loop_t *loop);

/* A socket file at @path. 0, -EADDRINUSE when another daemon serves it, or
 * another negative errno. */
int listener_open(struct listener *listener, const char *path);

/* Can nobody connect any more, because the socket file is gone? */
bool listener_is_unreachable(const struct listener *listener);

/* A new socket file in place of it; 0 or a negative errno as of
 * listener_open. */
int listener_open_again(struct listener *listener);

/* @fd is taken over, also on failure. */
int listener_open_fd(struct listener *listener, int fd);

/* Ends in on_closed. */
void listener_close(struct listener *listener);

#endif
