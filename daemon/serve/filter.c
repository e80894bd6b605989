#include "serve/filter.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "config/snapshot.h"
#include "serve/call.h"
#include "serve/get.h"
#include "value/diff.h"
#include "value/json_string.h"

static int check(json_t *paths, struct filter_error *error)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct path path;
	json_t *item;
	size_t i;

	if (json_array_size(paths) > FILTER_PATHS_MAX)
		return FILTER_E_TOO_MANY;
	json_array_foreach (paths, i, item) {
		error->path = call_text(item);
		if (!path_parse(&path, &arena, error->path, &error->why))
			return FILTER_E_INVALID;
	}
	return 0;
}

static bool has_path(const struct filter *filter, struct str path)
{
	for (size_t i = 0; i < filter->count; i++)
		if (str_equal(filter->paths[i], path))
			return true;
	return false;
}

static struct filter *filter_new(json_t *paths)
{
	size_t count = json_array_size(paths), size = count;
	struct filter *filter;
	json_t *item;
	char *copy;
	size_t i;

	json_array_foreach (paths, i, item)
		size += json_string_length(item);
	filter = mem_alloc(sizeof(*filter) + count * sizeof(struct str) + size);
	filter->refs = 1;
	copy = (char *)&filter->paths[count];
	json_array_foreach (paths, i, item) {
		struct str path = call_text(item);

		if (has_path(filter, path))
			continue;
		memcpy(copy, path.ptr, path.len);
		filter->paths[filter->count++] = (struct str){copy, path.len};
		filter->hash = filter->hash * 31 + str_hash(path);
		copy += path.len;
	}
	return filter;
}

static bool is_same(const struct filter *a, const struct filter *b)
{
	if (a->hash != b->hash || a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!str_equal(a->paths[i], b->paths[i]))
			return false;
	return true;
}

/* @filter, or an equal one that @filters has already in place of it. */
static struct filter *intern(struct list *filters, struct filter *filter)
{
	struct filter *other;
	struct list *i;

	for (list_each (filters, i)) {
		other = CONTAINER_OF(i, struct filter, link);
		if (is_same(filter, other)) {
			mem_free(filter);
			return filter_ref(other);
		}
	}
	list_add(filters, &filter->link);
	return filter;
}

int filter_intern(struct list *filters, json_t *paths, struct filter **filter,
		  struct filter_error *error)
{
	int r = 0;

	*filter = NULL;
	if (paths)
		r = check(paths, error);
	if (paths && !r)
		*filter = intern(filters, filter_new(paths));
	return r;
}

struct filter *filter_ref(struct filter *filter)
{
	if (filter)
		filter->refs++;
	return filter;
}

struct filter *filter_unref(struct filter *filter)
{
	if (filter && --filter->refs == 0) {
		list_remove(&filter->link);
		mem_free(filter);
	}
	return NULL;
}

/* Parse the path @index, which filter_intern has checked. */
static struct path parse(const struct filter *filter, size_t index,
			 struct arena *arena)
{
	struct path_error error;
	struct path path;

	path_parse(&path, arena, filter->paths[index], &error);
	return path;
}

/* Spell the path as changes do, however the watcher wrote it. */
static void write_path(struct buf *text, const struct path *path)
{
	text->len = 0;
	for (size_t i = 0; i < path->count; i++)
		path_add_key(text, path->items[i]);
}

void filter_diff(const struct filter *filter, const struct snapshot *old,
		 const struct snapshot *new, struct changes *changes)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	if (!filter)
		diff_add(changes, STR(""), old->root, new->root);
	for (size_t i = 0; filter && i < filter->count; i++) {
		struct path path = parse(filter, i, &arena);

		write_path(&text, &path);
		diff_add(changes, buf_str(&text), path_find(old->root, &path),
			 path_find(new->root, &path));
	}
	changes_sort(changes);
}

void filter_write_values(const struct filter *filter, struct snapshot *snapshot,
			 const struct secrets *mask, struct buf *out)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	bool first = true;

	buf_putc(out, '{');
	for (size_t i = 0; i < filter->count; i++) {
		struct path path = parse(filter, i, &arena);

		if (!path_find(snapshot->root, &path))
			continue;
		if (!first)
			buf_putc(out, ',');
		first = false;
		json_write_string(out, filter->paths[i]);
		buf_putc(out, ':');
		get_write_visible(out,
				  get_visible(snapshot, &path, mask, &arena));
	}
	buf_putc(out, '}');
}
