#ifndef REDACT_H
#define REDACT_H

#include "base/buf.h"
#include "base/str.h"

struct value;

/* Append @text, which somebody else has written, with **** in place of each
 * text or number that @real holds and @masked, the daemon's masked answer to
 * the same question, hides, of each line of it, and of a part that is hidden.
 * What has fewer than four characters is too common to be taken out. */
void redact_add(struct buf *out, struct str text, const struct value *real,
		const struct value *masked);

#endif
