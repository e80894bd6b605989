#include "read/doc.h"

#include <string.h>

#include "base/mem.h"
#include "value/value.h"

struct doc *doc_new(void)
{
	struct doc *doc = mem_alloc(sizeof(*doc));

	doc->refs = 1;
	return doc;
}

struct doc *doc_ref(struct doc *doc)
{
	doc->refs++;
	return doc;
}

struct doc *doc_unref(struct doc *doc)
{
	if (!doc || --doc->refs)
		return NULL;
	diag_list_deinit(&doc->warnings);
	arena_free(&doc->nodes);
	arena_free(&doc->arena);
	mem_free(doc);
	return NULL;
}

void doc_unrefp(struct doc **doc)
{
	*doc = doc_unref(*doc);
}

struct source *doc_add_source(struct doc *doc)
{
	struct source *source;

	if (doc->source_count == DOC_SOURCES_MAX)
		return NULL;
	source = arena_alloc(&doc->arena, sizeof(*source));
	doc->sources[doc->source_count++] = source;
	return source;
}

void doc_add_include(struct doc *doc, const char *path)
{
	size_t count = doc->include_count;

	for (size_t i = 0; i < count; i++)
		if (!strcmp(doc->includes[i], path))
			return;
	doc->includes = arena_grow(&doc->arena, doc->includes,
				   count * sizeof(*doc->includes),
				   (count + 1) * sizeof(*doc->includes));
	doc->includes[doc->include_count++] = arena_strdup(&doc->arena, path);
}

static bool has_source(const struct doc *doc, const char *path)
{
	for (size_t i = 1; i < doc->source_count; i++)
		if (!strcmp(doc->sources[i]->name, path))
			return true;
	return false;
}

bool doc_is_current(const struct doc *doc)
{
	for (size_t i = 0; i < doc->include_count; i++)
		if (!has_source(doc, doc->includes[i]))
			return false;
	for (size_t i = 0; i < doc->source_count; i++)
		if (!source_is_current(doc->sources[i]))
			return false;
	return true;
}

void doc_add_remark(struct doc *doc, const char *remark, const char *why)
{
	doc->remark = remark;
	(void)diag_at(diag_list_next(&doc->warnings), doc->sources[0], 0, "%s",
		      why);
}

void doc_set_misread(struct doc *doc, const char *why)
{
	doc->misread = true;
	doc_add_remark(doc,
		       "ClearML itself reads other values in this text, or "
		       "none",
		       why);
}

struct pos doc_pos(struct doc *doc, const struct value *value)
{
	return source_pos(doc->sources[value->source], value->offset);
}
