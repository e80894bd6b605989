#ifndef BASE_SEAL_H
#define BASE_SEAL_H

/*
 * Seal: the first line of a file of ours, which says what it is, in which
 * format, how long, and that it is whole:
 *
 *	clearconf-hold 1 SHA256 LENGTH
 *	...
 *
 * Digest and length are of all that follows. There is one way to write that
 * line, so any other byte in it is damage.
 */

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

struct diag;

struct seal {
	const char *what;     /* "clearconf-hold" */
	unsigned int version; /* of the format: the only one that is read */
};

/* Append the file that holds @content. */
void seal_write(struct buf *out, const struct seal *seal, struct str content);

/* What the file @name that is @bytes holds, a part of them; false with @diag
 * set: it is damaged, something else, or of another version. */
bool seal_open(const struct seal *seal, const char *name, struct str bytes,
	       struct str *content, struct diag *diag);

#endif
