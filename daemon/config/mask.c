#include "config/mask.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "config/secret_rules.h"
#include "config/secret_set.h"
#include "value/json.h"
#include "value/path.h"
#include "value/value.h"

/* --- texts -------------------------------------------------------------------
 */

/* The state of a search through one text. */
struct search {
	const struct secrets *secrets;
	struct str text;
	size_t masked; /* up to where it has been */
	uint64_t budget;
};

static size_t known_bytes(struct search *search,
			  const struct secret_trie *known, size_t offset)
{
	if (!secret_trie_may_begin(known, search->text.ptr[offset]))
		return 0;
	return secret_trie_at(known, str_from_offset(search->text, offset),
			      &search->budget);
}

static size_t longer(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* How many bytes at @offset must not be shown. A shape is not looked for inside
 * of what is hidden anyway. */
static size_t hidden_at(struct search *search, size_t offset)
{
	const struct secrets *secrets = search->secrets;
	size_t shared =
		known_bytes(search, &secrets->set->texts.anywhere, offset);
	size_t more = known_bytes(search, &secrets->more.anywhere, offset);
	size_t shape = 0;

	if (offset >= search->masked &&
	    secret_shape_may_begin(search->text, offset))
		shape = secret_shape_at(search->text, offset,
					&secrets->set->rules);
	return longer(longer(shared, more), shape);
}

/* Hide the bytes found, also where two secrets overlap. */
static bool mask_inside(const struct secrets *secrets, struct str text,
			struct buf *out)
{
	struct search search = {.secrets = secrets,
				.text = text,
				.budget = secret_trie_budget(text.len)};
	size_t end;

	for (size_t i = 0; i < text.len && search.masked < text.len; i++) {
		end = i + hidden_at(&search, i);
		if (end == i || end <= search.masked)
			continue;
		if (i > search.masked || !search.masked) {
			buf_add(out, text.ptr + search.masked,
				i - search.masked);
			buf_puts(out, SECRET_MASK);
		}
		search.masked = end;
	}
	if (search.masked)
		buf_add_str(out, str_from_offset(text, search.masked));
	return search.masked > 0;
}

bool mask_into(const struct secrets *secrets, struct str text, struct buf *out)
{
	if (mask_inside(secrets, text, out))
		return true;
	buf_add_str(out, text);
	return false;
}

char *mask_text(const struct secrets *secrets, const char *text)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	if (!mask_inside(secrets, str_from(text), &out))
		return mem_strdup(text);
	return buf_take(&out);
}

/* --- trees
 * --------------------------------------------------------------------
 */

static struct value *with_place(struct value *copy, const struct value *value)
{
	copy->source = value->source;
	copy->offset = value->offset;
	return copy;
}

struct walk {
	const struct secrets *secrets;
	struct arena *arena;
};

static struct value *masked_value(struct arena *arena, struct str text,
				  const struct value *value)
{
	return with_place(value_new_string(arena, text), value);
}

/* As a whole. */
static bool is_known(const struct secrets *secrets, struct str text)
{
	return secret_trie_has(&secrets->set->texts.whole, text) ||
	       secret_trie_has(&secrets->more.whole, text);
}

static struct value *mask_copy(const struct walk *walk, struct str text,
			       struct value *value)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;

	if (is_known(walk->secrets, text))
		return masked_value(walk->arena, STR(SECRET_MASK), value);
	if (!mask_inside(walk->secrets, text, &out))
		return value;
	return masked_value(walk->arena, arena_str(walk->arena, buf_str(&out)),
			    value);
}

/* A number may be a secret's copy where none is expected. */
static struct value *mask_scalar(const struct walk *walk, struct value *value)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	if (value->type != VALUE_REAL)
		return mask_copy(walk, value_text(value), value);
	json_write_real(&text, value->real);
	return mask_copy(walk, buf_str(&text), value);
}

static struct value *mask(const struct walk *walk,
			  struct secret_context context, struct value *value);

/* The number keeps apart two that were hidden. */
static struct str masked_key(const struct walk *walk,
			     const struct value *object, const struct member *m)
{
	_cleanup_(buf_deinit) struct buf key = BUF_INIT;

	if (!mask_into(walk->secrets, member_key(m), &key))
		return member_key(m);
	buf_printf(&key, "-%zu", (size_t)(m - object->object.members));
	return arena_str(walk->arena, buf_str(&key));
}

static bool hides_a_key(const struct secrets *secrets,
			const struct value *object)
{
	struct member *m;

	for (value_each (object, m)) {
		_cleanup_(buf_deinit) struct buf masked = BUF_INIT;

		if (mask_inside(secrets, member_key(m), &masked))
			return true;
	}
	return false;
}

static struct value *mask_keys(const struct walk *walk, struct value *object)
{
	struct value *result;
	struct member *m;

	if (!hides_a_key(walk->secrets, object))
		return object;
	result = with_place(value_new(walk->arena, VALUE_OBJECT), object);
	for (value_each (object, m))
		*value_object_slot(result, walk->arena,
				   masked_key(walk, object, m)) = m->value;
	return result;
}

