#ifndef CONFIG_HISTORY_H
#define CONFIG_HISTORY_H

/*
 * History: the last snapshots of one workspace, newest first, so that a
 * watcher that was away can be told what it missed.
 *
 * A ring that holds references; what falls out of it is freed when nobody else
 * holds it. It is bounded in number and in bytes: what the older ones have
 * besides the current one, each document counted once, for what did not change
 * from one to the next is shared.
 *
 * Those of earlier processes may stand behind this one's. What was served
 * between two generations is known where nothing can have come in between: a
 * process that was killed may have served more than it has kept.
 */

#include <stddef.h>
#include <stdint.h>

struct snapshot;

struct history_entry {
	struct snapshot *snapshot; /* a reference */
	uint64_t until; /* it was served up to this generation, as far as is
			 * known; of the newest it says nothing */
	/* And again from one to the other, by another process; 0: it was not */
	uint64_t again_from, again_until;
};

struct history {
	struct history_entry *ring;
	size_t limit, count, newest; /* count <= limit */
	size_t restored;             /* of them, the oldest */
	uint64_t added;              /* ever, what fell out included */
	size_t bytes_limit;          /* of all but the newest */
};

void history_init(struct history *history, size_t limit, size_t bytes_limit);
void history_deinit(struct history *history);

/* Takes a reference of its own. */
void history_add(struct history *history, struct snapshot *snapshot);

/* @snapshot, which has the values of the newest and newer documents, takes its
 * place. */
void history_renew(struct history *history, struct snapshot *snapshot);

/* Put what earlier processes have left behind the others: @entries, the newest
 * first, whose references are taken over as far as there is room; the rest, and
 * what is not older than the others, is freed. */
void history_restore(struct history *history,
		     const struct history_entry *entries, size_t count);

/* Forget what was restored. */
void history_drop_restored(struct history *history);

/* What was served at @generation: the newest snapshot not newer than it. NULL
 * when that is older than the history, when @generation is in the future, or
 * when nobody knows. */
struct snapshot *history_at(const struct history *history, uint64_t generation);

/* The generation that the newest took the place of, when that is known and is
 * still here; else 0. */
uint64_t history_previous(const struct history *history);

/* The @index-th newest, 0 being the current; NULL past the end. */
struct snapshot *history_get(const struct history *history, size_t index);

/* The last of those; NULL: it is empty. */
struct snapshot *history_oldest(const struct history *history);

#endif
