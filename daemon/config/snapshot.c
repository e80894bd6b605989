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

/* In front of a tree's bytes. */
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
	};

	return names[cause];
}

static struct str write_bytes(struct buf *bytes, const struct value *tree)
{
	(void)buf_reserve(bytes, ROOM);
	bytes->len = ROOM;
	json_write(bytes, tree);
	(void)buf_reserve(bytes, SNAPSHOT_TAIL);
	return str_from_offset((struct str){bytes->data, bytes->len}, ROOM);
}

static struct masked *masked_new(const struct snapshot *snapshot,
				 const struct secrets *secrets)
{
	struct masked *masked = mem_alloc(sizeof(*masked));

	masked->refs = 1;
	masked->version = secrets_version(secrets);
	masked->root = mask_tree(secrets, &masked->arena, snapshot->root);
	masked->json = masked->root == snapshot->root
			       ? snapshot->json
			       : write_bytes(&masked->bytes, masked->root);
	return masked;
}

struct masked *masked_ref(struct masked *masked)
{
	masked->refs++;
	return masked;
}

struct masked *masked_unref(struct masked *masked)
{
	if (masked && --masked->refs == 0) {
		buf_deinit(&masked->bytes);
		arena_free(&masked->arena);
		mem_free(masked);
	}
	return NULL;
}

struct masked *snapshot_masked(struct snapshot *snapshot,
			       const struct secrets *secrets)
{
	struct masked *masked = snapshot->masked;

	if (!masked || masked->version != secrets_version(secrets)) {
		masked_unref(masked);
		snapshot->masked = masked_new(snapshot, secrets);
	}
	return snapshot->masked;
}

/* @root NULL: there was nothing to merge. */
static void set_root(struct snapshot *snapshot, struct value *root)
{
	snapshot->root =
		root ? root : value_new(&snapshot->arena, VALUE_OBJECT);
	snapshot->json = write_bytes(&snapshot->bytes, snapshot->root);
}

struct snapshot *snapshot_new(struct stack_docs *docs)
{
	struct snapshot *snapshot = mem_alloc(sizeof(*snapshot));

	snapshot->refs = 1;
	snapshot->time = time(NULL);
	snapshot->docs = *docs;
	*docs = (struct stack_docs){0};
	set_root(snapshot, stack_docs_merge(&snapshot->docs, &snapshot->arena));
	return snapshot;
}

struct snapshot *snapshot_project(struct snapshot *snapshot,
				  enum projection projection)
{
	const struct stack_docs *docs = &snapshot->docs;
	struct snapshot *made;

	if (projection_is_served(projection, docs, snapshot->locks))
		return snapshot_ref(snapshot);
	made = mem_alloc(sizeof(*made));
	made->refs = 1;
	made->of = snapshot_ref(snapshot);
	made->generation = snapshot->generation;
	made->edition = snapshot->edition;
	made->time = snapshot->time;
	made->cause = snapshot->cause;
	set_root(made, projection_merge(projection, docs, snapshot->locks,
					&made->arena));
	return made;
}

void snapshot_settle(struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->docs.count; i++) {
		struct doc *doc = snapshot->docs.items[i].doc;

		for (size_t j = 0; j < doc->source_count; j++)
			source_settle(doc->sources[j]);
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
		buf_deinit(&snapshot->bytes);
		masked_unref(snapshot->masked);
		arena_free(&snapshot->arena);
		stack_docs_deinit(&snapshot->docs);
		locks_unref(snapshot->locks);
		snapshot_unref(snapshot->of);
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

struct str snapshot_make_reply(struct snapshot *snapshot, struct masked *masked,
			       struct str head, struct str tail)
{
	struct str *reply = masked ? &masked->reply : &snapshot->reply;
	struct str *beginning = masked ? &masked->head : &snapshot->head;
	struct buf *bytes = masked ? &masked->bytes : &snapshot->bytes;
	char *start, *end = bytes->data + bytes->len;

	if (reply->len || !bytes->len || head.len > SNAPSHOT_HEAD ||
	    tail.len > SNAPSHOT_TAIL)
		return *reply;
	start = place_head(bytes->data + ROOM, head);
	memcpy(end, tail.ptr, tail.len);
	*reply = (struct str){start, (size_t)(end - start) + tail.len};
	*beginning = (struct str){start, head.len};
	return *reply;
}

bool snapshot_has_doc(const struct snapshot *snapshot, const struct doc *doc)
{
	for (size_t i = 0; i < snapshot->docs.count; i++)
		if (snapshot->docs.items[i].doc == doc)
			return true;
	return false;
}

size_t snapshot_bytes_besides(const struct snapshot *snapshot,
			      const struct snapshot *later)
{
	const struct masked *masked = snapshot->masked;
	size_t bytes =
		sizeof(*snapshot) + snapshot->arena.used + snapshot->bytes.cap;

	if (masked)
		bytes += sizeof(*masked) + masked->arena.used +
			 masked->bytes.cap;
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
