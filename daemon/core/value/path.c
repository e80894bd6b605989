#include "value/path.h"

#include "base/arena.h"
#include "base/mem.h"
#include "value/json_string.h"
#include "value/value.h"

struct scan {
	struct arena *arena;
	struct str text;
	size_t at;
	struct path_error *error;
};

static bool fail(struct scan *scan, size_t offset, const char *reason)
{
	*scan->error = (struct path_error){offset, reason};
	return false;
}

/* What may stand in a key without quotes; the rest of Unicode included, so
 * that people can type what they see. */
static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '-' ||
	       (unsigned char)c >= 0x80;
}

/* Keys with spaces, slashes and the like are understood bare, as long as
 * nothing in them could be the syntax of a path. */
static bool ends_bare_key(char c)
{
	return c == '.' || c == '"' || (unsigned char)c < ' ';
}

static bool bare_key(struct scan *scan, struct str *key)
{
	size_t start = scan->at;

	while (scan->at < scan->text.len &&
	       !ends_bare_key(scan->text.ptr[scan->at]))
		scan->at++;
	*key = (struct str){scan->text.ptr + start, scan->at - start};
	if (!key->len)
		return fail(scan, start, "a key is missing");
	return true;
}

/* @scan->at is at the opening quote. */
static bool quoted_key(struct scan *scan, struct str *key)
{
	_cleanup_(buf_deinit) struct buf decoded = BUF_INIT;
	const char *reason;
	size_t used;

	if (!json_read_string(str_from_offset(scan->text, scan->at), &decoded,
			      &used, &reason))
		return fail(scan, scan->at + used, reason);
	*key = arena_str(scan->arena, buf_str(&decoded));
	scan->at += used;
	return true;
}

/* key := bare | quoted, and after it the end or a '.' */
static bool next_key(struct scan *scan, struct str *key)
{
	bool quoted =
		scan->at < scan->text.len && scan->text.ptr[scan->at] == '"';

	if (!(quoted ? quoted_key(scan, key) : bare_key(scan, key)))
		return false;
	if (scan->at < scan->text.len && scan->text.ptr[scan->at] != '.')
		return fail(scan, scan->at, "expected '.' or the end");
	return true;
}

static bool read_keys(struct scan *scan, struct path *path)
{
	struct str keys[PATH_ELEMENTS_MAX];
	size_t count = 0;

	do {
		if (count)
			scan->at++; /* the '.' */
		if (count == PATH_ELEMENTS_MAX)
			return fail(scan, scan->at, "too many keys");
		if (!next_key(scan, &keys[count++]))
			return false;
	} while (scan->at < scan->text.len);
	path->items = arena_alloc(scan->arena, count * sizeof(*keys));
	memcpy(path->items, keys, count * sizeof(*keys));
	path->count = count;
	return true;
}

bool path_parse(struct path *path, struct arena *arena, struct str text,
		struct path_error *error)
{
	struct scan scan = {arena, text, 0, error};

	*path = (struct path){0};
	return !text.len || read_keys(&scan, path);
}

static const struct value *list_item(const struct value *list, struct str key)
{
	uint64_t index = 0;

	if (!key.len || key.len > 10)
		return NULL;
	for (size_t i = 0; i < key.len; i++) {
		if (key.ptr[i] < '0' || key.ptr[i] > '9')
			return NULL;
		index = index * 10 + (uint64_t)(key.ptr[i] - '0');
	}
	return index < list->list.count ? list->list.items[index] : NULL;
}

const struct value *path_find(const struct value *root, const struct path *path)
{
	for (size_t i = 0; root && i < path->count; i++) {
		if (root->type == VALUE_LIST)
			root = list_item(root, path->items[i]);
		else
			root = value_get(root, path->items[i]);
	}
	return root;
}

void path_add_key(struct buf *text, struct str key)
{
	bool plain = key.len > 0;

	for (size_t i = 0; i < key.len; i++)
		plain = plain && is_plain(key.ptr[i]);
	if (text->len)
		buf_putc(text, '.');
	if (plain)
		buf_add_str(text, key);
	else
		json_write_string(text, key);
}

bool path_covers(const struct path *a, const struct path *b)
{
	if (a->count > b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!str_equal(a->items[i], b->items[i]))
			return false;
	return true;
}
