#ifndef SERVE_CONN_H
#define SERVE_CONN_H

/*
 * One connection: bytes in, calls answered in their order, bytes out.
 *
 *   READING --socket full--> WRITING --all written--> READING
 *   READING --its user had enough for this turn--> RESTING --a later--> READING
 *   READING --a watch--> WATCHING --its end--> READING
 *   READING --a pending reply--> WAITING --its answer--> READING
 *   any of these --refused, framing lost, stop--> ENDING
 *   ENDING --all written--> CLOSING
 *   any --hung up, error, abort--> CLOSING --> freed
 *
 * At most one write is under way. WRITING and RESTING read nothing, so who does
 * not take its answers cannot ask for more; calls behind a watch or a pending
 * reply wait. It owns itself from conn_new to the end of CLOSING.
 */

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/list.h"
#include "serve/consumer.h"
#include "serve/frame.h"
#include "serve/peer.h"
#include "serve/quota.h"

struct conn_write;
struct conns;
struct pending;
struct watcher;

enum conn_state {
	CONN_READING,
	CONN_WRITING,
	CONN_RESTING,
	CONN_WATCHING,
	CONN_WAITING,
	CONN_ENDING,
	CONN_CLOSING,
};

struct conn {
	uv_pipe_t pipe;
	/* What telling a watcher looks at, close together. */
	struct conns *conns;
	enum conn_state state;
	struct watcher *watcher;  /* when WATCHING */
	struct conn_write *write; /* NULL: all is written */
	struct peer peer;
	struct consumer consumer;

	struct list link; /* in conns->all */
	struct frame frame;
	/* In conns->half_sent, in conns->resting when RESTING, or alone. */
	struct list waits;
	uint64_t half_sent_since;
	struct charge charge;    /* for being there */
	struct charge input;     /* for the bytes in frame */
	struct pending *pending; /* when WAITING */
};

struct conn *conn_new(struct conns *conns);

/* Its pipe is connected by @fd: learn who it is, and read. Who is refused is
 * told so. */
void conn_start(struct conn *conn, int fd);

/* It is the next to be told, NULL: nobody is. Of ten thousand each is somewhere
 * else in memory, and fetching it takes as long as telling another. */
static inline void conn_fetch_soon(const struct conn *conn)
{
	for (size_t at = 0; conn && at < offsetof(struct conn, link); at += 64)
		__builtin_prefetch((const char *)conn + at);
}

/* Its watcher is to say what it was not told yet. */
void conn_tell(struct conn *conn);

/* RESTING is over: the calls that have waited are answered, if its user may
 * take more of this turn. */
void conn_go_on(struct conn *conn);

/* There is the reply that it waited for: it goes out. */
void conn_write_pending(struct conn *conn);

/* No more calls: close, when what is being written is out. */
void conn_finish(struct conn *conn);

void conn_close(struct conn *conn);

#endif
