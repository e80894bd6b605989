#ifndef EXPLAIN_TEXT_H
#define EXPLAIN_TEXT_H

/*
 * What `explain` prints: each leaf with its value and where that was written,
 * below it what it overrides, strongest first, and a note. Three columns, as
 * wide as what is in them but no wider than EXPLAIN_TEXT_WIDTH.
 */

#define EXPLAIN_TEXT_WIDTH 48 /* characters; longer values are cut */

struct buf;
struct value;

/* @answer: the answer to Explain. */
void explain_text_write(struct buf *out, const struct value *answer);

#endif
