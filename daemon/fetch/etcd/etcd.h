#ifndef FETCH_ETCD_H
#define FETCH_ETCD_H

/*
 * Feed from etcd (v3): all keys of some spans as they are now, and then every
 * change of them, by the JSON gateway of its nodes. It keeps no document: what
 * came goes to a callback.
 *
 *   WAITING --timer--> KNOCKING --any answer--> [LOGGING IN] --> RANGING
 *      ^                |  ^                                       | all pages
 *      |                |  |        compacted, another cluster     v
 *      |                |  +--next  RANGING <---------------- OPENING
 *      |                |    node      ^                           | created
 *      +-- all of them -+              +------------------ WATCHING v
 *          have failed        any failure in any state: KNOCKING at the next
 *
 * A range is read page by page at one revision; the watch begins with the
 * revision after it, and after a failure goes on with the one after the last
 * that was told, at whichever node answers: nothing is lost, nothing told
 * twice. What etcd has forgotten meanwhile (compaction) is made up for by a
 * range. Whatever is no longer there is missing from a range and deleted in a
 * watch.
 *
 * A node that is stopped or cut off neither answers nor closes. So a pulse goes
 * with every state but WAITING: GET /version on a connection of its own, each
 * `probe_ms`, and late after as long again, unless something else was heard
 * meanwhile. A node that lives but has lost its leader ends the watch by itself
 * (the header hasleader asks for it).
 *
 * Bounded: a page, a line of the watch, the number of keys and the bytes of
 * their values. A page that is too large is asked for again with half as many
 * keys, a line that is too long is replaced by a range.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "fetch/etcd/etcd_node.h"

struct etcd;

/* What is told: all there is, or what has changed since, in its order. */
struct etcd_news {
	bool whole;
	const struct etcd_kv *kvs;
	size_t count;
};

struct etcd_config {
	struct etcd_nodes nodes;
	const struct etcd_span *spans; /* that do not overlap */
	size_t span_count;
	uint64_t probe_ms, backoff_max_ms;
	size_t keys_max, bytes_max; /* of all values together */

	void *data;
	/* Valid during the call only. */
	void (*on_news)(void *data, const struct etcd_news *news);
	/* Health, endpoint or error have changed. */
	void (*on_health)(void *data);
};

/* Would a feed by the one be the same as by the other? Whom it calls back is
 * not asked. */
bool etcd_config_equal(const struct etcd_config *a,
		       const struct etcd_config *b);

/* What @config points to must outlive etcd_close. Starts at once; calls nothing
 * back before it returns. */
struct etcd *etcd_new(uv_loop_t *loop, struct http *http,
		      const struct etcd_config *config);

/* Asynchronous, frees itself; nothing is called back any more. NULL is allowed.
 */
void etcd_close(struct etcd *etcd);

/* Read all keys again, soon. */
void etcd_refresh(struct etcd *etcd);

/* Is an answer of some node under way? Not while it waits to try again. */
bool etcd_is_asking(const struct etcd *etcd);

enum etcd_health etcd_health(const struct etcd *etcd);

/* What is wrong, for people; NULL: nothing. */
const char *etcd_error(const struct etcd *etcd);

/* The node that serves, or was tried last. */
const char *etcd_endpoint(const struct etcd *etcd);

/* The token of its login; NULL: none. */
const char *etcd_token(const struct etcd *etcd);

/* The newest revision that is known to have been told; 0: none. */
int64_t etcd_revision(const struct etcd *etcd);

#endif
