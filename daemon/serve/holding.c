#include "serve/holding.h"

#include <string.h>

#include "base/mem.h"
#include "config/history.h"
#include "config/snapshot.h"

#define MINUTE INT64_C(60)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

const char *const behind_names[BEHIND_AGES] = {
	[BEHIND_MINUTE] = "minute",
	[BEHIND_HOUR] = "hour",
	[BEHIND_DAY] = "day",
	[BEHIND_LONGER] = "longer",
};

/* The newest are asked for most, and stand last. */
static struct holding *find(const struct list *all, const char *workspace,
			    uint64_t generation)
{
	const struct list *i = all->prev;

	for (; i != all; i = i->prev) {
		struct holding *holding = CONTAINER_OF(i, struct holding, link);

		if (holding->generation == generation &&
		    !strcmp(holding->workspace, workspace))
			return holding;
	}
	return NULL;
}

static struct holding *add(struct list *all, const char *workspace,
			   uint64_t generation)
{
	size_t size = strlen(workspace) + 1;
	struct holding *holding = mem_alloc(sizeof(*holding) + size);

	holding->generation = generation;
	memcpy(holding->workspace, workspace, size);
	list_add(all, &holding->link);
	return holding;
}

struct holding *holding_take(struct list *all, const char *workspace,
			     uint64_t generation)
{
	struct holding *holding = find(all, workspace, generation);

	if (!holding)
		holding = add(all, workspace, generation);
	holding->count++;
	return holding;
}

struct holding *holding_release(struct holding *holding)
{
	if (!holding || --holding->count)
		return NULL;
	list_remove(&holding->link);
	mem_free(holding);
	return NULL;
}

int64_t holding_behind(const struct holding *held,
		       const struct history *history, int64_t now)
{
	const struct snapshot *next = history_get(history, 0), *snapshot;
	int64_t seconds;

	if (!held->generation || held->generation >= next->generation)
		return -1;
	for (size_t i = 1; (snapshot = history_get(history, i)) &&
			   snapshot->generation > held->generation;
	     i++)
		next = snapshot;
	seconds = now - next->time;
	return seconds > 0 ? seconds : 0;
}

static size_t age_of(int64_t seconds)
{
	static const int64_t limits[] = {MINUTE, HOUR, DAY};
	size_t age = 0;

	while (age < ARRAY_SIZE(limits) && seconds >= limits[age])
		age++;
	return age;
}

struct behind holdings_behind(const struct list *all, const char *workspace,
			      const struct history *history, int64_t now)
{
	struct behind behind = {0};
	struct list *i;

	for (list_each (all, i)) {
		const struct holding *held =
			CONTAINER_OF(i, struct holding, link);
		int64_t seconds = strcmp(held->workspace, workspace) != 0
					  ? -1
					  : holding_behind(held, history, now);

		if (seconds >= 0)
			behind.count[age_of(seconds)] += held->count;
	}
	return behind;
}
