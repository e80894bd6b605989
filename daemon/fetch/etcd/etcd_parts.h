#ifndef FETCH_ETCD_PARTS_H
#define FETCH_ETCD_PARTS_H

/*
 * The inside of etcd: what its files share.
 *
 *   etcd.c        one node after the other, pulse, login; beginning and end
 *   etcd_range.c  all there is, page by page
 *   etcd_watch.c  changes
 *   etcd_node.c   one request to one node
 *   etcd_wire.c   what is said
 */

#include "fetch/backoff.h"
#include "fetch/etcd/etcd.h"

enum etcd_state {
	ETCD_WAITING,
	ETCD_KNOCKING,
	ETCD_LOGGING_IN,
	ETCD_RANGING,
	ETCD_OPENING,
	ETCD_WATCHING,
	ETCD_CLOSING,
};

/* Keys that have come and are not yet told. */
struct etcd_load {
	struct arena arena;
	struct etcd_kv *kvs;
	size_t count, bytes;
};

struct etcd_watched {
	struct etcd_span span;
	int64_t next; /* the revision its watch goes on from; 0: range first */
};

struct etcd {
	enum etcd_state state;
	struct http *http;
	struct etcd_config config;
	struct etcd_watched *spans; /* as many as the configuration has */
	unsigned int open_handles;
	uv_timer_t wait;  /* before the next round of nodes */
	uv_timer_t pulse; /* to the next probe */

	size_t at;       /* the node that is asked */
	size_t tried;    /* of this round */
	uint64_t since;  /* milliseconds of the loop when the state began */
	bool logged_in;  /* since the last failure: a token is new */
	bool round_open; /* the nodes of this round have not all failed */
	struct backoff backoff;
	char *token;   /* NULL: none */
	char *cluster; /* its id; NULL: not known yet */

	struct http_call *call, *stream, *probe;

	size_t ranged;    /* the span that is being read */
	struct buf from;  /* the key that the next page begins with */
	int64_t limit;    /* of keys on a page */
	int64_t revision; /* of all pages; 0: the first one says */
	struct etcd_load load;
	size_t created; /* watches that are in place */

	enum etcd_health health, worst;
	char *error, *worst_error; /* worst: of the round */
};

void etcd_enter(struct etcd *etcd, enum etcd_state state);

/* The node at work cannot be used: on to the next one. @error is taken over. */
void etcd_fail(struct etcd *etcd, enum etcd_health health, char *error);

/* Like etcd_fail, for what @reply says; but a token that is over is renewed,
 * and what is compacted is read by a range. */
void etcd_fail_by(struct etcd *etcd, const struct etcd_reply *reply,
		  const struct http_reply *http);

/* All watches are in place: be ETCD_WELL. */
void etcd_be_well(struct etcd *etcd);

/* POST @body to @method of the node at work; a stream if there is @on_lines. */
struct http_call *etcd_post(struct etcd *etcd, const char *method,
			    struct buf *body, http_lines_fn on_lines,
			    http_done_fn done);

/* True, and everything begins anew, when this is another cluster than before.
 */
bool etcd_is_other_cluster(struct etcd *etcd, const struct etcd_reply *reply);

void etcd_range(struct etcd *etcd);
void etcd_watch(struct etcd *etcd);

/* --- what has come --- */

/* Add what @reply brings. False: that is more than there may be. */
bool etcd_load_add(struct etcd *etcd, const struct etcd_reply *reply);

/* Tell the callback what has come; the load is empty after. */
void etcd_load_tell(struct etcd *etcd, bool whole);
void etcd_load_clear(struct etcd_load *load);

#endif
