#include "text/leaves.h"

#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "value/diff.h"
#include "value/json.h"

static struct str path_at(const void *leaves, size_t i)
{
	return str_from(((const struct leaf *)leaves)[i].path);
}

/* The index where @path is, or belongs. */
static size_t place_of(const struct leaves *leaves, struct str path)
{
	return str_place(path, leaves->items, leaves->count, path_at);
}

static bool is_at(const struct leaves *leaves, size_t at, struct str path)
{
	return at < leaves->count && str_is(path, leaves->items[at].path);
}

static const char *find(const struct leaves *leaves, const char *path)
{
	size_t at = place_of(leaves, str_from(path));

	return is_at(leaves, at, str_from(path)) ? leaves->items[at].json
						 : NULL;
}

static void drop(struct leaves *leaves, size_t at)
{
	struct leaf *leaf = &leaves->items[at];

	mem_free(leaf->path);
	mem_free(leaf->json);
	leaves->count--;
	memmove(leaf, leaf + 1, (leaves->count - at) * sizeof(*leaf));
}

static void insert(struct leaves *leaves, size_t at, struct leaf leaf)
{
	leaves->items = mem_room(leaves->items, leaves->count, sizeof(leaf));
	memmove(&leaves->items[at + 1], &leaves->items[at],
		(leaves->count - at) * sizeof(leaf));
	leaves->items[at] = leaf;
	leaves->count++;
}

static char *json_of(const struct value *value)
{
	struct buf json = BUF_INIT;

	json_write(&json, value);
	return buf_take(&json);
}

void leaves_set(struct leaves *leaves, struct str path,
		const struct value *value)
{
	size_t at = place_of(leaves, path);

	if (is_at(leaves, at, path))
		drop(leaves, at);
	if (value)
		insert(leaves, at,
		       (struct leaf){mem_strndup(path.ptr, path.len),
				     json_of(value)});
}

void leaves_add(struct leaves *leaves, struct str prefix,
		const struct value *value)
{
	struct changes changes = CHANGES_INIT;

	diff_add(&changes, prefix, NULL, value);
	changes_sort(&changes);
	for (size_t i = 0; i < changes.count; i++)
		leaves_set(leaves, changes.items[i].path, changes.items[i].new);
	changes_deinit(&changes);
}

void leaves_compare(const struct leaves *old, const struct leaves *new,
		    leaves_change_fn on_change, void *data)
{
	const char *before;

	for (size_t i = 0; i < old->count; i++)
		if (!find(new, old->items[i].path))
			on_change(data, old->items[i].path, old->items[i].json,
				  NULL);
	for (size_t i = 0; i < new->count; i++) {
		before = find(old, new->items[i].path);
		if (!before || !str_same(before, new->items[i].json))
			on_change(data, new->items[i].path, before,
				  new->items[i].json);
	}
}

void leaves_deinit(struct leaves *leaves)
{
	for (size_t i = 0; i < leaves->count; i++) {
		mem_free(leaves->items[i].path);
		mem_free(leaves->items[i].json);
	}
	mem_free(leaves->items);
	*leaves = (struct leaves){0};
}
