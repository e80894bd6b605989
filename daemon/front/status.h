#ifndef DAEMON_STATUS_H
#define DAEMON_STATUS_H

/*
 * The Status object of io.clearconf and its list of workspaces, written from
 * what the daemon knows now.
 */

#include <stdint.h>

struct buf;
struct daemon;

/* @clearance: who reads it, see serve/service.h. */
void status_write(const struct daemon *daemon, uint64_t clearance,
		  struct buf *json);

/* The members of ListWorkspaces' answer. */
void status_write_workspaces(const struct daemon *daemon, uint64_t clearance,
			     struct buf *json);

#endif
