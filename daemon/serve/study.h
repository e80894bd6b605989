#ifndef SERVE_STUDY_H
#define SERVE_STUDY_H

/*
 * Studies: questions about snapshots that may take long, Explain and History.
 *
 * A short one is answered at once. A long one is an errand that takes turns
 * (turns.h): in its turn what it looks at, which does not change, is pinned and
 * handed to another thread, while the loop goes on with the calls of others.
 * One that waits holds nothing but its words.
 *
 *	question --study_answer, short--> answer
 *	question --study_answer, long--> errand --its turn--> other thread
 *		--> errand_finish
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena;
struct errand;
struct out;
struct request;
struct secrets;
struct snapshot;
struct study;
struct view;

struct question {
	struct str path;               /* of Explain; it is known to be one */
	size_t generations;            /* of History */
	const struct secrets *secrets; /* what is masked; NULL: nothing */

	/* What it is about: the current one, those before it for History. */
	struct snapshot **snapshots;
	size_t count; /* at least 1 */

	/* Write the reply. Called by any thread: it must touch nothing but its
	 * arguments, and take no references. */
	void (*write)(struct out *out, const struct question *question);
};

/* Look up what @question is about; the list lies in @arena. How many bytes all
 * that has. */
size_t question_gather(struct question *question, const struct view *view,
		       struct arena *arena);

/* Answer @question, whose contents are borrowed, now or (@is_long) later. */
void study_answer(struct request *request, const struct question *question,
		  bool is_long);

/* For turns.h: it is the turn of @errand, which has a study. */
void study_begin(struct errand *errand);
void study_free(struct study *study); /* NULL is allowed */

#endif
