#include "config/snapshot.h"

#include <time.h>

#include "base/mem.h"
#include "config/secret.h"
#include "value/json.h"
#include "value/value.h"

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
	json_write(bytes, tree);
	return buf_str(bytes);
}

struct snapshot *snapshot_new(struct stack_docs *docs,
			      const struct secrets *secrets)
{
	struct snapshot *snapshot = mem_alloc(sizeof(*snapshot));

	snapshot->refs = 1;
	snapshot->time = time(NULL);
	snapshot->docs = *docs;
	*docs = (struct stack_docs){0};
	snapshot->root = stack_docs_merge(&snapshot->docs, &snapshot->arena);
	if (!snapshot->root)
		snapshot->root = value_new(&snapshot->arena, VALUE_OBJECT);
	snapshot->masked =
		secrets_mask(secrets, &snapshot->arena, snapshot->root);
	snapshot->json = write_bytes(&snapshot->json_bytes, snapshot->root);
	snapshot->masked_json = snapshot->masked == snapshot->root
					? snapshot->json
					: write_bytes(&snapshot->masked_bytes,
						      snapshot->masked);
	return snapshot;
}

struct snapshot *snapshot_ref(struct snapshot *snapshot)
{
	snapshot->refs++;
	return snapshot;
}

struct snapshot *snapshot_unref(struct snapshot *snapshot)
{
	if (snapshot && --snapshot->refs == 0) {
		buf_deinit(&snapshot->json_bytes);
		buf_deinit(&snapshot->masked_bytes);
		arena_free(&snapshot->arena);
		stack_docs_deinit(&snapshot->docs);
		mem_free(snapshot);
	}
	return NULL;
}

void snapshot_unrefp(struct snapshot **snapshot)
{
	*snapshot = snapshot_unref(*snapshot);
}

bool snapshot_equal(const struct snapshot *a, const struct snapshot *b)
{
	return value_equal(a->root, b->root) &&
	       value_equal(a->masked, b->masked);
}
