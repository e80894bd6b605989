#ifndef SERVE_STUDY_H
#define SERVE_STUDY_H

/*
 * Studies: questions about snapshots that may take long, Explain and History.
 *
 * What they look at does not change, so a long one is pinned and handed to
 * another thread, while the loop goes on with the calls of others; it is an
 * errand that takes turns (turns.h). A short one is answered at once.
 *
 *	question --study_answer, short--> answer
 *	question --study_answer, long--> errand --its turn--> other thread
 *		--> errand_finish
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct errand;
struct out;
struct request;
struct secrets;
struct snapshot;
struct study;

struct question {
	struct snapshot **snapshots; /* the newest first, at least one */
	size_t count;
	struct str path;               /* of Explain; it is known to be one */
	size_t generations;            /* of History */
	const struct secrets *secrets; /* what is masked; NULL: nothing */

	/* Write the reply. Called by any thread: it must touch nothing but its
	 * arguments, and take no references. */
	void (*write)(struct out *out, const struct question *question);
};

/* Answer @question, whose contents are borrowed, now or (@is_long) later. */
void study_answer(struct request *request, const struct question *question,
		  bool is_long);

/* For turns.h: it is the turn of @errand, which has a study. */
void study_begin(struct errand *errand);
void study_free(struct study *study); /* NULL is allowed */

#endif
