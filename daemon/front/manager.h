#ifndef DAEMON_MANAGER_H
#define DAEMON_MANAGER_H

/*
 * What the service manager is told of us: that we are ready, reload, stop, how
 * things stand, and that we are alive.
 *
 * The latter comes from a timer of the loop, at twice the pace that
 * systemd asks for: a loop that no longer turns tells none of it. Nothing is
 * told where nobody listens, and nothing here waits.
 */

#include <stdbool.h>
#include <uv.h>

struct manager {
	uv_timer_t life; /* active when a watchdog waits for it */
	char *status;    /* as last told; NULL: not yet */
	bool listens;    /* we are its service: manager_start was called */
};

void manager_init(struct manager *manager, uv_loop_t *loop);

/* Closes its handle, and is gone when the loop has seen to that. */
void manager_deinit(struct manager *manager);

/* From here on it is told, and that we are alive if it asks for that. Who
 * only prints or checks is nobody's service. */
void manager_start(struct manager *manager);

/* One line for people; told when it differs from the last. */
void manager_tell_status(struct manager *manager, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void manager_tell_ready(const struct manager *manager);
/* A reload has begun; manager_tell_ready ends it. */
void manager_tell_reloading(const struct manager *manager);
void manager_tell_stopping(struct manager *manager);

#endif
