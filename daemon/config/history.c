#include "config/history.h"

#include <assert.h>

#include "base/mem.h"
#include "config/snapshot.h"

void history_init(struct history *history, size_t limit, size_t bytes_limit)
{
	*history = (struct history){
		.ring = mem_alloc(limit * sizeof(struct history_entry)),
		.limit = limit,
		.bytes_limit = bytes_limit,
	};
}

static struct history_entry *entry_at(const struct history *history,
				      size_t index)
{
	assert(history->limit);
	return &history->ring[(history->newest + history->limit - index) %
			      history->limit];
}

static void drop_oldest(struct history *history)
{
	snapshot_unref(entry_at(history, history->count - 1)->snapshot);
	history->count--;
	history->restored -= history->restored > 0;
}

void history_deinit(struct history *history)
{
	while (history->count)
		drop_oldest(history);
	mem_free(history->ring);
	*history = (struct history){0};
}

/* How many of the newest fit. One step behind, all that a snapshot shares with
 * a later one has been counted with that, or is the current one's. */
static size_t count_fitting(const struct history *history)
{
	size_t left = history->bytes_limit, fit = 1;
	const struct snapshot *later = history_get(history, 0), *snapshot;

	for (; (snapshot = history_get(history, fit)); fit++) {
		size_t bytes = snapshot_bytes_besides(snapshot, later);

		if (bytes > left)
			break;
		left -= bytes;
		later = snapshot;
	}
	return fit;
}

static void forget_what_does_not_fit(struct history *history)
{
	size_t fit = history->count ? count_fitting(history) : 0;

	while (history->count > fit)
		drop_oldest(history);
}

/* Whoever asks for all of them one day must not have to wait until all of them
 * are settled: each is as it comes. */
void history_add(struct history *history, struct snapshot *snapshot)
{
	if (history->count)
		entry_at(history, 0)->until = snapshot->generation - 1;
	if (history->count == history->limit)
		drop_oldest(history);
	snapshot_freeze(snapshot);
	history->newest = (history->newest + 1) % history->limit;
	history->count++;
	*entry_at(history, 0) = (struct history_entry){
		.snapshot = snapshot_ref(snapshot),
		.until = snapshot->generation,
	};
	history->added++;
	forget_what_does_not_fit(history);
}

void history_renew(struct history *history, struct snapshot *snapshot)
{
	struct history_entry *newest = entry_at(history, 0);

	assert(history->count);
	snapshot_freeze(snapshot);
	snapshot_ref(snapshot);
	snapshot_unref(newest->snapshot);
	newest->snapshot = snapshot;
	forget_what_does_not_fit(history);
}

static bool may_stand_behind(const struct history *history,
			     const struct snapshot *snapshot)
{
	const struct snapshot *oldest = history_oldest(history);

	return history->count < history->limit &&
	       (!oldest || snapshot->generation < oldest->generation);
}

void history_restore(struct history *history,
		     const struct history_entry *entries, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!may_stand_behind(history, entries[i].snapshot)) {
			snapshot_unref(entries[i].snapshot);
			continue;
		}
		history->count++;
		history->restored++;
		*entry_at(history, history->count - 1) = entries[i];
	}
	forget_what_does_not_fit(history);
}

void history_drop_restored(struct history *history)
{
	while (history->restored)
		drop_oldest(history);
}

struct snapshot *history_get(const struct history *history, size_t index)
{
	return index < history->count ? entry_at(history, index)->snapshot
				      : NULL;
}

struct snapshot *history_oldest(const struct history *history)
{
	return history_get(history, history->count - 1);
}

static bool was_served_at(const struct history_entry *entry,
			  uint64_t generation)
{
	return generation <= entry->until || (generation >= entry->again_from &&
					      generation <= entry->again_until);
}

struct snapshot *history_at(const struct history *history, uint64_t generation)
{
	struct snapshot *snapshot = history_get(history, 0);

	if (!snapshot || generation > snapshot->generation)
		return NULL;
	for (size_t i = 0; (snapshot = history_get(history, i)); i++)
		if (snapshot->generation <= generation)
			return !i || was_served_at(entry_at(history, i),
						   generation)
				       ? snapshot
				       : NULL;
	return NULL;
}

uint64_t history_previous(const struct history *history)
{
	const struct snapshot *newest = history_get(history, 0);
	const struct history_entry *before =
		history->count > 1 ? entry_at(history, 1) : NULL;

	return before && before->until == newest->generation - 1
		       ? before->snapshot->generation
		       : 0;
}
