#ifndef STATUS_TEXT_H
#define STATUS_TEXT_H

#include <stdint.h>

struct buf;
struct value;

/* The Status object of io.clearconf for people to read at a glance; only the
 * workspace @name unless NULL. @now: seconds since 1970. */
void status_text_write(struct buf *out, const struct value *status,
		       const char *name, int64_t now);

#endif
