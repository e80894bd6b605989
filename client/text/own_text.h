#ifndef OWN_TEXT_H
#define OWN_TEXT_H

/*
 * The workspace that is the caller's own, and why: "workspace research: unit
 * clearml-agent@gpu0.service".
 */

#include "base/str.h"

struct buf;
struct value;

/* Of the member `own` of an answer: its name; {NULL, 0}: there is none. */
struct str own_workspace(const struct value *answer);

/* The line, without its end; nothing when there is none. */
void own_text_add(struct buf *out, const struct value *answer);

#endif
