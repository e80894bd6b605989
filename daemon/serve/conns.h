#ifndef SERVE_CONNS_H
#define SERVE_CONNS_H

/*
 * The connections of one server, and what they share: one read buffer, one
 * outbox, the users' quotas, the watchers.
 *
 * It tells watchers in rounds: a change marks them, the next turns of the loop
 * tell a slice each. So it is with the calls of a user who asks so much that
 * others would have to wait. It drops those who do not finish their requests;
 * its timer runs only while there are half-sent ones.
 */

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/arena.h"
#include "base/list.h"
#include "config/limits.h"
#include "serve/budget.h"
#include "serve/call.h"
#include "serve/consumer.h"
#include "serve/offload.h"
#include "serve/out.h"
#include "serve/quota.h"
#include "serve/request.h"
#include "serve/watcher.h"

#define CONNS_INPUT ((size_t)64 * 1024)

struct conns {
	const struct service *service;
	struct limits limits;
	uid_t overflow_uid;
	struct abode *here; /* of this process */
	struct quota quota;
	struct budget budget; /* a turn is a round, or input */
	struct watchers watchers;
	struct offload offload;
	struct list replied; /* struct pending, whose owners are to write */
	struct consumers consumers;
	struct out out; /* empty whenever the loop has control */
	struct call_memo memo;
	struct arena scratch;
	struct request request; /* that is being answered */
	char *input;            /* CONNS_INPUT bytes, in use during one read */

	uint64_t accepted, calls, received, sent; /* ever; bytes */

	struct list all; /* struct conn */
	unsigned int count;
	struct list half_sent; /* struct conn, the oldest first */
	struct list resting;   /* struct conn, with calls that wait */
	uv_timer_t sweep;
	uv_idle_t round; /* active while there are watchers to be told, replies
			  * to be written, or calls that wait */
	uv_prepare_t prepare;

	unsigned int open_handles;
	void (*on_closed)(struct conns *conns); /* nothing is open any more */
};

void conns_init(struct conns *conns, uv_loop_t *loop,
		const struct service *service);
void conns_deinit(struct conns *conns);

/* Serve the socket @fd, which is taken over. */
void conns_accept(struct conns *conns, int fd);

/* Tell the watchers that are dirty, soon. */
void conns_tell(struct conns *conns);

/* There is a half-sent request: drop its connection in time. */
void conns_expect_sweep(struct conns *conns);

/* One of the handles is closed. */
void conns_handle_closed(struct conns *conns);

/* Close those that have nothing to write, and the others when they have
 * written it. */
void conns_finish(struct conns *conns);

/* Close all at once. */
void conns_abort(struct conns *conns);

#endif
