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
 */

#include <stddef.h>
#include <stdint.h>

struct snapshot;

struct history {
	struct snapshot **ring;
	size_t limit, count, newest; /* count <= limit */
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

/* What was served at @generation: the newest snapshot not newer than it. NULL
 * when that is older than the history, or @generation is in the future. */
struct snapshot *history_at(const struct history *history, uint64_t generation);

/* The @index-th newest, 0 being the current; NULL past the end. */
struct snapshot *history_get(const struct history *history, size_t index);

#endif
