#ifndef ENGINE_ARRIVAL_H
#define ENGINE_ARRIVAL_H

/*
 * Arrival: a revision of the vaults that the server has, and that this host
 * does not serve yet ([change] stage).
 *
 * A revision is a whole answer of one feed: which vaults, in which order, with
 * which texts. So a vault that comes, goes or changes places is staged as an
 * edit is, and what is served is always what the server has given at some
 * moment, never a mixture. What is no text, such as a name, is not waited for.
 *
 *   NONE --another revision, and this host is not among the first--> WAITING
 *    ^  ^                                                            |     |
 *    |  +--its time is over; now; the server has the old one again---+   skip
 *    |                                                                     |
 *    +--now; the server has the old one again------------------------- SKIPPED
 *
 * What somebody has called bad (fetch/verdicts.h) goes on waiting, whatever its
 * time, until nobody does. Nor is anything taken before it is known what is
 * called bad. From WAITING and SKIPPED yet another revision begins anew. The
 * time counts from when this host first saw the revision, by the boot clock;
 * what was before this process, by the wall clock. It knows nothing of layers,
 * and its owner tells it the time and takes the texts.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "fetch/cache_entry.h"
#include "fetch/vault.h"
#include "fetch/verdicts.h"

/* Of the name of a revision, which is told: made of what everybody may know of
 * its vaults, and the same on all hosts that get them. */
#define ARRIVAL_NAME_SIZE VERDICT_REVISION_SIZE

enum arrival_state { ARRIVAL_NONE, ARRIVAL_WAITING, ARRIVAL_SKIPPED };

/* What becomes of an answer. */
enum arrival_verdict {
	ARRIVAL_IN_FORCE, /* what is served already, or the first of all */
	ARRIVAL_TAKEN,    /* another revision, which is to be served */
	ARRIVAL_BEGINS,   /* another revision, which is to wait */
	ARRIVAL_GOES_ON,  /* the one that waits, or was skipped */
};

/* What [change] stage comes to on this host. */
struct arrival_rule {
	int64_t share, wait_ms;          /* see settings.h */
	const char *machine;             /* its id; NULL: nobody waits */
	const struct verdicts *verdicts; /* NULL: there are none */
	bool unsure; /* what they are is still to be heard */
};

struct arrival {
	enum arrival_state state;
	char in_force[REVISION_SIZE]; /* "": none is, the first is to come */
	char in_force_name[ARRIVAL_NAME_SIZE]; /* as @name; "": not known */

	/* The other one, unless NONE. Its texts come after a restart with the
	 * server's answer alone: until then nobody is told of it. */
	char next[REVISION_SIZE];
	int64_t seen_ms; /* first, by the boot clock */
	bool has_texts;
	char name[ARRIVAL_NAME_SIZE];
	const struct vault *vaults;
	size_t count;
	struct arena arena;
};

void arrival_deinit(struct arrival *arrival);

/* The server has @answer, a good one. */
enum arrival_verdict arrival_meet(struct arrival *arrival,
				  const struct vault_answer *answer,
				  const struct arrival_rule *rule,
				  int64_t now_ms);

/* Milliseconds until the texts that wait are to be taken; 0: now; -1: never, as
 * things stand. */
int64_t arrival_left(const struct arrival *arrival,
		     const struct arrival_rule *rule, int64_t now_ms);

/* Is there another revision, with its texts; and of this name (NULL: any)? */
bool arrival_is_shown(const struct arrival *arrival);
bool arrival_is_unknown(const struct arrival *arrival); /* without its texts */
bool arrival_is(const struct arrival *arrival, const char *name);

/* Who keeps it from being taken, be its time over; NULL: nobody. */
const struct verdict *arrival_verdict(const struct arrival *arrival,
				      const struct arrival_rule *rule);

/* Its texts as the answer of @feed that they were; the arrival's. */
struct vault_answer arrival_answer(const struct arrival *arrival,
				   enum vault_feed feed);

/* Its texts have been taken. */
void arrival_take(struct arrival *arrival);

/* It is not to be taken, whatever the time. */
void arrival_skip(struct arrival *arrival);

/* Nothing is in force any more: what comes next is the first. */
void arrival_forget(struct arrival *arrival);

/* What survives a restart: in @feed, whose texts are those in force. */
void arrival_keep(const struct arrival *arrival, struct cache_vaults *feed);
void arrival_restore(struct arrival *arrival, const struct cache_vaults *feed);

#endif
