#ifndef BASE_MEM_H
#define BASE_MEM_H

/*
 * Heap memory of the daemon and the client: never NULL, wiped when given back.
 *
 * Configuration is mostly other people's keys, so every block is overwritten
 * before it returns to the heap; which blocks held a secret is then a question
 * nobody has to answer. Out of memory aborts: the service manager restarts the
 * daemon onto the last known good (libclearconf has its own rules and does not
 * use this).
 */

#include <stddef.h>

#define _cleanup_(function) __attribute__((cleanup(function)))

/* Hand over a pointer that a _cleanup_ would otherwise release. */
#define TAKE(pointer)                                                          \
	__extension__({                                                        \
		__typeof__(pointer) *take_ = &(pointer);                       \
		__typeof__(pointer) taken_ = *take_;                           \
		*take_ = NULL;                                                 \
		taken_;                                                        \
	})

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* The struct that embeds @member at @pointer. */
#define CONTAINER_OF(pointer, type, member)                                    \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* Once, first thing: keep up to 64 MiB that were freed instead of handing them
 * back to the system, which would cost a page fault for every 4 KiB of every
 * document that is read again. */
void mem_init(void);

void *mem_alloc(size_t size); /* zeroed */
void *mem_grow(void *block, size_t size);

/* @block, an array of @count items of @size bytes each (NULL: none), with room
 * for one more. */
void *mem_room(void *block, size_t count, size_t size);

char *mem_strdup(const char *text);
char *mem_strndup(const char *text, size_t len); /* also of NULL, 0 */
char *mem_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Large blocks straight from the system, which moves them without a copy when
 * they grow and wipes them when they are given back; sizes are of whole pages.
 * @block NULL: a new one. */
void *mem_map(void *block, size_t old, size_t size);
void mem_unmap(void *block, size_t size);

/* Wipe the block and free it; NULL is allowed. */
void mem_free(void *block);

/* For _cleanup_(mem_freep) on any pointer to heap memory. */
void mem_freep(void *pointer_to_block);

#endif
