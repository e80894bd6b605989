#ifndef DAEMON_STATUS_H
#define DAEMON_STATUS_H

/*
 * The Status object of io.clearconf and its list of workspaces, written from
 * what the engine and the server know now.
 */

#include <stdint.h>

struct buf;
struct caller_rule;
struct engine;
struct server;

/* Who reads it; see serve/service.h. */
struct status_reader {
	uint64_t clearance;
	const struct caller_rule *own;
};

void status_write(const struct engine *engine, const struct server *server,
		  const struct status_reader *reader, struct buf *json);

/* The members of ListWorkspaces' answer. */
void status_write_workspaces(const struct engine *engine,
			     const struct status_reader *reader,
			     struct buf *json);

#endif
