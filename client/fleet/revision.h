#ifndef FLEET_REVISION_H
#define FLEET_REVISION_H

/*
 * Revisions: what a document said, since when, by whom and why. etcd forgets
 * what it has compacted, so each put leaves a copy under a key of its own,
 * numbered from 1 on (daemon/doc/fleet.md); the newest REVISIONS_MAX are kept.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

struct buf;

#define REVISIONS_MAX 32

/* Of its number, so that the order of keys is that of numbers. */
#define REVISION_DIGITS 10

struct revision {
	struct arena arena; /* what the texts lie in */
	int64_t number;
	struct str text; /* {NULL, 0}: the document was removed */
	struct str by;   /* empty: put by other means, and found so */
	struct str reason;
	struct str rollout; /* that brought it to all; empty: none did */
	struct str put;     /* an id: no two puts have the same */
	int64_t time;       /* seconds since 1970 */
	int64_t reverts;    /* to the text of which; 0: of none */
};

void revision_deinit(struct revision *revision);

/* @number: of its key. What is damaged is told as such: it has neither text nor
 * put. */
void revision_read(struct revision *revision, int64_t number, struct str json);
void revision_write(struct buf *json, const struct revision *revision);

/* The number in @key of etcd's, which is @folder, a '/' and it; 0: it is none.
 */
int64_t revision_number(struct str key, struct str folder);

static inline bool revision_is_damaged(const struct revision *revision)
{
	return !revision->put.len;
}

#endif
