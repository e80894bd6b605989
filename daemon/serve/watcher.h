#ifndef SERVE_WATCHER_H
#define SERVE_WATCHER_H

/*
 * Watchers: calls that are answered when something changes.
 *
 * A watcher knows which generation it was last told, and nothing else: its
 * memory is constant whatever its reader does, and what it missed is computed
 * when it can be told. Which list it is in is its state:
 *
 *      +--> clean --watchers_mark--> dirty --watchers_next--+
 *      |                               ^                    |
 *      |                       drained |                    v
 *      +-- all written ------ (no list: its connection is writing)
 *
 * The connection owns its watcher. Knows nothing of sockets.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "serve/notice.h"

struct caller_rule;
struct out;
struct peer;
struct request;
struct service;
struct shared;
struct watcher;

enum watcher_kind {
	WATCHER_CONFIG,
	WATCHER_STATUS,
	WATCHER_BOTH, /* of the configuration, and of states */
	WATCHER_KINDS
};

/* All of a server's. */
struct watchers {
	const struct service *service;
	unsigned int count;
	struct list clean[WATCHER_KINDS], dirty;
	struct list filters;
	struct notices notices;
	uint64_t status_serial; /* of the latest change of state */
	struct shared *status;  /* its notice; NULL: not made */
	/* Whom it was made for. */
	uint64_t clearance;
	const struct caller_rule *own;

	/* There is a dirty one that nobody has marked. */
	void (*on_wake)(struct watchers *watchers);
};

enum watcher_outcome {
	WATCHER_GOES_ON,
	WATCHER_HAS_ENDED, /* its last reply is written */
};

void watchers_init(struct watchers *watchers, const struct service *service);
void watchers_deinit(struct watchers *watchers);

/* Something has changed: all of the @kind, and of both, are dirty. */
void watchers_mark(struct watchers *watchers, enum watcher_kind kind);

/* The owner of the next dirty watcher, which is in no list then; NULL when the
 * round is over. */
void *watchers_next(struct watchers *watchers);

/* The owner of the one after it; NULL: there is none. */
void *watchers_peek(const struct watchers *watchers);

/* Who is to be told. */
void watcher_set_owner(struct watcher *watcher, void *owner);

/* All it was told has been written; it waits for changes. */
void watcher_settle(struct watcher *watcher);

/* Its connection can write again: it may have missed something. */
void watcher_wake(struct watcher *watcher);

/* Write what @watcher, whose peer is @peer, has not been told yet to @out:
 * one reply or none. */
enum watcher_outcome watcher_answer(struct watcher *watcher, struct peer *peer,
				    struct out *out);

void watcher_free(struct watcher *watcher);

/* For the job (notice_job.h) that writes the first notice: what it is to lead
 * from and to. False, and *step is empty, when @watcher would rather answer by
 * itself; else it stands where @view is. */
bool watcher_prepare(struct watcher *watcher, struct view *view,
		     struct notice_step *step);

/* Methods of io.clearconf. */
void watcher_watch(struct request *request);
void watcher_get_status(struct request *request);

#endif
