#ifndef CONFIG_SNAPSHOT_H
#define CONFIG_SNAPSHOT_H

/*
 * Snapshot: the immutable result of merging a stack.
 *
 * It pins the documents whose leaves it shares, and holds the bytes of whole
 * answers, made once. Shared by reference: connections that send it, watchers
 * that have yet to be told, the history.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

struct doc;
struct stack;
struct value;
struct secret_set;

/* Why a snapshot came about; the names of INTERFACE.md's History. */
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
	struct doc **docs; /* pinned */
	size_t doc_count;
	struct value *root;   /* an object */
	struct value *masked; /* the same without secrets */
	struct str json, masked_json; /* of the two, on one line */
};

const char *snapshot_cause_name(enum snapshot_cause cause);

/* Merge the documents that the layers of @stack hold now. */
struct snapshot *snapshot_new(const struct stack *stack);

struct snapshot *snapshot_ref(struct snapshot *snapshot);
struct snapshot *snapshot_unref(struct snapshot *snapshot);
void snapshot_unrefp(struct snapshot **snapshot);

bool snapshot_equal(const struct snapshot *a, const struct snapshot *b);

#endif
