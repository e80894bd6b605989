#ifndef CONFIG_SNAPSHOT_H
#define CONFIG_SNAPSHOT_H

/*
 * Snapshot: the immutable result of merging a stack's documents.
 *
 * It pins the documents whose leaves it shares, and holds the bytes of whole
 * answers, with secrets and without. Shared by reference between
 * connections that send it, watchers that have yet to be told, the history.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "config/projection.h"
#include "config/stack.h"

struct locks;
struct secrets;
struct value;

/* Room around the bytes of a tree for what makes a whole reply of them. */
#define SNAPSHOT_HEAD ((size_t)128)
#define SNAPSHOT_TAIL ((size_t)4)

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

/* A snapshot without secrets, as far as they are known. What is learned later,
 * be it from another workspace, makes it old: snapshot_masked makes another,
 * and this one lives as long as somebody sends it. It may share with its
 * snapshot, so that whoever keeps it keeps both. */
struct masked {
	unsigned int refs;
	uint64_t version; /* of the secrets */
	struct arena arena;
	struct value *root;
	struct str json;  /* of it, on one line */
	struct str reply; /* around that; empty: not made */
	struct str head;  /* of the reply */
	struct buf bytes; /* own all; empty: the snapshot's, as nothing is a
			   * secret */
};

struct snapshot {
	unsigned int refs;
	uint64_t generation; /* 0 until published */
	uint64_t edition;    /* counts those of the same values as well */
	int64_t time;        /* seconds since 1970 */
	enum snapshot_cause cause;
	struct arena arena;
	struct stack_docs docs; /* pinned */
	struct locks *locks;    /* it was made under; NULL: none */
	struct snapshot *of;    /* that it is a projection of, pinned, and its
				 * documents are those; NULL: it is none */
	struct value *root;     /* an object */
	struct str json;        /* of it, on one line */
	struct str reply;       /* around that; empty: not made */
	struct str head;        /* of the reply */
	struct buf bytes;       /* own all */
	struct masked *masked;  /* shown last; NULL: nobody has asked */
};

const char *snapshot_cause_name(enum snapshot_cause cause);

/* Merge @docs, whose references it takes over. Its `locks` are for the caller
 * to set. */
struct snapshot *snapshot_new(struct stack_docs *docs);

/* What @projection shows of @snapshot; @snapshot itself if that is the same. */
struct snapshot *snapshot_project(struct snapshot *snapshot,
				  enum projection projection);

struct snapshot *snapshot_ref(struct snapshot *snapshot);
struct snapshot *snapshot_unref(struct snapshot *snapshot); /* NULL */
void snapshot_unrefp(struct snapshot **snapshot);

/* Nothing of it, and of its documents, changes from here on but its masked form
 * and its references: another thread may read it. */
void snapshot_settle(struct snapshot *snapshot);

/* As it may be shown by what @secrets are now. Made when it is asked for: then
 * a new snapshot takes the loop less long at once. */
struct masked *snapshot_masked(struct snapshot *snapshot,
			       const struct secrets *secrets);

struct masked *masked_ref(struct masked *masked);
struct masked *masked_unref(struct masked *masked); /* NULL; takes NULL */

/* A whole reply, so that it can be sent at one go again and again: @head, the
 * tree's bytes, @tail. Of the snapshot as it is, or (not NULL) as its @masked.
 * Made once, for from then on it may be on its way to somebody; empty when
 * there is no room for it or the bytes are not its own. */
struct str snapshot_make_reply(struct snapshot *snapshot, struct masked *masked,
			       struct str head, struct str tail);

bool snapshot_has_doc(const struct snapshot *snapshot, const struct doc *doc);

/* The memory it takes, without the documents that it shares with @later. */
size_t snapshot_bytes_besides(const struct snapshot *snapshot,
			      const struct snapshot *later);

/* The same values? */
bool snapshot_equal(const struct snapshot *a, const struct snapshot *b);

#endif
