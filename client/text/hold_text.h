#ifndef HOLD_TEXT_H
#define HOLD_TEXT_H

/*
 * A hold (type Hold of io.clearconf) for people: whose values are served, why
 * and for how long, and what that costs.
 */

#include <stdint.h>

struct buf;
struct value;

/* "generation 41 is held ..."; further lines begin with @indent. @now: seconds
 * since 1970. */
void hold_text_add(struct buf *out, const struct value *hold, int64_t now,
		   const char *indent);

#endif
