#ifndef SERVE_HISTORY_REPLY_H
#define SERVE_HISTORY_REPLY_H

/*
 * History: the last generations of a workspace, newest first, and what each
 * changed.
 *
 * Changes are found by comparing with the generation before. The oldest kept
 * one is left out unless it was the first of all: what it changed is not known
 * any more. Values are masked by what is a secret now, which may be more than
 * was known to be one then.
 */

#include <stddef.h>

struct request;

/* Once an answer is so long, older generations are left out of it. */
#define HISTORY_REPLY_MAX ((size_t)4 * 1024 * 1024)

void history_reply_answer(struct request *request);

#endif
