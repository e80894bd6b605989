#ifndef WATCH_TEXT_H
#define WATCH_TEXT_H

/*
 * The answers of Watch for people and for scripts that read lines: generation,
 * what happened, path or state, then values and origin where known.
 *
 *	42 state ready
 *	43 changed sdk.aws.s3.region "eu" -> "us" (vault:team:3:12)
 *	43 held generation 43
 */

#include <stdbool.h>
#include <stdint.h>

#include "text/leaves.h"

struct buf;
struct value;

/* What was told last is remembered: when a daemon that has been away is back,
 * and knows nothing of what it told, the differences are told all the same. */
struct watch_text {
	bool values;             /* those of now are wanted too */
	bool by_path;            /* they come as an object keyed by paths */
	int64_t generation, now; /* now: seconds since 1970 */
	char state[16]; /* as last written; a line only when it changes */
	struct leaves known;
	int64_t held; /* as last written; 0: nothing is */
	bool begun;   /* what is there is known */
};

/* "changed sdk.aws.s3.region (vault:team:3:12)", with a line end; @values: what
 * it was and is, too. */
void watch_text_add_change(struct buf *out, const struct value *change,
			   bool values);

/* Append the lines of one answer; there may be none. */
void watch_text_write(struct buf *out, struct watch_text *text,
		      const struct value *answer);
void watch_text_deinit(struct watch_text *text);

#endif
