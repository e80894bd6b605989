#ifndef FETCH_ETCD_ASK_H
#define FETCH_ETCD_ASK_H

/*
 * Single questions to etcd (v3), one at a time: what reads, writes or deletes
 * keys, and leases. It knows the node that answered last, and its login.
 *
 *                +--<-- token is over, once a node --+
 *                v                                   |
 *   IDLE --> [LOGGING IN] --> ASKING --answer--------+--> done() --> IDLE
 *                  |             |
 *                  +--no answer--+--> the next node; after the last: done()
 *
 *   any --etcd_ask_close--> CLOSING, no done()
 *
 * A node that does not answer, or has no leader, is left for the next one, and
 * each gets the timeout. An answer that says no (rights, a lease that is gone)
 * would be the same everywhere, so it is the answer.
 *
 * A node that did not answer may still have done it. A question that does the
 * same when it is done twice is simply asked again; after one that does not the
 * answer is `unsure`.
 *
 * Bounded: an answer (etcd_node.h). The caller waits before it asks again after
 * a failure; here nothing is repeated.
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "fetch/etcd/etcd_node.h"

struct etcd_ask;

struct etcd_answer {
	/* NULL: no node has given one. Its kind is ETCD_DONE when it was done.
	 */
	const struct etcd_reply *reply;
	enum etcd_health health; /* ETCD_WELL: it was done */
	const char *error;       /* for people; NULL: it was done */
	bool unsure;    /* a node that did not answer may have done it before */
	bool too_large; /* there was an answer, longer than one may be */
	int64_t date;   /* by the clock of who answered; 0: not said */
};

/* @answer is valid during the call only. The next question may be asked in
 * there, etcd_ask_close is allowed as well. */
typedef void (*etcd_answer_fn)(void *data, const struct etcd_answer *answer);

/* What @nodes points to must outlive etcd_ask_close. */
struct etcd_ask *etcd_ask_new(uv_loop_t *loop, struct http *http,
			      const struct etcd_nodes *nodes);

/* Asynchronous, frees itself; done() is not called any more. NULL is allowed.
 */
void etcd_ask_close(struct etcd_ask *ask);

/* POST @body to @method ("kv/range", "lease/grant", see etcd_wire.h), whose
 * content it takes; not while another one is under way. Never calls @done
 * before it returns. @method is static. */
void etcd_ask_send(struct etcd_ask *ask, const char *method, struct buf *body,
		   etcd_answer_fn done, void *data);

/* The token of somebody else's login as the same user, which is used as soon as
 * it is another than was lent before: etcd takes 80 ms to check a password.
 * NULL is allowed. */
void etcd_ask_lend(struct etcd_ask *ask, const char *token);

/* The node that answered, or was tried last. */
const char *etcd_ask_endpoint(const struct etcd_ask *ask);

#endif
