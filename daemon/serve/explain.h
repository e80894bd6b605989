#ifndef SERVE_EXPLAIN_H
#define SERVE_EXPLAIN_H

/*
 * Explain: why each value is what it is, as config/explain.h finds out.
 *
 * Masked unless the peer asks to see, winners and losers alike.
 */

#include <stdbool.h>

struct request;

void explain_answer(struct request *request);

/* May the peer have what it asks for by `reveal`? If not, the reply says so. */
bool explain_may_reveal(struct request *request, bool *reveal);

#endif
