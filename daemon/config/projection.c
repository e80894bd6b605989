#include "config/projection.h"

#include "base/mem.h"
#include "config/lock.h"
#include "config/merge.h"
#include "config/stack.h"
#include "read/doc.h"

bool projection_from_name(struct str name, enum projection *projection)
{
	static const char *const names[PROJECTIONS] = {
		[PROJECTION_SERVED] = "served",
		[PROJECTION_MERGED] = "merged",
		[PROJECTION_LIVE] = "live",
	};

	*projection = PROJECTION_SERVED;
	if (!name.ptr)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (str_is(name, names[i])) {
			*projection = (enum projection)i;
			return true;
		}
	}
	return false;
}

enum layer_kind projection_below(enum projection projection)
{
	return projection == PROJECTION_LIVE ? LAYER_ENV_GENERIC : LAYER_KINDS;
}

static bool is_touched(const struct stack_doc *item, const struct locks *locks)
{
	const struct value *value;
	size_t at = 0;

	return locks_next(locks, item->kind, item->doc->root, &at, &value);
}

bool projection_is_served(enum projection projection,
			  const struct stack_docs *docs,
			  const struct locks *locks)
{
	if (projection != PROJECTION_MERGED)
		return projection == PROJECTION_SERVED;
	for (size_t i = 0; i < docs->count; i++)
		if (is_touched(&docs->items[i], locks))
			return false;
	return true;
}

/* What the projection shows of @item; NULL: nothing. */
static struct value *part_of(enum projection projection,
			     const struct stack_doc *item,
			     const struct locks *locks, struct arena *arena)
{
	if (projection == PROJECTION_MERGED)
		return locks_strip(locks, item->kind, arena, item->doc->root);
	return item->kind < projection_below(projection) ? item->doc->root
							 : NULL;
}

struct value *projection_merge(enum projection projection,
			       const struct stack_docs *docs,
			       const struct locks *locks, struct arena *arena)
{
	struct value *merged = NULL;

	for (size_t i = 0; i < docs->count; i++)
		merged = merge(
			arena, merged,
			part_of(projection, &docs->items[i], locks, arena));
	return merged;
}
