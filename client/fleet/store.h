#ifndef FLEET_STORE_H
#define FLEET_STORE_H

/*
 * Store: etcd as a command has it: it asks, waits for the answer, and goes on.
 * It owns loop, connections and the last complaint.
 *
 *	PREFIX NAME              a document
 *	PREFIX NAME.rollout/     its rollout
 *	PREFIX vaults-N.bad/     that N, a revision of vaults, is bad
 *	BASE.state/HOST          a host's report
 *	BASE.roster/HOST         that there is such a host
 *	BASE.revisions/NAME/N    what a document said
 *
 * BASE is PREFIX without the '/' at its end (daemon/doc/fleet.md).
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/arena.h"
#include "fetch/etcd/etcd_ask.h"
#include "fleet/place.h"

struct store {
	struct place place;
	uv_loop_t loop;
	struct http *http;
	struct etcd_ask *ask;
	bool open;
	bool quiet;    /* nothing is complained of; see error */
	char *error;   /* of the last question that failed */
	int64_t ahead; /* seconds that our clock is ahead of etcd's */
	bool answered;
};

/* An exit status, complained about. store_close in any case. */
int store_open(struct store *store, const struct place_options *options,
	       int timeout_ms);
void store_close(struct store *store);

/* Seconds since 1970, by etcd's clock once it has answered. */
int64_t store_now(const struct store *store);

/* The keys of @kind ("state", "revisions", ...; "": documents) and @name; the
 * caller's. */
char *store_key(const struct store *store, const char *kind, const char *name);
char *store_rollout_key(const struct store *store, const char *document);
char *store_revision_key(const struct store *store, const char *document,
			 int64_t number);

/* --- questions: exit statuses, complained about --------------------------- */

/* Valid during the call only. */
typedef void (*store_kv_fn)(void *data, const struct etcd_kv *kv);

struct store_range {
	const char *prefix; /* all keys that begin with it */
	bool keys_only;
	store_kv_fn each;
	void *data;
};

/* All of them as of one revision, in the order of the keys; *revision, which
 * may be NULL: that one. */
int store_read(struct store *store, const struct store_range *range,
	       int64_t *revision);

/* The key @key; its texts are in @arena. kv->revision 0: there is none. */
int store_get(struct store *store, const char *key, struct arena *arena,
	      struct etcd_kv *kv);

/* *done: it is known to be. When it is not, a condition did not hold, or it was
 * done all the same: a node may fall silent after it, and whoever asks again,
 * libcurl too, is told that the condition does not hold any more. Nothing is
 * complained of then. */
int store_commit(struct store *store, const struct etcd_txn *txn, bool *done);

/* The same of one that does no more when it is done twice: it is asked again
 * until there is an answer, and *done is that. */
int store_repeat(struct store *store, const struct etcd_txn *txn, bool *done);

#endif
