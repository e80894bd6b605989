#ifndef VALUE_JSON_H
#define VALUE_JSON_H

/*
 * JSON writer: value -> text.
 *
 * Integers keep all their digits, reals are the shortest text that reads back
 * the same and always look like reals (1.0, 1e+16, the way Python prints
 * them). Output is UTF-8; only what JSON demands is escaped.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"
#include "value/json_string.h"

struct pos;
struct value;

/* Append @value as JSON on one line, without spaces. */
void json_write(struct buf *out, const struct value *value);

/* Does that come to *left bytes at most, but for escapes? *left becomes what is
 * left of it. */
bool json_fits(const struct value *value, size_t *left);

/* Append @value as JSON for people, two spaces a level, without a line end
 * after the last line. */
void json_write_pretty(struct buf *out, const struct value *value);

void json_write_real(struct buf *out, double real);

/* Building an object by hand: `"key":` with a comma before it unless it comes
 * first after a '{'. @key is a name of ours: nothing of it needs escaping. */
void json_key(struct buf *out, const char *key);
void json_add_string(struct buf *out, const char *key, const char *text);
void json_add_str(struct buf *out, const char *key, struct str text);
void json_add_int(struct buf *out, const char *key, long long number);
void json_add_bool(struct buf *out, const char *key, bool value);

/* Add a member, unless it is absent: a NULL text, a negative number. */
void json_add_optional_string(struct buf *out, const char *key,
			      const char *text);
void json_add_optional_int(struct buf *out, const char *key, long long number);

/* Add `line` and `column`, unless there is no position. */
void json_add_pos(struct buf *out, const struct pos *pos);

#endif
