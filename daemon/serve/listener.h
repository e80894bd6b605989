#ifndef SERVE_LISTENER_H
#define SERVE_LISTENER_H

/*
 * Listener: the socket file that clients connect to.
 *
 * Beside it lies a lock file, held as long as we run: of two daemons that start
 * at once only one gets it. The socket is removed at the end, but only if it is
 * still the one that was made here. One that systemd passed is left alone.
 *
 * When descriptors run out, libuv accepts and drops connections by one that it
 * keeps in reserve, so that the loop does not spin.
 */

#include <sys/types.h>
#include <uv.h>

struct listener {
	uv_pipe_t pipe;
	char *path; /* NULL: not made by us */
	int lock;   /* -1: none */
	dev_t device;
	ino_t inode;
};

void listener_init(struct listener *listener, uv_loop_t *loop);

/* A socket file at @path. 0, -EADDRINUSE when another daemon serves it, or
 * another negative errno. */
int listener_open(struct listener *listener, const char *path,
		  uv_connection_cb on_connection);

int listener_open_fd(struct listener *listener, int fd,
		     uv_connection_cb on_connection);

/* It must not be used after @on_closed. */
void listener_close(struct listener *listener, uv_close_cb on_closed);

#endif
