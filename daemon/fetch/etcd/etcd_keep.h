#ifndef FETCH_ETCD_KEEP_H
#define FETCH_ETCD_KEEP_H

/*
 * Keep: one key of ours in etcd, under a lease, for as long as we live. It is
 * written when its value is new, but not too often; at rest the lease is
 * renewed three times in its life, and the key looked at once.
 *
 *   RESTING --something is due--> GRANTING   no lease
 *      ^                          RENEWING   a third of its life is over
 *      |                          LOOKING    nobody has told us of the key
 *      |                          WRITING    the value is new
 *      +-- done, or has failed: later --+
 *
 * Whose a value is that we have not written says its owner (`whose`). An
 * earlier process of this host is succeeded. Somebody else who calls himself
 * as we do is let be: the key is his for as long as he renews it, and ours
 * again after. He is given a mark (`mark`) with our name, so that he can tell
 * of us. What has no lease is nobody's.
 *
 * No herd: a fleet whose documents change at one moment writes over a spread of
 * time, and over a longer one when it comes back from an outage, in which
 * leases may have run out. Values that are the same as before are not written.
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/str.h"
#include "fetch/etcd/etcd_ask.h"

struct etcd_keep;

enum etcd_keep_whose {
	ETCD_KEEP_OURS,    /* this process has written it */
	ETCD_KEEP_EARLIER, /* an earlier one of this host, or one beside it */
	ETCD_KEEP_OTHERS,
};

enum etcd_keep_state {
	ETCD_KEEP_NEW,     /* not written yet */
	ETCD_KEEP_KEPT,    /* etcd has it, or soon the newest of it */
	ETCD_KEEP_RIVALED, /* somebody else has the key */
	ETCD_KEEP_FAILED,
};

struct etcd_keep_config {
	struct etcd_nodes nodes;
	struct str key;
	uint64_t ttl_ms;    /* of the lease; etcd counts in whole seconds */
	uint64_t every_ms;  /* between two writes at least */
	uint64_t spread_ms; /* of writes after a change */

	void *data;
	enum etcd_keep_whose (*whose)(void *data, struct str value);
	/* Write somebody else's @value with our mark; false: it has one. */
	bool (*mark)(void *data, struct str value, struct buf *marked);
	/* Our key was found: @marked, with a mark, or as it is (NULL). */
	void (*on_mark)(void *data, const struct str *marked);
	/* State, problem or clock have changed. */
	void (*on_state)(void *data);
	/* The newest token of another login as the same user; NULL. */
	const char *(*token)(void *data);
};

/* What @config points to must outlive etcd_keep_close. Calls nothing back
 * before it returns; nothing is written before etcd_keep_set. */
struct etcd_keep *etcd_keep_new(uv_loop_t *loop, struct http *http,
				const struct etcd_keep_config *config);

/* Asynchronous, frees itself. The key stays until its lease has run out: who
 * starts again soon was not away. NULL is allowed. */
void etcd_keep_close(struct etcd_keep *keep);

/* The value is to be @value from now on. */
void etcd_keep_set(struct etcd_keep *keep, struct str value);

enum etcd_keep_state etcd_keep_state(const struct etcd_keep *keep);

/* Has etcd the newest value, as far as we know? */
bool etcd_keep_is_written(const struct etcd_keep *keep);

/* What is wrong, for people; NULL: nothing. */
const char *etcd_keep_problem(const struct etcd_keep *keep);

/* How many seconds our clock is ahead of etcd's, by its answers, which tell
 * seconds: it changes when that has changed by three. */
int64_t etcd_keep_clock_ahead(const struct etcd_keep *keep);

/* How many leases have run out under us. */
unsigned int etcd_keep_lapses(const struct etcd_keep *keep);

#endif
