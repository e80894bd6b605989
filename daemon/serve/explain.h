#ifndef SERVE_EXPLAIN_H
#define SERVE_EXPLAIN_H

/*
 * Explain: why each value is what it is, as config/explain.h finds out.
 *
 * Masked unless the peer asks to see, winners and losers alike.
 */

struct request;

void explain_answer(struct request *request);

#endif
