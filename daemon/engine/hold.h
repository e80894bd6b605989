#ifndef ENGINE_HOLD_H
#define ENGINE_HOLD_H

/*
 * Hold: what a workspace serves stays as it is, whatever comes, until somebody
 * releases it or its time is over.
 *
 * The workspace goes on making snapshots of its layers. While the hold is in
 * force the newest waits here, the candidate, and is published when it ends.
 * The file of the hold (hold_file.h) has all that is served, so "held" is said
 * only when that is on disk: from then on a restart serves the same.
 *
 *           hold_begin              written
 *   NONE ----------------> WRITING ---------> ON --hold_release--> REMOVING
 *    ^                       |  ^              ^ |                    |  |
 *    +-- could not, no other-+  +- hold_begin -|-+                    |  |
 *    |                       +-- could not ----+<----- could not -----+  |
 *    +----------------------------- removed -----------------------------+
 *
 * It is in force from WRITING on, so that nothing comes in between, until it is
 * removed. One that ends by itself, as its time is over or what is held is
 * another login's (hold_drop), is in force no more at once; its file goes when
 * it can.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "config/snapshot.h"
#include "state/hold_file.h"

struct hold_work;

/* Losses that are listed; the others are counted. */
#define HOLD_LOSSES_MAX 64

enum hold_state { HOLD_NONE, HOLD_WRITING, HOLD_ON, HOLD_REMOVING };

enum hold_event {
	HOLD_BEGUN,  /* it is on disk; hold->record is new */
	HOLD_FAILED, /* it is not, and hold->problem says why: what was
		      * before holds */
	HOLD_ENDED,  /* nothing is held */
};

typedef void (*hold_event_fn)(void *data, enum hold_event event);

/* Borrowed but for the call back. */
struct hold_place {
	uv_loop_t *loop;
	const char *state_dir; /* NULL: there is none */
	const char *workspace;
	bool read_only; /* nothing is written */
	void *data;
	hold_event_fn on_event;
};

/* What somebody asks for; borrowed. */
struct hold_wish {
	struct snapshot *snapshot;
	uint64_t generation;
	int64_t duration; /* seconds; 0: without end */
	const char *reason;
	uid_t uid;
	struct hold_owner owner;
	struct hold_facts facts;
};

/* What is served under the hold and would not be without it. */
struct hold_losses {
	char *secrets[HOLD_LOSSES_MAX]; /* paths of secrets */
	size_t listed, count;           /* of these, and of all */
	char *vaults[HOLD_LOSSES_MAX];  /* by name, else id */
	size_t vault_count;
};

struct hold {
	struct hold_place place;
	enum hold_state state;
	struct hold_record *record; /* in force, and on disk; NULL: none */
	struct hold_record *next;   /* that is being written; NULL: none */
	struct hold_work *work;     /* on the disk; NULL: none */
	bool renaming;              /* next is record, of another owner */
	bool dropped;               /* in force no more, but at work */
	int64_t ends_ms;            /* of the boot clock; 0: without end */
	char *problem; /* why the last wish did not come about; NULL */

	struct snapshot *candidate; /* what would be served; NULL: nothing has
				     * come since */
	enum snapshot_cause cause;  /* of the candidate */
	bool differs;               /* from what is held, in its values */
	struct hold_losses losses;
};

void hold_init(struct hold *hold, const struct hold_place *place);

/* What is under way on the disk is finished, and nobody told. */
void hold_close(struct hold *hold);

/* Is what is served held? */
bool hold_is_on(const struct hold *hold);

/* The generation that is held; 0: none is. */
uint64_t hold_generation(const struct hold *hold);

/* NULL, or why nothing can be begun now, for people. */
const char *hold_why_not(const struct hold *hold);

/* Hold what @wish says, in the place of what is held. hold_why_not is NULL. */
void hold_begin(struct hold *hold, const struct hold_wish *wish);

/* hold_why_not is NULL, and a hold is on. */
void hold_release(struct hold *hold);

/* The login is another one now that is given the same: so says the file from
 * here on. */
void hold_rename(struct hold *hold, const struct hold_owner *owner);

/* It is in force no more: HOLD_ENDED comes before this returns. */
void hold_drop(struct hold *hold);

/* Milliseconds until it ends by itself; -1: never, as things stand. */
int64_t hold_left(const struct hold *hold, int64_t now_ms);

/* What an earlier process has held, for the login of @owner; its time goes on.
 * True when it holds again. No event tells of that. */
bool hold_restore(struct hold *hold, const struct hold_owner *owner,
		  bool agent);

/* --- the candidate --- */

/* @snapshot would be served; a new reference. True when that changes what
 * status tells. */
bool hold_keep(struct hold *hold, struct snapshot *snapshot,
	       enum snapshot_cause cause, const struct secrets *secrets);

/* The caller's; NULL: none has come. */
struct snapshot *hold_take(struct hold *hold);

#endif
