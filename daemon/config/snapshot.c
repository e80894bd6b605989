#include "config/snapshot.h"

#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "config/lock.h"
#include "config/mask.h"
#include "config/secrets.h"
#include "read/doc.h"
#include "value/json.h"
#include "value/value.h"

#define CACHE_LINE ((size_t)64)

/* The room in front of a tree's bytes, for the head of a reply. */
#define ROOM (SNAPSHOT_HEAD + CACHE_LINE)

const char *snapshot_cause_name(enum snapshot_cause cause)
{
	static const char *const names[] = {
		[CAUSE_START] = "start",
		[CAUSE_FILE] = "file",
		[CAUSE_VAULT] = "vault",
		[CAUSE_SITE] = "site",
		[CAUSE_ENVIRONMENT] = "environment",
		[CAUSE_WORKSPACE] = "workspace",
		[CAUSE_RELOAD] = "reload",
		[CAUSE_STALE_LIMIT] = "stale_limit",
		[CAUSE_REVOKED] = "revoked",
		[CAUSE_HOLD] = "hold",
		[CAUSE_RELEASE] = "release",
	};

	return names[cause];
}

static void write_bytes(struct rendition *rendition)
{
	struct buf *bytes = &rendition->bytes;

	(void)buf_reserve(bytes, ROOM);
	bytes->len = ROOM;
	json_write(bytes, rendition->root);
	(void)buf_reserve(bytes, SNAPSHOT_TAIL);
	rendition->json =
		str_from_offset((struct str){bytes->data, bytes->len}, ROOM);
}

static struct rendition *rendition_new(void)
{
	struct rendition *rendition = mem_alloc(sizeof(*rendition));

	rendition->refs = 1;
	return rendition;
}

static struct rendition *masked_new(const struct snapshot *snapshot,
				    const struct secrets *secrets)
{
	struct rendition *masked = rendition_new();

	masked->masked = true;
	masked->version = secrets_version(secrets);
	masked->root = mask_tree(secrets, &masked->arena, snapshot->root);
	if (masked->root == snapshot->root)
		masked->of = rendition_ref(snapshot->plain);
	return masked;
}

struct str rendition_json(struct rendition *rendition)
{
	if (rendition->of)
		rendition->json = rendition_json(rendition->of);
	else if (!rendition->json.len)
		write_bytes(rendition);
	return rendition->json;
}

struct rendition *rendition_ref(struct rendition *rendition)
{
	rendition->refs++;
	return rendition;
}

struct rendition *rendition_unref(struct rendition *rendition)
{
	if (rendition && --rendition->refs == 0) {
		rendition_unref(rendition->of);
		buf_deinit(&rendition->bytes);
		arena_free(&rendition->arena);
		mem_free(rendition);
	}
	return NULL;
}

struct rendition *snapshot_rendition(struct snapshot *snapshot,
				     const struct secrets *mask)
{
	struct rendition *masked = snapshot->masked;

	if (!mask)
		return snapshot->plain;
	if (!masked || masked->version != secrets_version(mask)) {
		rendition_unref(masked);
		snapshot->masked = masked_new(snapshot, mask);
	}
	return snapshot->masked;
}

/* @plain: its root is set, NULL where there was nothing to merge. */
static struct snapshot *snapshot_of(struct rendition *plain)
{
	struct snapshot *snapshot = mem_alloc(sizeof(*snapshot));

	if (!plain->root)
		plain->root = value_new(&plain->arena, VALUE_OBJECT);
	snapshot->refs = 1;
	snapshot->plain = plain;
	snapshot->root = plain->root;
	return snapshot;
}

struct snapshot *snapshot_new(struct stack_docs *docs)
{
	struct rendition *plain = rendition_new();
	struct snapshot *snapshot;

	plain->root = stack_docs_merge(docs, &plain->arena);
	snapshot = snapshot_of(plain);
	snapshot->time = time(NULL);
	snapshot->docs = *docs;
	*docs = (struct stack_docs){0};
	return snapshot;
}

struct snapshot *snapshot_project(struct snapshot *snapshot,
				  enum projection projection)
{
	const struct stack_docs *docs = &snapshot->docs;
	struct rendition *plain;
	struct snapshot *made;

	if (projection_is_served(projection, docs, snapshot->locks))
		return snapshot_ref(snapshot);
	plain = rendition_new();
	plain->root = projection_merge(projection, docs, snapshot->locks,
				       &plain->arena);
	made = snapshot_of(plain);
	made->of = snapshot_ref(snapshot);
	made->generation = snapshot->generation;
	made->edition = snapshot->edition;
	made->time = snapshot->time;
	made->cause = snapshot->cause;
	return made;
}

