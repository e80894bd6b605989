#ifndef STATE_KEPT_DOCS_H
#define STATE_KEPT_DOCS_H

/*
 * The documents that a history has on disk, by the digest that is their name,
 * and how many generations have each.
 *
 * A document keeps its number as long as it is there.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"

struct doc;

#define KEPT_NONE UINT32_MAX

struct kept_doc {
	unsigned char name[SHA256_BYTES];
	bool here;       /* else its place is free */
	uint32_t users;  /* generations; 0: it may go */
	struct doc *doc; /* while generations are read; NULL: not read */
};

struct kept_docs {
	struct kept_doc *items;
	uint32_t count, cap; /* places, of which some are free */
	uint32_t *slots;     /* by name: 0, or 1 + its number */
	size_t slot_count;
	uint32_t first_free; /* no place before it is free */
};

void kept_docs_deinit(struct kept_docs *docs);

/* KEPT_NONE: there is no such. */
uint32_t kept_docs_find(const struct kept_docs *docs,
			const unsigned char *name);

/* A document that is not there yet. */
uint32_t kept_docs_add(struct kept_docs *docs, const unsigned char *name);

/* Forget those without users that @gone says are gone; what it says of one that
 * is not is the answer, else 0. */
int kept_docs_sweep(struct kept_docs *docs,
		    int (*gone)(void *data, const unsigned char *name),
		    void *data);

#endif
