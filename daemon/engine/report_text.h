#ifndef ENGINE_REPORT_TEXT_H
#define ENGINE_REPORT_TEXT_H

/*
 * What a report says, as JSON (fleet.md), and how much of another one matters
 * here. Nothing is in it that changes though nothing has happened.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "config/tree_digest.h"

struct buf;
struct engine;

#define REPORT_RUN_HEX 17 /* and a NUL: see `run` in fleet.md */

/* The digests of a workspace's tree. */
struct report_digest {
	char *workspace;
	uint64_t edition; /* of its snapshot; 0: none yet */
	char hex[TREE_DIGEST_HEX];
	char *parts; /* JSON; NULL: not told */
};

/* What the engine does not know. */
struct report_facts {
	const struct engine *engine;
	char run[REPORT_RUN_HEX];
	int64_t started;     /* seconds since 1970 */
	int64_t clock_ahead; /* of etcd's, in seconds */
	bool keyed;
	struct report_digest *digests;
	size_t digest_count;
	char *problem; /* the last one; NULL: none so far */
	int64_t problem_time;
	size_t consumers, consumers_behind;
};

/* NULL: there is none yet. */
const struct report_digest *report_digest_of(const struct report_facts *facts,
					     const char *workspace);

/* Its members, without `time` and the braces. Keeps the last problem. */
void report_write(struct report_facts *facts, struct buf *json);

/* Is a clock that is @ahead seconds ahead wrong? */
bool report_clock_is_off(int64_t ahead);

/* --- of anybody's --- */

struct report_sender {
	char machine[33], run[REPORT_RUN_HEX], rival[33]; /* "": not said */
};

/* Whose report @text is; false: it is none. */
bool report_read_sender(struct report_sender *sender, struct str text);

#endif
