#ifndef FRONT_FRONT_H
#define FRONT_FRONT_H

/*
 * Front: where engine and serve meet. It listens to the engine, and fills the
 * server's service table: the views of workspaces, the configuration for a
 * caller's environment, the status, what is asked of servers. It also says
 * where the socket is, and tells the service manager how things stand.
 *
 * It owns the server. Its handles are the engine's loop's, which must close
 * them (engine_free) before the front's storage may go.
 */

#include <stdbool.h>

#include "base/list.h"
#include "front/manager.h"
#include "serve/service.h"

struct engine;
struct server;

struct front {
	struct engine *engine; /* borrowed */
	struct server *server;
	struct service service;
	struct manager manager;
	struct list server_calls; /* struct server_call */
	char *socket;             /* NULL: systemd's */
};

void front_init(struct front *front, struct engine *engine);

/* Make the server and listen, on systemd's socket or our own; false when that
 * went wrong, which has been logged: front_stop it. Comes before the first
 * snapshots, so that a question never finds nobody; the loop answers it after
 * them. */
bool front_open(struct front *front);

/* No new clients; answers in flight are finished. Then the loop is stopped. */
void front_stop(struct front *front);

/* To be called when it has stopped. */
void front_close(struct front *front);

/* If somebody has removed the socket file, make it again. */
void front_listen_again(struct front *front);

/* Listen, as front_open does. False when it cannot, which has been logged. */
bool front_listen(struct front *front);

#endif
