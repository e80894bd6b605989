#ifndef READ_RESOLVE_H
#define READ_RESOLVE_H

/*
 * Resolving: delayed values become plain ones, once all the text is read
 * (SEMANTICS B4.3).
 *
 * Each delayed value is resolved once, when it is reached or first asked for:
 *
 *	WAITING --> BUSY --> DONE
 *
 * Meeting one that is BUSY is a reference to itself: it gets what the key held
 * before, or it is a cycle. Substituted values are shared, so a substitution
 * costs memory only where something is joined. lookup.c says what a path leads
 * to.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct path;
struct reading;
struct value;

/* How far a chain of references may lead before the stack is in danger. */
#define RESOLVE_FRAMES_MAX 2000

struct resolver {
	struct reading *reading;
	struct value *root;
	size_t frames; /* of resolve_value on the stack */
	size_t level;  /* of the value being resolved, in the tree */
	uint32_t jump; /* which reference was followed last; 0: none */
	uint32_t last_jump;
	unsigned int secrecy; /* what the keys that lead here say */
	struct value *hidden; /* waiting, below a value that shows */
};

/* Resolve all there is in the tree of the document. */
bool resolve_all(struct reading *reading);

/* Make a plain value of *slot, met on the way down; NULL when there is nothing
 * to put there. */
bool resolve_value(struct resolver *resolver, struct value **slot);

/* The same for what stands at @path, where a reference leads. */
bool resolve_there(struct resolver *resolver, struct value **slot,
		   const struct path *path);

/* What @key says of what stands below it: see read_options. */
unsigned int resolve_secrecy(const struct resolver *resolver,
			     unsigned int above, struct str key);

#endif
