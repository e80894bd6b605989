#include "config/snapshot_codec.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "config/snapshot.h"
#include "read/doc.h"
#include "read/doc_codec.h"
#include "value/json.h"
#include "value/numbering.h"
#include "value/tree_codec.h"
#include "value/value.h"

/* Names of the file format, which stay when the enums change. */
static const char *const kind_names[LAYER_KINDS] = {
	[LAYER_DEFAULTS] = "defaults",   [LAYER_SITE] = "site",
	[LAYER_ETCD] = "etcd",           [LAYER_FILE] = "file",
	[LAYER_WORKSPACE] = "workspace", [LAYER_ENV_GENERIC] = "env-generic",
	[LAYER_VAULT] = "vault",         [LAYER_PROTECTED] = "protected",
	[LAYER_ENV_NAMED] = "env-named", [LAYER_MONITORING] = "monitoring",
};

static const char *const format_names[] = {
	[READ_HOCON] = "hocon",     [READ_JSON] = "json",
	[READ_YAML] = "yaml",       [READ_VALUE] = "value",
	[READ_LITERAL] = "literal",
};

/* A document is one of these. */
enum {
	ITEM_WHOLE,   /* it follows */
	ITEM_SHELVED, /* its name follows */
	ITEM_DERIVED, /* its values are others', and follow them all */
	ITEM_WAYS
};

/* What agent.c makes has no text. */
static bool is_derived(const struct stack_doc *item)
{
	return !item->doc->source_count;
}

static struct tree_home home_of(const struct doc *doc, struct arena *shared)
{
	return (struct tree_home){
		.arena = (struct arena *)&doc->arena,
		.nodes = (struct arena *)&doc->nodes,
		.shared = shared,
	};
}

static void digest_of(const struct snapshot *snapshot,
		      unsigned char digest[SHA256_BYTES])
{
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;
	struct sha256 hash;

	json_write(&json, snapshot->root);
	sha256_init(&hash);
	sha256_add(&hash, buf_str(&json));
	sha256_end(&hash, digest);
}

/* --- snapshot -> bytes --- */

static void pack_doc(struct buf *out, const struct stack_doc *item,
		     const struct doc_shelf *shelf)
{
	unsigned char name[SHA256_BYTES];

	if (is_derived(item)) {
		pack_number(out, ITEM_DERIVED);
	} else if (shelf) {
		shelf->put(shelf->data, item->doc, name);
		pack_number(out, ITEM_SHELVED);
		buf_add(out, name, sizeof(name));
	} else {
		pack_number(out, ITEM_WHOLE);
		doc_pack(out, item->doc);
	}
}

static void pack_item(struct buf *out, const struct stack_doc *item,
		      const struct doc_shelf *shelf)
{
	pack_text(out, str_from(kind_names[item->kind]));
	pack_text(out, str_from(format_names[item->format]));
	pack_optional(out, item->source);
	pack_optional(out, item->description);
	pack_optional(out, item->under);
	pack_optional(out, item->edit.scope);
	pack_optional(out, item->edit.owner);
	pack_optional(out, item->edit.last_update);
	pack_signed(out, item->edit.revision);
	pack_optional(out, item->note);
	pack_number(out, item->clears);
	pack_doc(out, item, shelf);
}

/* Like derive() it must go through all the documents that have a text first, in
 * their order: so numbers mean the same. */
static void pack_derived(struct buf *out, const struct stack_docs *docs)
{
	struct numbering numbering = NUMBERING_INIT;
	const struct stack_doc *item;
	struct tree_home home;

	for (size_t i = 0; i < docs->count; i++)
		if (!is_derived(&docs->items[i]))
			(void)numbering_add(&numbering,
					    docs->items[i].doc->root);
	for (size_t i = 0; i < docs->count; i++) {
		item = &docs->items[i];
		if (!is_derived(item))
			continue;
		home = home_of(item->doc, (struct arena *)&docs->arena);
		tree_pack(out, &numbering, &home, item->doc->root);
		pack_number(out, item->made_from != NULL);
		if (item->made_from)
			tree_pack(out, &numbering, &home,
				  (struct value *)item->made_from);
	}
	numbering_deinit(&numbering);
}

void snapshot_pack(struct buf *out, const struct snapshot *snapshot,
		   const struct doc_shelf *shelf)
{
	const struct stack_docs *docs = &snapshot->docs;
	unsigned char digest[SHA256_BYTES];

	pack_number(out, snapshot->generation);
	pack_signed(out, snapshot->time);
	pack_text(out, str_from(snapshot_cause_name(snapshot->cause)));
	pack_number(out, docs->count);
	for (size_t i = 0; i < docs->count; i++)
		pack_item(out, &docs->items[i], shelf);
	pack_derived(out, docs);
	digest_of(snapshot, digest);
	buf_add(out, digest, sizeof(digest));
}

/* --- bytes -> snapshot --- */

struct unpacking {
	struct unpack *in;
	const struct doc_shelf *shelf;
	struct stack_docs docs;
	const char *why; /* it failed, if that is not damage */
};

static unsigned int unpack_word(struct unpack *in, const char *const *words,
				size_t count)
{
	struct str word = unpack_text(in);

	for (unsigned int i = 0; i < count; i++)
		if (str_is(word, words[i]))
			return i;
	(void)unpack_fail(in);
	return 0;
}

static struct doc *unpack_shelved(struct unpacking *unpacking)
{
	struct str name = unpack_bytes(unpacking->in, SHA256_BYTES);
	struct doc *doc = NULL;

