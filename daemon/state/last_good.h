#ifndef STATE_LAST_GOOD_H
#define STATE_LAST_GOOD_H

/*
 * Last good: for how long documents serve that their server does not stand by
 * at the moment, and their file in the cache, for who starts on such a day.
 *
 * A bad day may last for the stale limit, counted from the last good answer; a
 * refusal of the credentials for the grace, counted from the first of them.
 * Both by the boot clock; what was before this process, by the wall clock. The
 * documents are layers of a stack, which is its owner's, and so is the time.
 *
 *   NOTHING --some of the answers--> BEGUN --the rest--> KEPT
 *   NOTHING --good answer, restore--> KEPT
 *   BEGUN, KEPT --lapse, drop--> NOTHING
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "config/layer.h"
#include "config/snapshot.h"

struct cache;
struct cache_entry;
struct cache_query;
struct settings;
struct stack;

/* What has not changed is written so often, for its age. */
#define LAST_GOOD_SAVE_MS INT64_C(3600000)

struct last_good_limits {
	int64_t stale_ms, grace_ms; /* 0 stale: no limit */
};

enum last_good_lapse { LAST_GOOD_ON, LAST_GOOD_STALE, LAST_GOOD_REVOKED };

/* Where the file is, and of what: borrowed. */
struct last_good_place {
	uv_loop_t *loop;
	const char *state_dir; /* NULL: there is no file */
	const char *name;
	bool read_only; /* and it is not written */
	/* Of the first feed in the file, of the second; LAYER_KINDS: none. */
	enum layer_kind kinds[2];
	/* What was saved is in the file, or that has failed; NULL: never mind.
	 */
	void (*on_saved)(void *data);
	void *data;
};

struct last_good {
	struct last_good_place place;
	struct cache *cache; /* NULL: nothing is written */
	bool kept;           /* there is something to serve */
	bool begun;          /* or a part of it, which is in no file */
	bool refused;        /* by whoever gave it */
	bool unsaved;        /* the file does not have what it should */
	/* Moments of the boot clock, in milliseconds; before the boot they are
	 * negative: the last good answer, the first refusal after it. */
	int64_t good_ms, refusal_ms, saved_ms;
};

void last_good_init(struct last_good *last_good,
		    const struct last_good_place *place);

/* Ends when what was saved is on disk; until then the loop lives. */
void last_good_close(struct last_good *last_good);

/* The limits of [poll]; @offline: nothing is too old. */
struct last_good_limits last_good_limits(const struct settings *settings,
					 bool offline);

/* --- how long --- */

/* The server has said what the documents are. */
void last_good_answered(struct last_good *last_good, int64_t now_ms);

/* It has said that of a part of them: until it says the rest they serve so long
 * as others, but are not kept. */
void last_good_begin(struct last_good *last_good, int64_t now_ms);

/* The server refuses the credentials; true when that is news. */
bool last_good_refused(struct last_good *last_good, int64_t now_ms);

/* The server does not refuse any more, though it said nothing of the documents.
 */
void last_good_forgive(struct last_good *last_good);

/* The documents were another login's: keep none of them. */
void last_good_drop(struct last_good *last_good);

/* Is it over? Then nothing is kept any more, nor in the file. */
enum last_good_lapse last_good_lapse(struct last_good *last_good,
				     const struct last_good_limits *limits,
				     int64_t now_ms);
enum snapshot_cause last_good_cause(enum last_good_lapse lapse);

/* Milliseconds until it may be over; -1: nothing is kept, or without end. */
int64_t last_good_left(const struct last_good *last_good,
		       const struct last_good_limits *limits, int64_t now_ms);

/* Age in milliseconds of what is kept; -1: nothing is. */
int64_t last_good_age(const struct last_good *last_good, int64_t now_ms);

/* --- the file --- */

/* What an earlier process kept of the server and key that @whose names, where
 * the place is filled in; false: nothing, and if a file is wrong the log says
 * so. It may have lapsed meanwhile. @entry is the caller's. */
bool last_good_restore(struct last_good *last_good, struct cache_query *whose,
		       struct cache_entry *entry);

/* Is it time to save, for what is new or for its age? */
bool last_good_is_due(const struct last_good *last_good);

/* Write what is kept: @entry, which is empty after, says whose it is, @stack
 * has the documents; of one that is broken its last good text. */
void last_good_save(struct last_good *last_good, struct cache_entry *entry,
		    const struct stack *stack);

/* Is it being written? And is it there: false when that failed, or there is no
 * file. */
bool last_good_is_saving(const struct last_good *last_good);
bool last_good_is_saved(const struct last_good *last_good);

/* Remove the file; nothing is saved any more. */
void last_good_forget(struct last_good *last_good);

#endif
