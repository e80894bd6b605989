#ifndef SERVE_LISTENER_H
#define SERVE_LISTENER_H

/*
 * Listener: the socket file that clients connect to.
 *
 * Beside it lies a lock file, held as long as we run: of two daemons that start
 * at once only one gets it. The socket is removed at the end, but only if it is
 * still the one that was made here; one that systemd passed is left alone.
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
#include <sys/types.h>
#include <uv.h>

struct listener {
	uv_poll_t poll;   /* open once fd is */
	uv_timer_t retry; /* active while PAUSED */
	int fd, spare;    /* -1: none */
	int lock;         /* -1: none */
	char *path;       /* NULL: not made by us */
	dev_t device;
	ino_t inode;
	uint64_t shed; /* connections ever dropped for want of descriptors */
	uint64_t told; /* of them, in the log */
	uint64_t quiet_until; /* milliseconds of the loop: for the log */

	void (*on_connection)(void *data, int fd); /* takes the descriptor */
	void (*on_closed)(void *data);
	void *data;
	unsigned int open_handles;
};

/* The callbacks and their data are the caller's to set. */
void listener_init(struct listener *listener, uv_loop_t *loop);

/* A socket file at @path. 0, -EADDRINUSE when another daemon serves it, or
 * another negative errno. */
int listener_open(struct listener *listener, const char *path);

/* @fd is taken over, also on failure. */
int listener_open_fd(struct listener *listener, int fd);

/* Ends in on_closed. */
void listener_close(struct listener *listener);

#endif
