#ifndef SERVE_DIFF_REPLY_H
#define SERVE_DIFF_REPLY_H

/*
 * Diff: what differs between two generations of a workspace, or, while it holds
 * one, between what is served and what would be served.
 *
 * Values are masked by what is a secret now, as in History.
 */

struct request;

void diff_reply_answer(struct request *request);

#endif