static struct value *mask_members(const struct walk *walk,
				  struct secret_context context,
				  struct value *object)
{
	struct value *result = object;
	struct member *m;

	for (value_each (object, m)) {
		struct value *masked = mask(
			walk,
			secret_rules_enter(&walk->secrets->set->rules, context,
					   member_key(m), m->value),
			m->value);

		if (masked == m->value)
			continue;
		if (result == object)
			result = value_copy(walk->arena, object);
		result->object.members[m - object->object.members].value =
			masked;
	}
	return result;
}

static struct value *mask_object(const struct walk *walk,
				 struct secret_context context,
				 struct value *object)
{
	return mask_keys(walk, mask_members(walk, context, object));
}

static struct value *mask_list(const struct walk *walk,
			       struct secret_context context,
			       struct value *list)
{
	struct value *result = list;

	for (uint32_t i = 0; i < list->list.count; i++) {
		struct value *item = list->list.items[i];
		struct value *masked = mask(walk, context, item);

		if (masked == item)
			continue;
		if (result == list)
			result = value_copy(walk->arena, list);
		result->list.items[i] = masked;
	}
	return result;
}

static struct value *mask(const struct walk *walk,
			  struct secret_context context, struct value *value)
{
	if (value->type == VALUE_OBJECT)
		return mask_object(walk, context, value);
	if (value->type == VALUE_LIST)
		return mask_list(walk, context, value);
	if (secret_rules_hides(context, value))
		return masked_value(walk->arena, STR(SECRET_MASK), value);
	if (value->type == VALUE_NULL || value->type == VALUE_BOOL ||
	    value->flags & VALUE_FOREIGN)
		return value;
	return mask_scalar(walk, value);
}

struct value *mask_tree(const struct secrets *secrets, struct arena *arena,
			struct value *root)
{
	struct walk walk = {secrets, arena};

	return mask(&walk, (struct secret_context){0}, root);
}

struct value *mask_at(const struct secrets *secrets, struct arena *arena,
		      const struct value *root, const struct path *path)
{
	struct walk walk = {secrets, arena};
	struct secret_context context = {0};
	const struct value *above;

	for (size_t i = 0; root && i < path->count; i++) {
		above = root;
		root = path_find(above, &(struct path){&path->items[i], 1});
		if (root && above->type == VALUE_OBJECT)
			context = secret_rules_enter(&secrets->set->rules,
						     context, path->items[i],
						     root);
	}
	return root ? mask(&walk, context, (struct value *)root) : NULL;
}

/* --- what somebody knows because he brought it
 * --------------------------------
 */

static bool is_text(const struct value *value)
{
	return value_is(value, VALUE_STRING);
}

/* @own, of the same place, has something else for each variable: what is hidden
 * in it is not the caller's. */
static void mark_text(const struct secrets *secrets, struct value *value,
		      const struct value *own)
{
	_cleanup_(buf_deinit) struct buf masked = BUF_INIT;

	if (!is_text(value) || (own && value_equal(value, own)))
		return;
	value->flags |= VALUE_FOREIGN;
	if (is_text(own) && !mask_inside(secrets, value_text(own), &masked))
		return;
	value->text.ptr = SECRET_MASK;
	value->text.len = sizeof(SECRET_MASK) - 1;
}

static const struct value *member_of(const struct value *object,
				     const struct member *m)
{
	return value_is(object, VALUE_OBJECT) ? value_get(object, member_key(m))
					      : NULL;
}

static const struct value *element(const struct value *list, uint32_t index)
{
	return value_is(list, VALUE_LIST) && index < list->list.count
		       ? list->list.items[index]
		       : NULL;
}

void mask_mark_foreign(const struct secrets *secrets, struct value *root,
		       const struct value *twin)
{
	struct member *m;

	if (root == twin)
		return;
	if (root->type == VALUE_OBJECT)
		for (value_each (root, m))
			mask_mark_foreign(secrets, m->value,
					  member_of(twin, m));
	else if (root->type == VALUE_LIST)
		for (uint32_t i = 0; i < root->list.count; i++)
			mask_mark_foreign(secrets, root->list.items[i],
					  element(twin, i));
	else
		mark_text(secrets, root, twin);
}

/* A quote or backslash is escaped in a path, and no secret that has one found:
 * each key is masked as it is. */
static void mask_escaped(const struct secrets *secrets, struct str path_text,
			 struct buf *out)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct path_error error;
	struct path path = {0};

	(void)path_parse(&path, &arena, path_text, &error);
	for (size_t i = 0; i < path.count; i++) {
		_cleanup_(buf_deinit) struct buf key = BUF_INIT;

		(void)mask_into(secrets, path.items[i], &key);
		path_add_key(out, buf_str(&key));
	}
}

void mask_path_into(const struct secrets *secrets, struct str path,
		    struct buf *out)
{
	_cleanup_(buf_deinit) struct buf keys = BUF_INIT;

	if (memchr(path.ptr, '\\', path.len)) {
		mask_escaped(secrets, path, &keys);
		path = buf_str(&keys);
	}
	(void)mask_into(secrets, path, out);
}
