#ifndef SITE_ROLLOUT_H
#define SITE_ROLLOUT_H

/*
 * Site rollout: a document's next text, which comes to a share of the hosts at
 * a time (fleet.md, "A rollout"). Beside its document in etcd, so that both are
 * told in one step.
 *
 *   WAITING --its share has come here--> AWAITED --etcd says so--> TAKEN
 *      ^                                     |                       |
 *      +-- the share is less again, or stopped and this host has ----+
 *          another text
 *
 * What a watch tells may be of the past: of a host that was cut off, or stood
 * still. So before a text is taken etcd is asked whether it is still to be, or
 * a rollout that was stopped meanwhile would go further. Stopped, it stays with
 * who has its text, be it since an earlier process. The documents are
 * site_docs'; a rollout keeps what would be there without it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct etcd_kv;
struct layer;

/* Why a text is bad on this host; the names of `kind` in fleet.md. */
enum rollout_bad {
	ROLLOUT_FINE,
	ROLLOUT_BROKEN,
	ROLLOUT_ILL_TYPED,
	ROLLOUT_CHECK, /* a check command said no */
	ROLLOUT_LEFT,  /* a program ended with failure soon after */
};

struct site_rollout {
	char *key; /* the document's */
	char *id;  /* NULL: it has never been understood */
	bool stopped;
	unsigned int share;
	struct str text; /* owned */
	int64_t revision;
	char *problem; /* why it is not understood; NULL */

	bool awaited; /* it is to be taken, if etcd still says so */
	bool taken;
	int64_t taken_at;    /* milliseconds of the boot clock */
	uint64_t generation; /* the first that has its text; 0: none yet */
	struct str base; /* owned: the document's own text; ptr NULL: none */
	int64_t base_revision;

	enum rollout_bad bad;
	char *reason; /* for people, of bad */
	int64_t bad_since;
};

struct site_rollouts {
	struct site_rollout *items;
	size_t count;
	size_t bytes; /* of all texts */
};

/* Is @key a rollout's? *@document: its document's. */
bool rollout_of_key(struct str key, struct str *document);

/* Its own key; the caller's. */
char *rollout_key(const struct site_rollout *rollout);

void rollouts_clear(struct site_rollouts *rollouts);

/* The rollout of @document; NULL: there is none. */
struct site_rollout *rollouts_find(const struct site_rollouts *rollouts,
				   struct str document);

/* A new one, of which nothing is known; valid until the next. */
struct site_rollout *rollouts_add(struct site_rollouts *rollouts,
				  struct str document);
void rollouts_remove(struct site_rollouts *rollouts,
		     struct site_rollout *rollout);

/* Read what etcd says of it. What is not understood stops it. */
void rollout_read(struct site_rollouts *rollouts, struct site_rollout *rollout,
		  const struct etcd_kv *kv);

/* The document's own text, in place of which it stands. */
void rollout_set_base(struct site_rollouts *rollouts,
		      struct site_rollout *rollout, struct str text,
		      int64_t revision);

/* Is it for @machine, which has the text @had now (ptr NULL: none)? */
bool rollout_is_for(const struct site_rollout *rollout, const char *machine,
		    struct str had);

/* What is wrong with the newest text of @layer. */
enum rollout_bad rollout_bad_of(const struct layer *layer);

/* True when that is news. */
bool rollout_set_bad(struct site_rollout *rollout, enum rollout_bad bad,
		     const char *reason);

const char *rollout_bad_name(enum rollout_bad bad);

#endif
