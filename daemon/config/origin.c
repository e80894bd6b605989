#include "config/origin.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "config/stack.h"
#include "read/doc.h"
#include "value/diff.h"
#include "value/value.h"

/* Memory that holds values of a document. */
struct origin_block {
	struct str memory;
	size_t item; /* of the list */
};

static size_t count_blocks(const struct arena *arena)
{
	const struct arena_block *at = NULL;
	struct str memory;
	size_t count = 0;

	while (arena_next_block(arena, &at, &memory))
		count++;
	return count;
}

static void make_room(struct origins *origins)
{
	size_t count = 0;

	for (size_t i = 0; i < origins->docs->count; i++)
		count += count_blocks(&origins->docs->items[i].doc->arena) +
			 count_blocks(&origins->docs->items[i].doc->nodes);
	origins->blocks = mem_alloc(count * sizeof(origins->blocks[0]));
}

static void add_arena(struct origins *origins, const struct arena *arena,
		      size_t item)
{
	const struct arena_block *at = NULL;
	struct str memory;

	while (arena_next_block(arena, &at, &memory))
		origins->blocks[origins->count++] =
			(struct origin_block){memory, item};
}

static int by_address(const void *a, const void *b)
{
	uintptr_t x = (uintptr_t)((const struct origin_block *)a)->memory.ptr;
	uintptr_t y = (uintptr_t)((const struct origin_block *)b)->memory.ptr;

	return (x > y) - (x < y);
}

void origins_init(struct origins *origins, const struct stack_docs *docs)
{
	*origins = (struct origins){.docs = docs};
	make_room(origins);
	for (size_t i = 0; i < docs->count; i++) {
		const struct doc *doc = docs->items[i].doc;

		add_arena(origins, &doc->arena, i);
		add_arena(origins, &doc->nodes, i);
		if (docs->items[i].kind == LAYER_PROTECTED)
			origins->kept = value_get(doc->root, STR("agent"));
	}
	qsort(origins->blocks, origins->count, sizeof(origins->blocks[0]),
	      by_address);
}

void origins_deinit(struct origins *origins)
{
	mem_free(origins->blocks);
	*origins = (struct origins){0};
}

/* The document that holds @value; NULL: it was made by a merge. */
static const struct stack_doc *owner_of(const struct origins *origins,
					const struct value *value)
{
	uintptr_t at = (uintptr_t)value, start;
	size_t low = 0, high = origins->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		start = (uintptr_t)origins->blocks[middle].memory.ptr;
		if (at < start)
			high = middle;
		else if (at >= start + origins->blocks[middle].memory.len)
			low = middle + 1;
		else
			return &origins->docs
					->items[origins->blocks[middle].item];
	}
	return NULL;
}

/* A variable of one line needs no position. */
static bool has_lines(const struct stack_doc *item, const struct source *source)
{
	const struct layer_traits *traits = &layer_traits[item->kind];

	return traits->lines &&
	       (traits->provenance != LAYER_OF_VARIABLE ||
		memchr(source->text.ptr, '\n', source->text.len));
}

static struct origin origin_in(const struct stack_doc *item,
			       const struct value *value)
{
	struct doc *doc = item->doc;
	struct source *source = value->source < doc->source_count
					? doc->sources[value->source]
					: NULL;
	struct origin origin = {
		.layer = layer_traits[item->kind].name,
		.source = item->source ? item->source : "",
		.description = item->description,
		.doc = doc,
		.edit = &item->edit,
	};

	if (source && value->source) /* an included file */
		origin.source = source->name;
	if (source && has_lines(item, source)) {
		origin.text = source;
		origin.pos = source_pos(source, value->offset);
	}
	return origin;
}

/* The first part of a list or object, NULL of anything else. */
static const struct value *first_part(const struct value *value)
{
	if (value->type == VALUE_LIST && value->list.count)
		return value->list.items[0];
	if (value->type == VALUE_OBJECT && value->object.count)
		return value->object.members[0].value;
	return NULL;
}

static struct origin find(const struct origins *origins,
			  const struct value *value)
{
	const struct stack_doc *item = owner_of(origins, value);
	const struct value *part = first_part(value);

	if (item && item->source)
		return origin_in(item, value);
	if (item && item->made_from)
		return find(origins, item->made_from);
	if (part)
		return find(origins, part);
	return item ? origin_in(item, value)
		    : (struct origin){.layer = "", .source = ""};
}

static bool is_kept(const struct origins *origins, const struct value *value)
{
	struct member *m;

	if (!value_is(origins->kept, VALUE_OBJECT))
		return false;
	for (value_each (origins->kept, m))
		if (m->value == value)
			return true;
	return false;
}

struct origin origins_find(const struct origins *origins,
			   const struct value *value)
{
	struct origin origin = find(origins, value);

	if (is_kept(origins, value))
		origin.layer = layer_traits[LAYER_PROTECTED].name;
	return origin;
}

struct origin origins_of_change(const struct origins *before,
				const struct origins *after,
				const struct change *change)
{
	return change->new ? origins_find(after, change->new)
			   : origins_find(before, change->old);
}

void origin_add_note(struct buf *text, const char *note)
{
	if (text->len)
		buf_puts(text, "; ");
	buf_puts(text, note);
}

/* A warning is about the line; its column tells which part of it is meant. */
static bool is_about(const struct diag *warning, const struct origin *origin)
{
	return warning->source && warning->pos.line == origin->pos.line &&
	       !strcmp(warning->source, origin->text->name);
}

void origin_write_departures(const struct origin *origin, struct buf *text)
{
	const struct diag_list *warnings;

	if (!origin->text)
		return;
	if (origin->doc->misread)
		origin_add_note(text,
				"ClearML itself reads this source to other "
				"values, or to none");
	warnings = &origin->doc->warnings;
	for (size_t i = 0; i < warnings->count && !origin->doc->misread; i++) {
		if (!is_about(&warnings->items[i], origin))
			continue;
		origin_add_note(text, "");
		buf_printf(text, "column %u: %s",
			   (unsigned int)warnings->items[i].pos.column,
			   warnings->items[i].text);
	}
}
