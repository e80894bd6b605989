#include "read/doc_codec.h"

#include "base/mem.h"
#include "read/doc.h"
#include "value/numbering.h"
#include "value/tree_codec.h"
#include "value/value.h"

enum {
	DOC_LIKE_YAML = 1,
	DOC_MISREAD = 2,
	DOC_USED_ENVIRONMENT = 4,
	DOC_USED_LOWER = 8,
	DOC_APPENDS_TO_NONE = 16,
	DOC_ALL = 31
};

/* --- document -> bytes --- */

static void pack_sources(struct buf *out, const struct doc *doc)
{
	pack_number(out, doc->source_count);
	for (size_t i = 0; i < doc->source_count; i++) {
		pack_text(out, str_from(doc->sources[i]->name));
		pack_text(out, doc->sources[i]->text);
		pack_number(out, doc->sources[i]->marked);
	}
}

static void pack_warning(struct buf *out, const struct diag *warning)
{
	pack_text(out, str_from(warning->source));
	pack_number(out, warning->pos.line);
	pack_number(out, warning->pos.column);
	pack_text(out, str_from(warning->text));
}

static void pack_warnings(struct buf *out, const struct doc *doc)
{
	pack_number(out, doc->warnings.count);
	for (size_t i = 0; i < doc->warnings.count; i++)
		pack_warning(out, &doc->warnings.items[i]);
	pack_number(out, doc->first_finding);
	pack_number(out, doc->finding_count);
}

static void pack_includes(struct buf *out, const struct doc *doc)
{
	pack_number(out, doc->include_count);
	for (size_t i = 0; i < doc->include_count; i++)
		pack_text(out, str_from(doc->includes[i]));
}

static void pack_flags(struct buf *out, const struct doc *doc)
{
	unsigned int flags = 0;

	flags |= doc->like_yaml ? DOC_LIKE_YAML : 0;
	flags |= doc->misread ? DOC_MISREAD : 0;
	flags |= doc->used_environment ? DOC_USED_ENVIRONMENT : 0;
	flags |= doc->used_lower ? DOC_USED_LOWER : 0;
	flags |= doc->appends_to_none ? DOC_APPENDS_TO_NONE : 0;
	pack_number(out, flags);
	pack_optional(out, doc->remark);
}

void doc_pack(struct buf *out, const struct doc *doc)
{
	struct numbering numbering = NUMBERING_INIT;
	const struct tree_home home = {.sources = doc->sources,
				       .source_count = doc->source_count};

	pack_sources(out, doc);
	pack_warnings(out, doc);
	pack_includes(out, doc);
	pack_flags(out, doc);
	tree_pack(out, &numbering, &home, doc->root);
	numbering_deinit(&numbering);
}

/* --- bytes -> document --- */

static void unpack_source(struct unpack *in, struct doc *doc)
{
	struct source *source = doc_add_source(doc);

	source->name = arena_str(&doc->arena, unpack_name(in)).ptr;
	source->text = arena_str(&doc->arena, unpack_text(in));
	source->marked = unpack_number_to(in, 1);
	source->arena = &doc->arena;
	if (source->text.len > UINT32_MAX)
		(void)unpack_fail(in);
}

static void unpack_sources(struct unpack *in, struct doc *doc)
{
	uint64_t count = unpack_number_to(in, DOC_SOURCES_MAX);

	if (!count)
		(void)unpack_fail(in);
	for (uint64_t i = 0; i < count && !in->failed; i++)
		unpack_source(in, doc);
}

static char *unpack_copy(struct unpack *in)
{
	struct str text = unpack_name(in);

	return mem_strndup(text.ptr, text.len);
}

static void unpack_warning(struct unpack *in, struct diag *warning)
{
	warning->source = unpack_copy(in);
	warning->pos.line = (uint32_t)unpack_number_to(in, UINT32_MAX);
	warning->pos.column = (uint32_t)unpack_number_to(in, UINT32_MAX);
	warning->text = unpack_copy(in);
}

static void unpack_warnings(struct unpack *in, struct doc *doc)
{
	uint64_t count = unpack_number_to(in, DIAG_LIST_MAX);

	for (uint64_t i = 0; i < count && !in->failed; i++)
		unpack_warning(in, diag_list_next(&doc->warnings));
	doc->first_finding = (size_t)unpack_number_to(in, count);
	doc->finding_count =
		(size_t)unpack_number_to(in, count - doc->first_finding);
}

static void unpack_includes(struct unpack *in, struct doc *doc)
{
	size_t count = unpack_count(in);

	doc->includes =
		arena_alloc(&doc->arena, count * sizeof(*doc->includes));
	for (size_t i = 0; i < count && !in->failed; i++)
		doc->includes[doc->include_count++] =
			arena_str(&doc->arena, unpack_name(in)).ptr;
}

static void unpack_flags(struct unpack *in, struct doc *doc)
{
	uint64_t flags = unpack_number_to(in, DOC_ALL);

	doc->like_yaml = flags & DOC_LIKE_YAML;
	doc->misread = flags & DOC_MISREAD;
	doc->used_environment = flags & DOC_USED_ENVIRONMENT;
	doc->used_lower = flags & DOC_USED_LOWER;
	doc->appends_to_none = flags & DOC_APPENDS_TO_NONE;
	doc->remark = unpack_optional(in, &doc->arena);
}

static void unpack_tree(struct unpack *in, struct doc *doc)
{
	struct numbering numbering = NUMBERING_INIT;
	const struct tree_home home = {doc->sources, doc->source_count,
				       &doc->arena, &doc->nodes};

	doc->root = tree_unpack(in, &numbering, &home);
	numbering_deinit(&numbering);
	if (!value_is(doc->root, VALUE_OBJECT))
		(void)unpack_fail(in);
}

struct doc *doc_unpack(struct unpack *in)
{
	struct doc *doc = doc_new();

	unpack_sources(in, doc);
	unpack_warnings(in, doc);
	unpack_includes(in, doc);
	unpack_flags(in, doc);
	if (!in->failed)
		unpack_tree(in, doc);
	return in->failed ? doc_unref(doc) : doc;
}
