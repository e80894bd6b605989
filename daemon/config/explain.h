#ifndef CONFIG_EXPLAIN_H
#define CONFIG_EXPLAIN_H

/*
 * Explain: who has what to say of each leaf of a snapshot.
 *
 * Computed from the documents that the snapshot pins. Objects merge, so the
 * strongest document that has anything at a leaf's path has won, and every
 * weaker one that has something there is beaten. Where a list, scalar or null
 * replaced an object there is one leaf, that of the replacement, and the object
 * is beaten as a whole. Where an object replaced something, there is no leaf of
 * the same path: what it beat is said once, at the first leaf below. So no
 * value of a document is said twice, and the cost is that of what is there.
 *
 * Within a list the winner is the one whose list it is; others are beaten by
 * the element at the same place.
 */

#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"
#include "config/origin.h"

struct buf;
struct locks;
struct path;
struct secrets;
struct snapshot;
struct stack_doc;
struct value;

/* At most so many values, and 64 bytes of text for each, are gone through for
 * one answer, so that nobody's question holds up everybody. */
#define EXPLAIN_VALUES_MAX 50000

/* What one document has at a place. */
struct offer {
	const struct stack_doc *from;
	const struct value *value; /* the document's */
	const struct value *shown; /* the same as it may be shown */
	struct str key;            /* while objects are gone through */
};

struct explained_leaf {
	struct str path;
	struct offer *offers; /* strongest first: [0] has won */
	size_t count;
	const struct value *put_back; /* by a derived document; NULL: none */
};

struct explanation {
	struct arena arena;
	struct origins origins;
	const struct locks *locks;     /* of the snapshot */
	struct explained_leaf *leaves; /* in the order of their paths */
	size_t count, cap;
};

enum {
	EXPLAIN_E_NOT_FOUND = 1, /* nothing is at that path */
	EXPLAIN_E_TOO_MUCH,      /* more than EXPLAIN_VALUES_MAX */
};

/* How many values that takes for @path; from EXPLAIN_VALUES_MAX on it is too
 * many. */
size_t explain_cost(const struct snapshot *snapshot, const struct path *path);

/* The leaves at or below @path. @secrets: masks what is shown; NULL: nothing
 * is. The snapshot must outlive the explanation, which is to be deinited
 * whatever comes back: 0 or EXPLAIN_E_*. */
int explain(struct explanation *explanation, const struct snapshot *snapshot,
	    const struct path *path, const struct secrets *secrets);
void explanation_deinit(struct explanation *explanation);

/* Append why a later layer did not win @leaf, what a ClearML program is given
 * in its place, or what ClearML itself may make of it; nothing when there is
 * nothing to say. @origin: the winner's. */
void explain_write_note(const struct explanation *explanation,
			const struct explained_leaf *leaf,
			const struct origin *origin, struct buf *text);

#endif
