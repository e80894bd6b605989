#ifndef TIME_TEXT_H
#define TIME_TEXT_H

/*
 * Moments in lines of events, "2026-11-24 08:01:02", local time, dim; and how
 * long something lasts.
 */

#include <stdint.h>

#include "base/str.h"

struct buf;

/* @seconds since 1970. */
void time_text_add(struct buf *out, int64_t seconds);

/* @text, a moment as a server writes it ("2026-11-24T07:01:02.510000+00:00"),
 * as local time without a colour; any other text as it is. */
void time_text_add_written(struct buf *out, struct str text);

/* "12 s", "3 min", "5 h", "8 d"; 0 for what is less. */
void time_text_add_span(struct buf *out, int64_t seconds);

#endif
