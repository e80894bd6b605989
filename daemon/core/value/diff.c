#include "value/diff.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "value/path.h"
#include "value/value.h"

const char *change_kind_name(enum change_kind kind)
{
	static const char *const names[] = {
		[CHANGE_REMOVED] = "removed",
		[CHANGE_ADDED] = "added",
		[CHANGE_CHANGED] = "changed",
	};

	return names[kind];
}

static bool is_branch(const struct value *value)
{
	return value_is(value, VALUE_OBJECT) && value->object.count;
}

static void add(struct changes *changes, struct buf *path,
		const struct value *old, const struct value *new)
{
	size_t cap = changes->cap ? changes->cap * 2 : 16;

	if (changes->count == changes->cap) {
		changes->items =
			arena_grow(&changes->arena, changes->items,
				   changes->cap * sizeof(struct change),
				   cap * sizeof(struct change));
		changes->cap = cap;
	}
	changes->items[changes->count++] = (struct change){
		.path = arena_str(&changes->arena, buf_str(path)),
		.kind = !old   ? CHANGE_ADDED
			: !new ? CHANGE_REMOVED
			       : CHANGE_CHANGED,
		.old = old,
		.new = new,
	};
}

static void walk(struct changes *changes, struct buf *path,
		 const struct value *old, const struct value *new);

static void walk_member(struct changes *changes, struct buf *path,
			const struct member *member,
			const struct value *const pair[2])
{
	size_t len = path->len;

	path_add_key(path, member_key(member));
	walk(changes, path, pair[0], pair[1]);
	path->len = len;
}

/* Add all leaves of a value that only one side has. */
static void walk_all(struct changes *changes, struct buf *path,
		     const struct value *tree, bool removed)
{
	struct member *m;

	if (!is_branch(tree)) {
		add(changes, path, removed ? tree : NULL,
		    removed ? NULL : tree);
		return;
	}
	for (value_each (tree, m))
		walk_member(
			changes, path, m,
			(const struct value *[2]){removed ? m->value : NULL,
						  removed ? NULL : m->value});
}

static size_t at_of(const struct value *object, const struct member *member)
{
	return (size_t)(member - object->object.members);
}

static void walk_objects(struct changes *changes, struct buf *path,
			 const struct value *old, const struct value *new)
{
	struct member *m;

	for (value_each (old, m))
		walk_member(changes, path, m,
			    (const struct value *[2]){
				    m->value,
				    value_get_like(new, m, at_of(old, m))});
	for (value_each (new, m))
		if (!value_get_like(old, m, at_of(new, m)))
			walk_member(changes, path, m,
				    (const struct value *[2]){NULL, m->value});
}

static void walk(struct changes *changes, struct buf *path,
		 const struct value *old, const struct value *new)
{
	bool old_branch = is_branch(old), new_branch = is_branch(new);

	if (old == new)
		return;
	if (old_branch && new_branch) {
		walk_objects(changes, path, old, new);
	} else if (old_branch || new_branch || !old || !new) {
		if (old)
			walk_all(changes, path, old, true);
		if (new)
			walk_all(changes, path, new, false);
	} else if (!value_equal(old, new)) {
		add(changes, path, old, new);
	}
}

void diff_add(struct changes *changes, struct str prefix,
	      const struct value *old, const struct value *new)
{
	_cleanup_(buf_deinit) struct buf path = BUF_INIT;

	buf_add_str(&path, prefix);
	walk(changes, &path, old, new);
}

static int by_kind_and_path(const void *a, const void *b)
{
	const struct change *x = a, *y = b;
	int kind = (y->kind == CHANGE_REMOVED) - (x->kind == CHANGE_REMOVED);

	return kind ? kind : str_compare(x->path, y->path);
}

void changes_sort(struct changes *changes)
{
	size_t kept = 0;

	if (changes->count)
		qsort(changes->items, changes->count, sizeof(struct change),
		      by_kind_and_path);
	for (size_t i = 0; i < changes->count; i++)
		if (!kept || by_kind_and_path(&changes->items[kept - 1],
					      &changes->items[i]))
			changes->items[kept++] = changes->items[i];
	changes->count = kept;
}

void changes_deinit(struct changes *changes)
{
	arena_free(&changes->arena);
	*changes = CHANGES_INIT;
}
