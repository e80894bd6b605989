#include "text/log_filter.h"

#include "base/arena.h"
#include "base/mem.h"
#include "text/answer.h"
#include "value/path.h"
#include "value/value.h"

/* A leaf that stands in the place of the object which led there concerns it
 * too. */
static bool concerns(const struct value *change, const struct path *path)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct path_error error;
	struct path changed;

	return path_parse(&changed, &arena, answer_text(change, "path"),
			  &error) &&
	       (path_covers(path, &changed) || path_covers(&changed, path));
}

static struct value *changes_of(struct arena *arena,
				const struct value *generation,
				const struct path *path)
{
	const struct value *all = value_get(generation, STR("changes"));
	struct value *some = value_new(arena, VALUE_LIST);

	for (uint32_t i = 0; value_is(all, VALUE_LIST) && i < all->list.count;
	     i++)
		if (concerns(all->list.items[i], path))
			value_list_add(some, arena, all->list.items[i]);
	return some;
}

/* What is left of it; NULL: nothing. */
static struct value *left_of(struct arena *arena, struct value *generation,
			     const struct log_filter *filter)
{
	struct value *copy, *changes;

	if (answer_int(generation, "time", 0) < filter->since)
		return NULL;
	if (!filter->path)
		return generation;
	changes = changes_of(arena, generation, filter->path);
	if (!changes->list.count)
		return NULL;
	copy = value_copy(arena, generation);
	*value_object_slot(copy, arena, STR("changes")) = changes;
	return copy;
}

const struct value *log_filter(struct arena *arena, const struct value *answer,
			       const struct log_filter *filter)
{
	const struct value *all = value_get(answer, STR("generations"));
	struct value *some = value_new(arena, VALUE_LIST), *copy, *left;

	if (!value_is(all, VALUE_LIST))
		return answer;
	for (uint32_t i = 0; i < all->list.count; i++) {
		left = left_of(arena, all->list.items[i], filter);
		if (left)
			value_list_add(some, arena, left);
	}
	copy = value_copy(arena, answer);
	*value_object_slot(copy, arena, STR("generations")) = some;
	return copy;
}
