#ifndef BASE_ARENA_H
#define BASE_ARENA_H

/*
 * Arena: memory that is given back all at once, wiped.
 *
 * Everything read from one text lives in the arena of its document, everything
 * merged in the arena of its snapshot; nothing in an arena is freed by itself.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena_block;

struct arena {
	struct arena_block *blocks; /* newest first */
	size_t used;                /* bytes handed out, for limits */
};

#define ARENA_INIT ((struct arena){0})

/* Zeroed, aligned for pointers and doubles. */
void *arena_alloc(struct arena *arena, size_t size);

/* @mem of @old bytes made @size bytes long: in place when nothing was
 * allocated after it, else a copy. */
void *arena_grow(struct arena *arena, void *mem, size_t old, size_t size);

/* A copy, ended by a NUL that its length does not count. */
struct str arena_str(struct arena *arena, struct str text);
const char *arena_strdup(struct arena *arena, const char *text);

/* Everything is given back but the first block, for those who come often and
 * need little. */
void arena_reset(struct arena *arena);

/* Does @mem lie in the arena? Walks its blocks, of which there are few. */
bool arena_owns(const struct arena *arena, const void *mem);

/* The memory handed out, block by block: *block is NULL before the first, and
 * false comes after the last. */
bool arena_next_block(const struct arena *arena,
		      const struct arena_block **block, struct str *memory);

void arena_free(struct arena *arena);

#endif
