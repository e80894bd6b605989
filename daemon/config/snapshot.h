#ifndef CONFIG_SNAPSHOT_H
#define CONFIG_SNAPSHOT_H

/*
 * Snapshot: the immutable result of merging a stack's documents.
 *
 * It pins the documents whose leaves it shares, and holds the bytes of whole
 * answers, made once, with secrets and without. Shared by reference between
 * connections that send it, watchers that have yet to be told, the history.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "config/stack.h"

struct secrets;
struct value;

/* Why a snapshot came about; the names of History in INTERFACE.md. */
enum snapshot_cause {
	CAUSE_START,
	CAUSE_FILE,
	CAUSE_VAULT,
	CAUSE_SITE,
	CAUSE_ENVIRONMENT,
	CAUSE_WORKSPACE,
	CAUSE_RELOAD,
	CAUSE_STALE_LIMIT,
	CAUSE_REVOKED
};

struct snapshot {
	unsigned int refs;
	uint64_t generation; /* 0 until published */
	int64_t time;        /* seconds since 1970 */
	enum snapshot_cause cause;
	struct arena arena;
	struct stack_docs docs;              /* pinned */
	struct value *root;                  /* an object */
	struct value *masked;                /* the same without secrets */
	struct str json, masked_json;        /* of the two, on one line */
	struct buf json_bytes, masked_bytes; /* own the above */
};

const char *snapshot_cause_name(enum snapshot_cause cause);

/* Merge @docs, whose references it takes over. */
struct snapshot *snapshot_new(struct stack_docs *docs,
			      const struct secrets *secrets);

struct snapshot *snapshot_ref(struct snapshot *snapshot);
struct snapshot *snapshot_unref(struct snapshot *snapshot); /* NULL */
void snapshot_unrefp(struct snapshot **snapshot);

bool snapshot_equal(const struct snapshot *a, const struct snapshot *b);

#endif
