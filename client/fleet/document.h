#ifndef FLEET_DOCUMENT_H
#define FLEET_DOCUMENT_H

/*
 * Document: one document of the site layer as it was looked at, and what may be
 * done with it. Whatever is done is one transaction on the condition that
 * nothing has changed since that look: the document, its rollout and the copy
 * of what it says (revision.h) change together or not at all, and whoever puts
 * at the same time is told.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "fetch/etcd/etcd_wire.h"
#include "fleet/revision.h"
#include "fleet/rollout.h"

struct store;

struct document {
	const char *name;
	struct arena arena;
	struct etcd_kv now;      /* revision 0: it is not there */
	struct etcd_kv underway; /* the rollout's key; revision 0: none */
	struct rollout rollout;  /* if that can be understood */
	bool understood;
	struct revision newest; /* number 0: there is none */
	int64_t copied;         /* etcd's revision of the newest copy */
};

/* Can hosts have a document of that name? NULL, or what is wrong, static. */
const char *document_name_problem(const char *name);

/* An exit status, complained about; document_deinit in any case. */
int document_look(struct document *document, struct store *store,
		  const char *name);
void document_deinit(struct document *document);

/* Was it put by other means than ours since the newest copy? */
static inline bool document_is_foreign(const struct document *document)
{
	return document->now.revision &&
	       document->now.revision != document->copied;
}

/* What is to be done, all of it at once. */
struct document_change {
	bool keep;       /* the document, as it is */
	struct str text; /* {NULL, 0}: it is removed */
	const char *by, *reason;
	struct str rollout;     /* it was this one's; empty: none's */
	int64_t reverts;        /* to the copy of this number; 0: it does not */
	bool end_rollout;       /* its key goes */
	struct str new_rollout; /* its key becomes this; empty: it stays */
};

/* Is it small enough for etcd? An exit status, complained about. */
int document_fits(const struct document *document, const struct store *store,
		  const struct document_change *change);

/* EXIT_DONE, with the number of the copy in *number (0: none was needed) or
 * *number -1: something has changed since the look, and nothing was done; or
 * complained about. */
int document_try(const struct document *document, struct store *store,
		 const struct document_change *change, int64_t *number);

/* The same, but that such a change is complained of too. EXIT_DONE, with the
 * number of the copy. */
int document_commit(const struct document *document, struct store *store,
		    const struct document_change *change, int64_t *number);

/* user@host, who runs this; the caller's. */
char *document_author(void);

/* 16 hexadecimal digits that nothing else has; the caller's. */
char *document_new_id(void);

#endif
