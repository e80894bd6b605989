#include "base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* A block is as large as malloc_usable_size says, not as was asked for: all of
 * that is used, and wiped. Where a compiler sees who asked, as one does that
 * optimises when it links, _FORTIFY_SOURCE would end the process for it. */
#define KNOWS_NO_CALLER __attribute__((noinline))

static void *checked(void *block)
{
	static const char message[] = "out of memory\n";

	if (!block) {
		(void)fwrite(message, 1, sizeof(message) - 1, stderr);
		abort();
	}
	return block;
}

#define MIB (1 << 20)

void mem_init(void)
{
	(void)mallopt(M_TRIM_THRESHOLD, 64 * MIB);
	(void)mallopt(M_MMAP_THRESHOLD, 4 * MIB);
	(void)mallopt(M_TOP_PAD, MIB);
}

void *mem_alloc(size_t size)
{
	return checked(calloc(1, size ? size : 1));
}

/* realloc would leave the old copy behind, unwiped. */
KNOWS_NO_CALLER void *mem_grow(void *block, size_t size)
{
	size_t old = block ? malloc_usable_size(block) : 0;
	void *grown;

	if (block && size <= old)
		return block;
	grown = checked(malloc(size));
	if (block)
		memcpy(grown, block, old);
	mem_free(block);
	return grown;
}

void *mem_room(void *block, size_t count, size_t size)
{
	if (block && (count + 1) * size <= malloc_usable_size(block))
		return block;
	return mem_grow(block, (count < 4 ? 8 : 2 * count) * size);
}

void *mem_map(void *block, size_t old, size_t size)
{
	void *grown = block ? mremap(block, old, size, MREMAP_MAYMOVE)
			    : mmap(NULL, size, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return checked(grown == MAP_FAILED ? NULL : grown);
}

void mem_unmap(void *block, size_t size)
{
	(void)munmap(block, size);
}

char *mem_strndup(const char *text, size_t len)
{
	char *copy = checked(malloc(len + 1));

	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *mem_strdup(const char *text)
{
	return mem_strndup(text, strlen(text));
}

/* vasprintf would grow its block by realloc. */
char *mem_printf(const char *format, ...)
{
	va_list ap, again;
	char *text;
	int len;

	va_start(ap, format);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	text = checked(len < 0 ? NULL : malloc((size_t)len + 1));
	(void)vsnprintf(text, (size_t)len + 1, format, again);
	va_end(again);
	return text;
}

KNOWS_NO_CALLER void mem_free(void *block)
{
	if (!block)
		return;
	explicit_bzero(block, malloc_usable_size(block));
	free(block);
}

void mem_freep(void *pointer_to_block)
{
	void **pointer = pointer_to_block;

	mem_free(*pointer);
	*pointer = NULL;
}
