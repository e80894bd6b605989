#ifndef JSON_TEXT_H
#define JSON_TEXT_H

/*
 * JSON strings, to and from C strings. Nothing here keeps state; what is read
 * is rewritten in place, since it never gets longer.
 */

#include <stdbool.h>
#include <stddef.h>

#include "bytes.h"

/* Append @text as a JSON string. 0 or -ENOMEM. */
int json_text_add(struct bytes *out, const char *text);

/* The JSON string of @len bytes at @text, quotes included, becomes the text it
 * stands for, with a NUL after it; its length, or -1 when it is no JSON string.
 * Half a surrogate pair becomes U+FFFD. */
long json_text_decode(char *text, size_t len);

#endif
