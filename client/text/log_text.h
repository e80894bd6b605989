#ifndef LOG_TEXT_H
#define LOG_TEXT_H

/*
 * What `log` prints: one line a change, newest generation first; one for a
 * generation that changed nothing.
 */

struct buf;
struct value;

/* @answer: the answer to History. Times are those of the local time zone. */
void log_text_write(struct buf *out, const struct value *answer);

#endif
