#include "config/history.h"

#include <assert.h>

#include "base/mem.h"
#include "config/snapshot.h"

void history_init(struct history *history, size_t limit, size_t bytes_limit)
{
	*history = (struct history){
		.ring = mem_alloc(limit * sizeof(struct snapshot *)),
		.limit = limit,
		.bytes_limit = bytes_limit,
	};
}

void history_deinit(struct history *history)
{
	for (size_t i = 0; i < history->count; i++)
		snapshot_unref(history_get(history, i));
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

	while (history->count > fit) {
		snapshot_unref(history_get(history, history->count - 1));
		history->count--;
	}
}

/* Whoever asks for all of them one day must not have to wait until all of them
 * are settled: each is as it comes. */
void history_add(struct history *history, struct snapshot *snapshot)
{
	size_t next = (history->newest + 1) % history->limit;

	if (history->count == history->limit)
		snapshot_unref(history->ring[next]);
	else
		history->count++;
	snapshot_settle(snapshot);
	history->ring[next] = snapshot_ref(snapshot);
	history->newest = next;
	history->added++;
	forget_what_does_not_fit(history);
}

void history_renew(struct history *history, struct snapshot *snapshot)
{
	struct snapshot **newest = &history->ring[history->newest];

	assert(history->count);
	snapshot_settle(snapshot);
	snapshot_ref(snapshot);
	snapshot_unref(*newest);
	*newest = snapshot;
	forget_what_does_not_fit(history);
}

struct snapshot *history_get(const struct history *history, size_t index)
{
	if (index >= history->count)
		return NULL;
	return history->ring[(history->newest + history->limit - index) %
			     history->limit];
}

struct snapshot *history_at(const struct history *history, uint64_t generation)
{
	struct snapshot *snapshot = history_get(history, 0);

	if (!snapshot || generation > snapshot->generation)
		return NULL;
	for (size_t i = 0; (snapshot = history_get(history, i)); i++)
		if (snapshot->generation <= generation)
			return snapshot;
	return NULL;
}
