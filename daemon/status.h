#ifndef DAEMON_STATUS_H
#define DAEMON_STATUS_H

/*
 * The Status object of io.clearconf and its list of workspaces, written from
 * what the daemon knows now.
 */

#include <stdbool.h>

struct buf;
struct daemon;

/* @masked: without the access keys. */
void status_write(const struct daemon *daemon, bool masked, struct buf *json);

/* The members of ListWorkspaces' answer. */
void status_write_workspaces(const struct daemon *daemon, bool masked,
			     struct buf *json);

#endif
