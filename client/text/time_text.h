#ifndef TIME_TEXT_H
#define TIME_TEXT_H

/*
 * Moments in lines of events, "2026-11-24 08:01:02", local time, dim; and how
 * long something lasts.
 */

#include <stdint.h>

struct buf;

/* @seconds since 1970. */
void time_text_add(struct buf *out, int64_t seconds);

/* "12 s", "3 min", "5 h", "8 d"; 0 for what is less. */
void time_text_add_span(struct buf *out, int64_t seconds);

#endif
