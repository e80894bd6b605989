#ifndef VALUE_JSON_STRING_H
#define VALUE_JSON_STRING_H

/*
 * JSON strings, both ways: paths, the JSON reader and the JSON writer share
 * one idea of an escape.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

/* With quotes; only what JSON demands is escaped. Each byte that is not UTF-8
 * becomes U+FFFD. */
void json_write_string(struct buf *out, struct str text);

/* Decode the string whose opening quote is text.ptr[0] and append it to @out.
 * *used: bytes up to and with the closing quote; on failure the offset of the
 * fault, and *reason says what it is (static text). */
bool json_read_string(struct str text, struct buf *out, size_t *used,
		      const char **reason);

#endif