/* The names and derived documents of a list lie in its arena, so the one whose
 * they are is pinned. */
static void share_docs(struct stack_docs *docs, const struct stack_docs *of)
{
	size_t size = of->count * sizeof(of->items[0]);

	docs->items = mem_alloc(size);
	docs->count = of->count;
	if (size)
		memcpy(docs->items, of->items, size);
	for (size_t i = 0; i < docs->count; i++)
		(void)doc_ref(docs->items[i].doc);
}

struct snapshot *snapshot_again(struct snapshot *snapshot)
{
	struct snapshot *first =
		snapshot->earlier ? snapshot->earlier : snapshot;
	struct rendition *plain = rendition_new();
	struct snapshot *again;

	plain->root = first->root;
	again = snapshot_of(plain);
	again->earlier = snapshot_ref(first);
	again->time = time(NULL);
	again->locks = first->locks ? locks_ref(first->locks) : NULL;
	share_docs(&again->docs, &first->docs);
	return again;
}

void snapshot_freeze(struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->docs.count; i++) {
		struct doc *doc = snapshot->docs.items[i].doc;

		for (size_t j = 0; j < doc->source_count; j++)
			source_freeze(doc->sources[j]);
	}
}

struct snapshot *snapshot_ref(struct snapshot *snapshot)
{
	snapshot->refs++;
	return snapshot;
}

struct snapshot *snapshot_unref(struct snapshot *snapshot)
{
	if (snapshot && --snapshot->refs == 0) {
		rendition_unref(snapshot->masked);
		rendition_unref(snapshot->plain);
		stack_docs_deinit(&snapshot->docs);
		locks_unref(snapshot->locks);
		snapshot_unref(snapshot->of);
		snapshot_unref(snapshot->earlier);
		mem_free(snapshot);
	}
	return NULL;
}

void snapshot_unrefp(struct snapshot **snapshot)
{
	*snapshot = snapshot_unref(*snapshot);
}

/* The kernel copies from the start of a cache line at twice the speed, so
 * blanks behind @head let the reply begin at one. */
static char *place_head(char *tree, struct str head)
{
	char *start = tree - head.len;
	size_t blanks = (uintptr_t)start % CACHE_LINE;

	start -= blanks;
	memcpy(start, head.ptr, head.len);
	memset(start + head.len, ' ', blanks);
	return start;
}

struct str rendition_make_reply(struct rendition *rendition, struct str head,
				struct str tail)
{
	struct buf *bytes = &rendition->bytes;
	char *start, *end;

	if (rendition->reply.len || rendition->of || head.len > SNAPSHOT_HEAD ||
	    tail.len > SNAPSHOT_TAIL)
		return rendition->reply;
	(void)rendition_json(rendition);
	end = bytes->data + bytes->len;
	start = place_head(bytes->data + ROOM, head);
	memcpy(end, tail.ptr, tail.len);
	rendition->reply =
		(struct str){start, (size_t)(end - start) + tail.len};
	return rendition->reply;
}

bool snapshot_has_doc(const struct snapshot *snapshot, const struct doc *doc)
{
	for (size_t i = 0; i < snapshot->docs.count; i++)
		if (snapshot->docs.items[i].doc == doc)
			return true;
	return false;
}

/* A text may be comments for the most part. */
static size_t bytes_of_values(const struct doc *doc)
{
	size_t all = doc->arena.used + doc->nodes.used, texts = 0;

	for (size_t i = 0; i < doc->source_count; i++)
		texts += doc->sources[i]->text.len;
	return all > texts ? all - texts : 0;
}

size_t snapshot_size(const struct snapshot *snapshot)
{
	size_t bytes = 0;

	for (size_t i = 0; i < snapshot->docs.count; i++)
		bytes += bytes_of_values(snapshot->docs.items[i].doc);
	return bytes;
}

static size_t bytes_of(const struct rendition *rendition)
{
	return rendition ? sizeof(*rendition) + rendition->arena.used +
				   rendition->bytes.cap
			 : 0;
}

size_t snapshot_bytes_besides(const struct snapshot *snapshot,
			      const struct snapshot *later)
{
	size_t bytes = sizeof(*snapshot) + bytes_of(snapshot->plain) +
		       bytes_of(snapshot->masked);

	for (size_t i = 0; i < snapshot->docs.count; i++) {
		const struct doc *doc = snapshot->docs.items[i].doc;

		if (!snapshot_has_doc(later, doc))
			bytes += doc->arena.used + doc->nodes.used;
	}
	return bytes;
}

bool snapshot_equal(const struct snapshot *a, const struct snapshot *b)
{
	return value_equal(a->root, b->root);
}
