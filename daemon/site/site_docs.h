#ifndef SITE_DOCS_H
#define SITE_DOCS_H

/*
 * Site documents: the keys below the prefix that are for this host, in the
 * order of layers, each with its newest text.
 *
 *	PREFIX NAME           for everybody, in the order of the names
 *	PREFIX groups/G/NAME  for hosts that the settings put into G; these come
 *	                      after, in the order of the settings
 *	PREFIX hosts/H/NAME   for the host that calls itself H; after those
 *
 * In the place of a document's text may stand that of its rollout
 * (site/site_rollout), as far as that has come to this machine.
 *
 * Owned by its site. What the texts hold is not looked at here.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "fetch/etcd/etcd.h"
#include "fetch/verdicts.h"
#include "site/site_rollout.h"

/* More documents than this are taken for a mistake in the prefix. */
#define SITE_DOCS_MAX 20000

struct site_doc {
	char *key;
	struct str text; /* owned */
	size_t rank;
	int64_t revision; /* etcd's, that the text is of; 0: an earlier day's */
};

struct site_docs {
	char *prefix;        /* ends with '/' */
	const char *machine; /* borrowed: base/machine.h */
	char *host;
	char **groups;
	size_t group_count;
	struct site_doc *items;
	size_t count;
	size_t bytes;     /* of all texts */
	int64_t revision; /* the newest that was taken; 0: none */
	struct site_rollouts rollouts;
	struct verdicts verdicts; /* on revisions of vaults */
	struct site_docs *before; /* what is being replaced; or NULL */
};

/* @prefix and @groups as the settings say them. */
void site_docs_init(struct site_docs *docs, const char *prefix,
		    const char *groups, const char *machine);
void site_docs_deinit(struct site_docs *docs);

/* The keys that can be for this host; the caller's, with what they point to:
 * site_spans_free. */
struct etcd_span *site_docs_spans(const struct site_docs *docs, size_t *count);
void site_spans_free(struct etcd_span *spans, size_t count);

void site_docs_take(struct site_docs *docs, const struct etcd_news *news);

/* The rollout whose text stands for the document @key; NULL: none. */
const struct site_rollout *site_docs_rollout(const struct site_docs *docs,
					     const char *key);

/* The key of a rollout that is to be taken if etcd still has it at its
 * revision; NULL: there is none. The caller's. */
char *site_docs_awaited(const struct site_docs *docs);

/* @reply is etcd's answer to who asked for that @key. True when the rollout is
 * taken; it stays awaited when the watch has told of a newer one meanwhile. */
bool site_docs_confirm(struct site_docs *docs, struct str key,
		       const struct etcd_reply *reply);

/* Take those documents of @others that are for this host by the prefix and
 * groups of @docs; @others is empty after. */
void site_docs_inherit(struct site_docs *docs, struct site_docs *others);

/* Put a document that was kept from an earlier day. */
void site_docs_put(struct site_docs *docs, struct str key, struct str text);

void site_docs_clear(struct site_docs *docs);

#endif
