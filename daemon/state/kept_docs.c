#include "state/kept_docs.h"

#include <string.h>

#include "base/mem.h"
#include "read/doc.h"

#define FIRST_PLACES 16

void kept_docs_deinit(struct kept_docs *docs)
{
	for (uint32_t i = 0; i < docs->count; i++)
		doc_unref(docs->items[i].doc);
	mem_free(docs->items);
	mem_free(docs->slots);
	*docs = (struct kept_docs){0};
}

/* A digest is as good as any hash of it. */
static uint32_t *slot_of(const struct kept_docs *docs,
			 const unsigned char *name)
{
	uint64_t start;
	size_t at;

	memcpy(&start, name, sizeof(start));
	at = (size_t)start & (docs->slot_count - 1);
	while (docs->slots[at] && memcmp(docs->items[docs->slots[at] - 1].name,
					 name, SHA256_BYTES) != 0)
		at = (at + 1) & (docs->slot_count - 1);
	return &docs->slots[at];
}

/* At most half of the slots are taken. */
static void make_slots(struct kept_docs *docs)
{
	size_t count = (size_t)2 * FIRST_PLACES;

	while (count < 2 * (size_t)docs->cap)
		count *= 2;
	mem_free(docs->slots);
	docs->slots = mem_alloc(count * sizeof(*docs->slots));
	docs->slot_count = count;
	for (uint32_t i = 0; i < docs->count; i++)
		if (docs->items[i].here)
			*slot_of(docs, docs->items[i].name) = i + 1;
}

uint32_t kept_docs_find(const struct kept_docs *docs, const unsigned char *name)
{
	uint32_t found = docs->slot_count ? *slot_of(docs, name) : 0;

	return found ? found - 1 : KEPT_NONE;
}

static void make_room(struct kept_docs *docs)
{
	if (docs->count < docs->cap)
		return;
	docs->cap = docs->cap ? 2 * docs->cap : FIRST_PLACES;
	docs->items = mem_grow(docs->items, docs->cap * sizeof(docs->items[0]));
	make_slots(docs);
}

static uint32_t free_place(struct kept_docs *docs)
{
	while (docs->first_free < docs->count &&
	       docs->items[docs->first_free].here)
		docs->first_free++;
	if (docs->first_free == docs->count) {
		make_room(docs);
		docs->count++;
	}
	return docs->first_free;
}

uint32_t kept_docs_add(struct kept_docs *docs, const unsigned char *name)
{
	uint32_t number = free_place(docs);

	docs->items[number] = (struct kept_doc){.here = true};
	memcpy(docs->items[number].name, name, SHA256_BYTES);
	*slot_of(docs, name) = number + 1;
	return number;
}

static void forget(struct kept_docs *docs, uint32_t number)
{
	doc_unref(docs->items[number].doc);
	docs->items[number] = (struct kept_doc){0};
	if (number < docs->first_free)
		docs->first_free = number;
}

int kept_docs_sweep(struct kept_docs *docs,
		    int (*gone)(void *data, const unsigned char *name),
		    void *data)
{
	int r = 0, one;

	for (uint32_t i = 0; i < docs->count; i++) {
		if (!docs->items[i].here || docs->items[i].users)
			continue;
		one = gone(data, docs->items[i].name);
		if (one == 0)
			forget(docs, i);
		else
			r = one;
	}
	if (docs->count)
		make_slots(docs);
	return r;
}