	if (!unpacking->shelf || unpacking->in->failed) {
		(void)unpack_fail(unpacking->in);
		return NULL;
	}
	doc = unpacking->shelf->get(unpacking->shelf->data,
				    (const unsigned char *)name.ptr);
	if (!doc) {
		unpacking->why = "a document of it is missing or damaged";
		(void)unpack_fail(unpacking->in);
	}
	return doc;
}

static struct doc *unpack_doc(struct unpacking *unpacking)
{
	switch (unpack_number_to(unpacking->in, ITEM_WAYS - 1)) {
	case ITEM_WHOLE: return doc_unpack(unpacking->in);
	case ITEM_SHELVED: return unpack_shelved(unpacking);
	default: return doc_new();
	}
}

/* What is unwound has documents all the same. */
static void unpack_item(struct unpacking *unpacking)
{
	struct arena *arena = &unpacking->docs.arena;
	struct unpack *in = unpacking->in;
	struct stack_doc item = {
		.kind = (enum layer_kind)unpack_word(in, kind_names,
						     LAYER_KINDS),
		.format = (enum read_format)unpack_word(
			in, format_names, ARRAY_SIZE(format_names)),
	};

	item.source = unpack_optional(in, arena);
	item.description = unpack_optional(in, arena);
	item.under = unpack_optional(in, arena);
	item.edit.scope = unpack_optional(in, arena);
	item.edit.owner = unpack_optional(in, arena);
	item.edit.last_update = unpack_optional(in, arena);
	item.edit.revision = unpack_signed(in);
	item.note = unpack_optional(in, arena);
	item.clears = unpack_number_to(in, 1);
	item.doc = unpack_doc(unpacking);
	if (!item.doc)
		return;
	*stack_docs_insert_at(&unpacking->docs, unpacking->docs.count,
			      item.kind, item.doc) = item;
}

static bool unpack_one_derived(struct unpacking *unpacking,
			       struct numbering *numbering,
			       struct stack_doc *item)
{
	struct tree_home home = home_of(item->doc, &unpacking->docs.arena);

	item->doc->root = tree_unpack(unpacking->in, numbering, &home);
	if (unpack_number_to(unpacking->in, 1))
		item->made_from = tree_unpack(unpacking->in, numbering, &home);
	return value_is(item->doc->root, VALUE_OBJECT) ||
	       unpack_fail(unpacking->in);
}

static void unpack_derived(struct unpacking *unpacking)
{
	struct numbering numbering = NUMBERING_INIT;
	struct stack_docs *docs = &unpacking->docs;

	for (size_t i = 0; i < docs->count; i++)
		if (!is_derived(&docs->items[i]))
			(void)numbering_add(&numbering,
					    docs->items[i].doc->root);
	for (size_t i = 0; i < docs->count; i++)
		if (is_derived(&docs->items[i]) &&
		    !unpack_one_derived(unpacking, &numbering, &docs->items[i]))
			break;
	numbering_deinit(&numbering);
}

static void unpack_docs(struct unpacking *unpacking)
{
	size_t count = unpack_count(unpacking->in);

	for (size_t i = 0; i < count && !unpacking->in->failed; i++)
		unpack_item(unpacking);
	if (!unpacking->in->failed)
		unpack_derived(unpacking);
}

static enum snapshot_cause unpack_cause(struct unpack *in)
{
	struct str name = unpack_text(in);

	for (unsigned int i = 0; i < CAUSES; i++)
		if (str_is(name, snapshot_cause_name((enum snapshot_cause)i)))
			return (enum snapshot_cause)i;
	(void)unpack_fail(in);
	return CAUSE_START;
}

/* Does nothing of @made hold? Then it only hides what is below. */
static bool only_hides(const struct value *made, const struct value *merged)
{
	struct member *m;

	if (made->type != VALUE_OBJECT)
		return made != merged;
	for (value_each (made, m))
		if (!only_hides(m->value, value_get(merged, member_key(m))))
			return false;
	return true;
}

/* Whoever explains it relies on that. */
static bool is_as_it_says(const struct snapshot *snapshot)
{
	const struct stack_docs *docs = &snapshot->docs;

	for (size_t i = 0; i < docs->count; i++)
		if (docs->items[i].clears &&
		    !only_hides(docs->items[i].doc->root, snapshot->root))
			return false;
	return true;
}

/* Takes the documents over. */
static struct snapshot *merge_checked(struct unpacking *unpacking)
{
	struct str digest = unpack_bytes(unpacking->in, SHA256_BYTES);
	unsigned char found[SHA256_BYTES];
	struct snapshot *snapshot;

	if (unpacking->in->failed)
		return NULL;
	snapshot = snapshot_new(&unpacking->docs);
	digest_of(snapshot, found);
	if (!memcmp(digest.ptr, found, sizeof(found)) &&
	    is_as_it_says(snapshot))
		return snapshot;
	unpacking->why = "its documents do not come to what was served";
	(void)unpack_fail(unpacking->in);
	return snapshot_unref(snapshot);
}

struct snapshot *snapshot_unpack(struct unpack *in,
				 const struct doc_shelf *shelf,
				 const char **why)
{
	struct unpacking unpacking = {.in = in, .shelf = shelf};
	uint64_t generation = unpack_number(in);
	int64_t time = unpack_signed(in);
	enum snapshot_cause cause = unpack_cause(in);
	struct snapshot *snapshot;

	unpack_docs(&unpacking);
	snapshot = merge_checked(&unpacking);
	stack_docs_deinit(&unpacking.docs);
	*why = unpacking.why ? unpacking.why : "it is damaged";
	if (!snapshot)
		return NULL;
	snapshot->generation = generation;
	snapshot->time = time;
	snapshot->cause = cause;
	return snapshot;
}
