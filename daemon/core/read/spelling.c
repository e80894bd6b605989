#include "read/spelling.h"

#include "base/mem.h"
#include "base/near.h"
#include "base/source.h"
#include "read/doc.h"
#include "value/path.h"
#include "value/value.h"

static const char *const known_keys[] = {
#include "clearml_keys.h"
};

struct check {
	const struct doc *doc;
	spelling_suspect_fn on_suspect;
	void *data;
	struct buf path; /* of the value being looked at */
	struct buf
		known; /* the same as the table has it: no element's number */
};

/* The last key of @known if it stands right below @path; {NULL, 0} if not. */
static struct str child_of(const char *known, struct str path)
{
	struct str key = str_from(known);

	if (path.len && (!str_starts(key, path) || key.ptr[path.len] != '.'))
		return (struct str){0};
	key = str_from_offset(key, path.len ? path.len + 1 : 0);
	return memchr(key.ptr, '.', key.len) ? (struct str){0} : key;
}

/* "queue2" beside "queue": another key, not the same one misspelt. */
static bool is_longer(struct str key, struct str than)
{
	return key.len > than.len && str_starts(key, than);
}

/* What @key of @object may have been meant to be, the nearest; NULL when it is
 * known, or like nothing. */
static const char *meant(struct check *check, const struct value *object,
			 struct str key)
{
	struct str path = buf_str(&check->known), child;
	struct near near = NEAR_TO(key);

	for (size_t i = 0; i < ARRAY_SIZE(known_keys); i++) {
		child = child_of(known_keys[i], path);
		if (child.len && str_equal(child, key))
			return NULL;
		if (child.len &&
		    !(is_longer(key, child) && value_get(object, child)))
			near_offer(&near, child.ptr);
	}
	return near.word;
}

#define KEY_BEFORE 256 /* bytes: how far a key may stand before its value */

/* Where the key of the value at @offset stands: the last time that its letters
 * come before the value; at the value when they do not. */
static size_t key_offset(struct str text, size_t offset, struct str key)
{
	size_t first = offset > KEY_BEFORE ? offset - KEY_BEFORE : 0;

	for (size_t at = offset; key.len && at-- > first;)
		if (at + key.len <= offset &&
		    str_starts(str_from_offset(text, at), key))
			return at;
	return offset;
}

static void suspect(struct check *check, const struct member *m,
		    const char *near)
{
	struct source *source = check->doc->sources[m->value->source];
	struct spelling_suspect suspect = {
		.source = source,
		.offset = key_offset(source->text, m->value->offset,
				     member_key(m)),
		.path = buf_str(&check->path).ptr,
		.known = near,
	};

	check->on_suspect(check->data, &suspect);
}

static void check_value(struct check *check, const struct value *value);

static void check_member(struct check *check, const struct value *object,
			 const struct member *m)
{
	const char *near = meant(check, object, member_key(m));

	path_add_key(&check->path, member_key(m));
	path_add_key(&check->known, member_key(m));
	if (near)
		suspect(check, m, near);
	else
		check_value(check, m->value);
}

static void check_element(struct check *check, const struct value *list,
			  uint32_t index)
{
	buf_printf(&check->path, ".%u", index);
	buf_puts(&check->known, ".[]");
	check_value(check, list->list.items[index]);
}

static void check_value(struct check *check, const struct value *value)
{
	size_t path = check->path.len, known = check->known.len;
	struct member *m;

	if (value->type == VALUE_OBJECT)
		for (value_each (value, m)) {
			check_member(check, value, m);
			check->path.len = path;
			check->known.len = known;
		}
	for (uint32_t i = 0; value->type == VALUE_LIST && i < value->list.count;
	     i++) {
		check_element(check, value, i);
		check->path.len = path;
		check->known.len = known;
	}
}

void spelling_check(const struct doc *doc, const struct value *root,
		    spelling_suspect_fn on_suspect, void *data)
{
	struct check check = {doc, on_suspect, data, BUF_INIT, BUF_INIT};

	check_value(&check, root);
	buf_deinit(&check.path);
	buf_deinit(&check.known);
}
