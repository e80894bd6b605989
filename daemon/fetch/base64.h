#ifndef FETCH_BASE64_H
#define FETCH_BASE64_H

/*
 * Base64: what ClearML's authentication sends and etcd's gateway speaks is in
 * the standard alphabet (RFC 4648, section 4), the payload of a token in the
 * one for URLs (section 5).
 */

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

void base64_write(struct buf *out, struct str bytes);

/* Padding may be left out, as tokens do. False for any foreign character; what
 * was appended until then stays. */
bool base64url_read(struct buf *out, struct str text);

/* Like base64url_read, in the standard alphabet. */
bool base64_read(struct buf *out, struct str text);

#endif
