#ifndef SERVE_EXPLAIN_H
#define SERVE_EXPLAIN_H

/*
 * Explain: why each value is what it is, as config/explain.h finds out.
 *
 * Masked unless the peer asks to see, winners and losers alike.
 */

#include <stdbool.h>

struct buf;
struct origin;
struct request;
struct secrets;

void explain_answer(struct request *request);

/* Add the member `origin` of type Origin, without what @secrets (NULL: nothing)
 * know: a vault's description may tell what its text may not. */
void explain_add_origin(struct buf *fields, const struct origin *origin,
			const struct secrets *secrets);

/* May the peer have what it asks for by `reveal`? If not, the reply says so. */
bool explain_may_reveal(struct request *request, bool *reveal);

#endif
