#ifndef TIME_TEXT_H
#define TIME_TEXT_H

/*
 * Moments in lines of events: "2026-11-24 08:01:02", local time, dim.
 */

#include <stdint.h>

struct buf;

/* @seconds since 1970. */
void time_text_add(struct buf *out, int64_t seconds);

#endif
