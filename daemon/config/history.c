#include "config/history.h"

#include <assert.h>

#include "base/mem.h"
#include "config/snapshot.h"

void history_init(struct history *history, size_t limit)
{
	*history = (struct history){
		.ring = mem_alloc(limit * sizeof(struct snapshot *)),
		.limit = limit,
	};
}

void history_deinit(struct history *history)
{
	for (size_t i = 0; i < history->count; i++)
		snapshot_unref(history_get(history, i));
	mem_free(history->ring);
	*history = (struct history){0};
}

void history_add(struct history *history, struct snapshot *snapshot)
{
	size_t next = (history->newest + 1) % history->limit;

	if (history->count == history->limit)
		snapshot_unref(history->ring[next]);
	else
		history->count++;
	history->ring[next] = snapshot_ref(snapshot);
	history->newest = next;
	history->added++;
}

void history_renew(struct history *history, struct snapshot *snapshot)
{
	struct snapshot **newest = &history->ring[history->newest];

	assert(history->count);
	snapshot_ref(snapshot);
	snapshot_unref(*newest);
	*newest = snapshot;
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
