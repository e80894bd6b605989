#ifndef DAEMON_FRONT_H
#define DAEMON_FRONT_H

/*
 * Front: the daemon's side towards its clients. Where the socket is, and what
 * the server's service table answers with: the views of workspaces, the
 * configuration for a caller's environment, the status.
 */

#include <stdbool.h>

struct daemon;

/* Make the server and listen, on systemd's socket or our own; what went wrong
 * has been logged. Comes before the first snapshots, so that a question never
 * finds nobody; the loop answers it after them. */
bool front_open(struct daemon *daemon);

/* If somebody has removed the socket file, make it again. */
void front_listen_again(struct daemon *daemon);

/* Limits, rights or workspaces have changed: tell the server and through it
 * everybody who watches. */
void front_tell(struct daemon *daemon);

/* For front_open: what went wrong has been logged. */
bool front_listen(struct daemon *daemon);

/* The folder for what survives a restart; the caller's. */
char *front_state_dir(const struct daemon *daemon);

#endif
