#include "config/spelling.h"

#include "base/mem.h"
#include "read/doc.h"
#include "value/path.h"
#include "value/value.h"

static const char *const known_keys[] = {
#include "clearml_keys.h"
};

#define KEY_MAX      64 /* longer keys are not compared */
#define DISTANCE_MAX 2

struct check {
	spelling_suspect_fn on_suspect;
	void *data;
	struct buf path; /* of the object being looked at */
};

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Capitals are no other letters. */
static bool same(char a, char b)
{
	return str_equal_nocase((struct str){&a, 1}, (struct str){&b, 1});
}

/* The cost of the first at[0] letters of @a and at[1] of @b. */
static size_t step(size_t table[][KEY_MAX + 1], struct str a, struct str b,
		   const size_t at[2])
{
	size_t i = at[0], j = at[1];
	bool differ = !same(a.ptr[i - 1], b.ptr[j - 1]);
	size_t least = smaller(table[i - 1][j], table[i][j - 1]) + 1;

	least = smaller(least, table[i - 1][j - 1] + differ);
	if (i > 1 && j > 1 && same(a.ptr[i - 1], b.ptr[j - 2]) &&
	    same(a.ptr[i - 2], b.ptr[j - 1]))
		least = smaller(least, table[i - 2][j - 2] + 1);
	return least;
}

/* Letters added, left out, replaced, and neighbours swapped, from @a to @b
 * (Damerau and Levenshtein). */
static size_t distance(struct str a, struct str b)
{
	size_t table[KEY_MAX + 1][KEY_MAX + 1];

	for (size_t i = 0; i <= a.len; i++)
		table[i][0] = i;
	for (size_t j = 0; j <= b.len; j++)
		table[0][j] = j;
	for (size_t i = 1; i <= a.len; i++)
		for (size_t j = 1; j <= b.len; j++)
			table[i][j] = step(table, a, b, (size_t[2]){i, j});
	return table[a.len][b.len];
}

/* The last key of @known if it stands right below @path; {NULL, 0} if not. */
static struct str child_of(const char *known, struct str path)
{
	struct str key = str_from(known);

	if (path.len && (!str_starts(key, path) || key.ptr[path.len] != '.'))
		return (struct str){0};
	key = str_from_offset(key, path.len ? path.len + 1 : 0);
	return memchr(key.ptr, '.', key.len) ? (struct str){0} : key;
}

#define FAR (DISTANCE_MAX + 1)

/* How far @key is from @known; FAR when it is too far: of three letters one may
 * be wrong. */
static size_t nearness(struct str key, struct str known)
{
	size_t apart;

	if (!known.len || key.len > KEY_MAX || known.len > KEY_MAX ||
	    key.len > known.len + DISTANCE_MAX ||
	    known.len > key.len + DISTANCE_MAX)
		return FAR;
	apart = distance(key, known);
	return apart * 3 <= known.len ? smaller(apart, FAR) : FAR;
}

/* What @key of @object may have been meant to be, the nearest; NULL when it is
 * known, or like nothing. */
static const char *meant(const struct check *check, const struct value *object,
			 struct str key)
{
	struct str path = {check->path.data, check->path.len}, child;
	const char *nearest = NULL;
	size_t least = FAR, apart;

	for (size_t i = 0; i < ARRAY_SIZE(known_keys); i++) {
		child = child_of(known_keys[i], path);
		if (child.len && str_equal(child, key))
			return NULL;
		apart = nearness(key, child);
		if (apart < least && !value_get(object, child)) {
			least = apart;
			nearest = child.ptr;
		}
	}
	return nearest;
}

static void check_object(struct check *check, const struct value *object)
{
	size_t len = check->path.len;
	const char *near;
	struct member *m;

	for (value_each (object, m)) {
		near = meant(check, object, member_key(m));
		path_add_key(&check->path, member_key(m));
		if (near)
			check->on_suspect(check->data, m->value,
					  buf_str(&check->path).ptr, near);
		else if (value_is(m->value, VALUE_OBJECT))
			check_object(check, m->value);
		check->path.len = len;
	}
}

void spelling_check(const struct doc *doc, spelling_suspect_fn on_suspect,
		    void *data)
{
	struct check check = {on_suspect, data, BUF_INIT};

	check_object(&check, doc->root);
	buf_deinit(&check.path);
}
