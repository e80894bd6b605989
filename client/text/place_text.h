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

/* @text, in which the user's home is "~" on a terminal. */
void place_text_add_home(struct buf *out, struct str text);

#endif
