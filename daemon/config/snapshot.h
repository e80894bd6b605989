#ifndef CONFIG_SNAPSHOT_H
#define CONFIG_SNAPSHOT_H

/*
 * Snapshot: the immutable result of merging a stack's documents.
 *
 * It pins the documents whose leaves it shares, and holds the bytes of whole
 * answers, with secrets and without, once somebody has asked for them: so what
 * a change costs goes by what changed. Shared by reference between
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

/* Why a snapshot came about; the names of History in io.clearconf.varlink. */
enum snapshot_cause {
	CAUSE_START,
	CAUSE_FILE,
	CAUSE_VAULT,
	CAUSE_SITE,
	CAUSE_ENVIRONMENT,
	CAUSE_WORKSPACE,
	CAUSE_RELOAD,
	CAUSE_STALE_LIMIT,
	CAUSE_REVOKED,
	CAUSE_HOLD,
	CAUSE_RELEASE,
	CAUSES
};

/* The tree of a snapshot as it may be shown, and the bytes of whole answers: as
 * it is, or without secrets, as far as they are known. What is learned later,
 * be it from another workspace, makes the latter old: snapshot_rendition makes
 * another, and the old one lives as long as somebody sends it. Its bytes live
 * as long as it does, its tree only as long as its snapshot. */
struct rendition {
	unsigned int refs;
	bool masked;
	uint64_t version; /* of the secrets, when masked */
	struct arena arena;
	struct value *root;   /* an object */
	struct str head;      /* of a reply; empty: not made, as the next two */
	struct str json;      /* of the root, on one line */
	struct str reply;     /* around that */
	struct buf bytes;     /* own both, unless `of` owns the JSON */
	struct rendition *of; /* the same, as nothing is a secret; or NULL */
};

struct snapshot {
	unsigned int refs;
	uint64_t generation; /* 0 until published */
	uint64_t edition;    /* counts those of the same values as well */
	int64_t time;        /* seconds since 1970 */
	enum snapshot_cause cause;
	struct stack_docs docs;   /* pinned */
	struct locks *locks;      /* it was made under; NULL: none */
	struct snapshot *of;      /* that it is a projection of, pinned, and its
				   * documents are those; NULL: it is none */
	struct snapshot *earlier; /* that it serves again, pinned: its values
				   * are those; NULL: it is none */
	struct rendition *plain;  /* as it is */
	struct rendition *masked; /* shown last; NULL: nobody has asked */
	struct value *root;       /* the plain one's */
};

const char *snapshot_cause_name(enum snapshot_cause cause);

/* Merge @docs, whose references it takes over. Its `locks` are for the caller
 * to set. */
struct snapshot *snapshot_new(struct stack_docs *docs);

/* What @projection shows of @snapshot; @snapshot itself if that is the same. */
struct snapshot *snapshot_project(struct snapshot *snapshot,
				  enum projection projection);

/* What @snapshot serves, byte for byte, to be published once more. */
struct snapshot *snapshot_again(struct snapshot *snapshot);

struct snapshot *snapshot_ref(struct snapshot *snapshot);
struct snapshot *snapshot_unref(struct snapshot *snapshot); /* NULL */
void snapshot_unrefp(struct snapshot **snapshot);

/* Nothing of it, and of its documents, changes from here on but its masked form
 * and its references: another thread may read it. */
void snapshot_freeze(struct snapshot *snapshot);

/* As it is (@mask NULL), or as it may be shown by what the secrets are now.
 * That is made when it is asked for: then a new snapshot takes the loop less
 * long at once. The snapshot's. */
struct rendition *snapshot_rendition(struct snapshot *snapshot,
				     const struct secrets *mask);

/* Its tree as JSON, on one line. For the loop alone: it is written when it is
 * first asked for. */
struct str rendition_json(struct rendition *rendition);

struct rendition *rendition_ref(struct rendition *rendition);
struct rendition *rendition_unref(struct rendition *rendition); /* NULL */

/* A whole reply, so that it can be sent at one go again and again: its head,
 * the tree's bytes, @tail. Made once, for from then on it may be on its way to
 * somebody; empty when there is no room for it or the bytes are not its own. */
struct str rendition_make_reply(struct rendition *rendition, struct str head,
				struct str tail);

bool snapshot_has_doc(const struct snapshot *snapshot, const struct doc *doc);

/* The bytes that the values of all its documents take: by that goes what it
 * costs to look at all of them. */
size_t snapshot_size(const struct snapshot *snapshot);

/* The memory it takes, without the documents that it shares with @later. */
size_t snapshot_bytes_besides(const struct snapshot *snapshot,
			      const struct snapshot *later);

/* Do both have the same values? */
bool snapshot_equal(const struct snapshot *a, const struct snapshot *b);

#endif
