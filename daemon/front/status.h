#ifndef DAEMON_STATUS_H
#define DAEMON_STATUS_H

/*
 * The Status object of io.clearconf and its list of workspaces, written from
 * what the engine and the server know now.
 */

#include <stdint.h>

struct buf;
struct engine;
struct server;

/* @clearance: who reads it, see serve/service.h. */
void status_write(const struct engine *engine, const struct server *server,
		  uint64_t clearance, struct buf *json);

/* The members of ListWorkspaces' answer. */
void status_write_workspaces(const struct engine *engine, uint64_t clearance,
			     struct buf *json);

#endif
