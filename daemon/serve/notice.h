#ifndef SERVE_NOTICE_H
#define SERVE_NOTICE_H

/*
 * Notices: what watchers are told, written once for all that are told the same.
 *
 * A notice is a whole reply. Which watchers share one is said by its key: the
 * generations it leads from and to, the filter and the options. The cache is
 * small and lives for one round of telling: within it watchers differ in
 * little.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct filter;
struct out;
struct shared;
struct snapshot;
struct view;

/* From the state a watcher knows to the one that is. */
struct notice_step {
	const struct view *view;
	struct snapshot *base; /* NULL: unknown, so it is a resync */
	uint64_t skipped;      /* generations between them */
	struct filter *filter; /* NULL: everything */

	bool masked;
	bool continues;  /* further replies follow */
	bool changes;    /* say what changed */
	bool states;     /* for who is told of states */
	bool old_new;    /* with the values, before and after */
	bool value;      /* and what is now */
	bool even_empty; /* answer also when nothing has changed */
};

#define NOTICES 16

struct notice {
	struct filter *filter;      /* a reference */
	uint64_t from, to, secrets; /* generations; version */
	unsigned int options;
	struct shared *bytes; /* NULL: there is nothing to tell */
};

struct notices {
	size_t count, next;
	struct notice items[NOTICES];
};

/* Write to @out the reply that @step calls for; false when it calls for none.
 * @notices NULL: for one watcher alone. */
bool notice_answer(struct notices *notices, const struct notice_step *step,
		   struct out *out);

/* The same for one watcher alone. Any thread may do it, if @step asks for no
 * values and what it points to is pinned. */
bool notice_write(struct out *out, const struct notice_step *step);

void notices_clear(struct notices *notices);

#endif
