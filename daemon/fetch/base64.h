#ifndef FETCH_BASE64_H
#define FETCH_BASE64_H

/*
 * Base64, the two ways ClearML's authentication needs it: key and secret are
 * written in the standard alphabet (RFC 4648, section 4), the payload of a
 * token is read in the one for URLs (section 5).
 */

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

void base64_write(struct buf *out, struct str bytes);

/* Padding may be left out, as tokens do. False for any foreign character; what
 * was appended until then stays. */
bool base64url_read(struct buf *out, struct str text);

#endif
