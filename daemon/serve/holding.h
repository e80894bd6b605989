#ifndef SERVE_HOLDING_H
#define SERVE_HOLDING_H

/*
 * Holdings: which generation of which workspace the connections have been
 * given, and how many have it.
 *
 * A generation is held by many or by none, so each is one struct, counted: who
 * holds it has a pointer, and to ask who is behind looks at generations, not at
 * connections. It goes with the last who holds it.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct history;

struct holding {
	struct list link;
	uint64_t generation; /* 0: not known */
	size_t count;        /* of those who hold it */
	char workspace[];
};

/* One more holds @generation of @workspace; @all: of struct holding. */
struct holding *holding_take(struct list *all, const char *workspace,
			     uint64_t generation);

/* One less. NULL, always: for the pointer. */
struct holding *holding_release(struct holding *holding);

/* For how many seconds there has been a generation newer than @held in its
 * workspace's @history: negative when there is none. @now: seconds since 1970.
 * What is older than the history counts as if it had been replaced by the
 * oldest that is left of it. */
int64_t holding_behind(const struct holding *held,
		       const struct history *history, int64_t now);

/* The same by its length. */
enum { BEHIND_MINUTE, BEHIND_HOUR, BEHIND_DAY, BEHIND_LONGER, BEHIND_AGES };

struct behind {
	size_t count[BEHIND_AGES]; /* holders: each in one of them */
};

/* Their names: "minute" is of less than one. */
extern const char *const behind_names[BEHIND_AGES];

/* Who is behind of those who hold a generation of @workspace. */
struct behind holdings_behind(const struct list *all, const char *workspace,
			      const struct history *history, int64_t now);

#endif
