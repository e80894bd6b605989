#ifndef PLACE_TEXT_H
#define PLACE_TEXT_H

/*
 * Where a value was written, for people: the Origin of the interface as
 * "team:3:12", "/home/u/clearml.conf:12:18", "CLEARML_API_HOST".
 */

#include "base/str.h"

struct buf;
struct value;

void place_text_add(struct buf *out, const struct value *origin);

/* Append @text with a '?' in place of what a terminal would obey: names come
 * from files and from the server. */
void place_text_add_clean(struct buf *out, struct str text);

#endif
