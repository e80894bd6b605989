#include "base/arena.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Blocks double from 4 KiB, so that a small document stays small and a large
 * one costs few allocations. */
#define BLOCK_FIRST ((size_t)4 * 1024)
#define BLOCK_LAST  ((size_t)1024 * 1024)
#define ALIGN       ((size_t)8)
#define CLEARED     ((size_t)4 * 1024) /* at least so much at once */

/* A block: | used | cleared | as malloc gave it | */
struct arena_block {
	struct arena_block *next;
	size_t size, used, clear;
	unsigned char data[];
};

static size_t rounded(size_t size)
{
	return (size + ALIGN - 1) & ~(ALIGN - 1);
}

static struct arena_block *block_new(struct arena *arena, size_t size)
{
	struct arena_block *block;
	size_t want = arena->blocks ? arena->blocks->size * 2 : BLOCK_FIRST;

	if (want > BLOCK_LAST)
		want = BLOCK_LAST;
	if (want < size)
		want = size;
	block = mem_grow(NULL, sizeof(*block) + want);
	*block = (struct arena_block){arena->blocks, want, 0, 0};
	arena->blocks = block;
	return block;
}

/* Clear what comes next, so that the first @used bytes can be handed out. What
 * is never used is neither cleared nor wiped. */
static void block_clear(struct arena_block *block, size_t used)
{
	size_t more = used - block->clear;

	if (more < CLEARED)
		more = CLEARED;
	if (more > block->size - block->clear)
		more = block->size - block->clear;
	memset(block->data + block->clear, 0, more);
	block->clear += more;
}

static void block_take(struct arena *arena, struct arena_block *block,
		       size_t size)
{
	block->used += size;
	arena->used += size;
	if (block->used > block->clear)
		block_clear(block, block->used);
}

static void block_free(struct arena_block *block)
{
	explicit_bzero(block->data, block->used);
	free(block);
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_block *block = arena->blocks;
	void *mem;

	size = rounded(size);
	if (!block || block->size - block->used < size)
		block = block_new(arena, size);
	mem = block->data + block->used;
	block_take(arena, block, size);
	return mem;
}

void *arena_grow(struct arena *arena, void *mem, size_t old, size_t size)
{
	struct arena_block *block = arena->blocks;
	size_t more = rounded(size) - rounded(old);
	void *grown;

	assert(size >= old);
	if (mem &&
	    (unsigned char *)mem + rounded(old) == block->data + block->used &&
	    block->size - block->used >= more) {
		block_take(arena, block, more);
		return mem;
	}
	grown = arena_alloc(arena, size);
	if (mem)
		memcpy(grown, mem, old);
	return grown;
}

struct str arena_str(struct arena *arena, struct str text)
{
	char *copy = arena_alloc(arena, text.len + 1);

	if (text.len)
		memcpy(copy, text.ptr, text.len);
	return (struct str){copy, text.len};
}

const char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_str(arena, str_from(text)).ptr;
}

/* Free all blocks but the first, which is the last in the list. */
static void free_later_blocks(struct arena *arena)
{
	struct arena_block *block;

	while (arena->blocks && arena->blocks->next) {
		block = arena->blocks;
		arena->blocks = block->next;
		block_free(block);
	}
	arena->used = 0;
}

void arena_reset(struct arena *arena)
{
	free_later_blocks(arena);
	if (!arena->blocks)
		return;
	explicit_bzero(arena->blocks->data, arena->blocks->used);
	arena->blocks->used = 0;
}

bool arena_owns(const struct arena *arena, const void *mem)
{
	uintptr_t at = (uintptr_t)mem, start;

	for (struct arena_block *block = arena->blocks; block;
	     block = block->next) {
		start = (uintptr_t)block->data;
		if (at >= start && at < start + block->used)
			return true;
	}
	return false;
}

bool arena_next_block(const struct arena *arena,
		      const struct arena_block **block, struct str *memory)
{
	*block = *block ? (*block)->next : arena->blocks;
	if (*block)
		*memory = (struct str){(const char *)(*block)->data,
				       (*block)->used};
	return *block != NULL;
}

void arena_free(struct arena *arena)
{
	free_later_blocks(arena);
	if (arena->blocks)
		block_free(arena->blocks);
	*arena = ARENA_INIT;
}
