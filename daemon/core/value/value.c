#include "value/value.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"

#define FIRST_CAP    4
#define TABLE_FROM   16 /* objects of this capacity carry a hash table */
#define REAL_LITERAL 512

struct value *value_new(struct arena *arena, enum value_type type)
{
	struct value *value = arena_alloc(arena, sizeof(*value));

	value->type = (uint8_t)type;
	return value;
}

static void set_text(struct value *value, enum value_type type, struct str text)
{
	value->type = (uint8_t)type;
	value->text.ptr = text.ptr;
	value->text.len = (uint32_t)text.len;
}

struct value *value_new_string(struct arena *arena, struct str text)
{
	struct value *value = arena_alloc(arena, sizeof(*value));

	set_text(value, VALUE_STRING, text);
	return value;
}

void value_set_int(struct value *value, struct arena *arena, struct str digits)
{
	bool negative = str_starts(digits, STR("-"));
	struct str bare = digits;
	char *text;

	if (negative || str_starts(bare, STR("+")))
		bare = str_from_offset(bare, 1);
	while (bare.len > 1 && bare.ptr[0] == '0')
		bare = str_from_offset(bare, 1);
	if (str_is(bare, "0"))
		negative = false;
	if (negative && bare.len + 1 != digits.len) {
		text = arena_alloc(arena, bare.len + 2);
		text[0] = '-';
		memcpy(text + 1, bare.ptr, bare.len);
		bare = (struct str){text, bare.len + 1};
	} else if (negative) {
		bare = digits;
	}
	set_text(value, VALUE_INT, bare);
}

bool value_set_real(struct value *value, struct str literal)
{
	char text[REAL_LITERAL], *end, *copy = text;
	double real;

	if (!literal.len)
		return false;
	if (literal.len >= sizeof(text))
		copy = mem_alloc(literal.len + 1);
	memcpy(copy, literal.ptr, literal.len);
	copy[literal.len] = '\0';
	real = strtod(copy, &end);
	if (end != copy + literal.len ||
	    strspn(copy, "0123456789+-.eE") != literal.len)
		real = NAN;
	if (copy != text)
		mem_free(copy);
	if (!isfinite(real))
		return false;
	value->type = VALUE_REAL;
	value->real = real;
	return true;
}

void value_list_add(struct value *list, struct arena *arena, struct value *item)
{
	uint32_t cap = list->list.cap;

	if (list->list.count == cap) {
		cap = cap ? cap * 2 : FIRST_CAP;
		list->list.items =
			arena_grow(arena, list->list.items,
				   list->list.cap * sizeof(struct value *),
				   cap * sizeof(struct value *));
		list->list.cap = cap;
	}
	list->list.items[list->list.count++] = item;
}

/* A large object's members are followed by a table of twice as many slots,
 * each 0 or 1 + the index of a member, and above that as much of its hash as
 * there is room for, so that few members are looked at in vain; open
 * addressing, never full. */
static uint32_t *table_of(const struct value *object)
{
	return (uint32_t *)(void *)(object->object.members +
				    object->object.cap);
}

static void table_add(struct value *object, uint32_t index)
{
	uint32_t *table = table_of(object), mask = object->object.cap * 2 - 1;
	uint32_t hash = object->object.members[index].hash, at = hash & mask;

	while (table[at])
		at = (at + 1) & mask;
	table[at] = (hash & ~mask) | (index + 1);
}

static void table_fill(struct value *object)
{
	memset(table_of(object), 0, 2 * sizeof(uint32_t) * object->object.cap);
	for (uint32_t i = 0; i < object->object.count; i++)
		table_add(object, i);
}

static size_t members_size(uint32_t cap)
{
	size_t size = cap * sizeof(struct member);

	return cap >= TABLE_FROM ? size + 2 * sizeof(uint32_t) * cap : size;
}

static void object_grow(struct value *object, struct arena *arena)
{
	uint32_t old = object->object.cap, cap = old ? old * 2 : FIRST_CAP;

	object->object.members =
		arena_grow(arena, object->object.members, members_size(old),
			   members_size(cap));
	object->object.cap = cap;
	if (cap >= TABLE_FROM)
		table_fill(object);
}

/* Trees that share a document share its keys by address. */
static bool is_key(const struct member *member, struct str key, uint32_t hash)
{
	return member->hash == hash && member->key_len == key.len &&
	       (member->key == key.ptr || !key.len ||
		!memcmp(member->key, key.ptr, key.len));
}

static struct member *find_in_table(const struct value *object, struct str key,
				    uint32_t hash)
{
	uint32_t *table = table_of(object), mask = object->object.cap * 2 - 1;
	struct member *member;

	for (uint32_t at = hash & mask; table[at]; at = (at + 1) & mask) {
		if ((table[at] ^ hash) & ~mask)
			continue;
		member = &object->object.members[(table[at] & mask) - 1];
		if (is_key(member, key, hash))
			return member;
	}
	return NULL;
}

static struct member *find(const struct value *object, struct str key,
			   uint32_t hash)
{
	struct member *member;

	if (object->object.cap >= TABLE_FROM)
		return find_in_table(object, key, hash);
	for (value_each (object, member))
		if (is_key(member, key, hash))
			return member;
	return NULL;
}

static void *copy_bytes(struct arena *arena, const void *bytes, size_t size)
{
	void *copy = arena_alloc(arena, size);

	if (size)
		memcpy(copy, bytes, size);
	return copy;
}

struct value *value_copy(struct arena *arena, const struct value *value)
{
	struct value *copy = copy_bytes(arena, value, sizeof(*value));

	if (value->type == VALUE_LIST)
		copy->list.items =
			copy_bytes(arena, value->list.items,
				   value->list.cap * sizeof(struct value *));
	else if (value->type == VALUE_OBJECT)
		copy->object.members =
			copy_bytes(arena, value->object.members,
				   members_size(value->object.cap));
	return copy;
}

static struct value **slot_of(struct value *object, struct arena *arena,
			      struct str key, uint32_t hash)
{
	struct member *member = find(object, key, hash);

	if (member)
		return &member->value;
	if (object->object.count == object->object.cap)
		object_grow(object, arena);
	member = &object->object.members[object->object.count++];
	*member = (struct member){key.ptr, (uint32_t)key.len, hash, NULL};
	if (object->object.cap >= TABLE_FROM)
		table_add(object, object->object.count - 1);
	return &member->value;
}

struct value **value_object_slot(struct value *object, struct arena *arena,
				 struct str key)
{
	return slot_of(object, arena, key, str_hash(key));
}

struct value **value_object_slot_like(struct value *object, struct arena *arena,
				      const struct member *like)
{
	return slot_of(object, arena, member_key(like), like->hash);
}

void value_object_remove(struct value *object, struct str key)
{
	struct member *member = find(object, key, str_hash(key));
	uint32_t index;

	if (!member)
		return;
	index = (uint32_t)(member - object->object.members);
	object->object.count--;
	memmove(member, member + 1,
		(object->object.count - index) * sizeof(*member));
	if (object->object.cap >= TABLE_FROM)
		table_fill(object);
}

struct value *value_get(const struct value *object, struct str key)
{
	struct member *member;

	if (!value_is(object, VALUE_OBJECT))
		return NULL;
	member = find(object, key, str_hash(key));
	return member ? member->value : NULL;
}

struct str value_text_at(const struct value *object, const char *key)
{
	const struct value *value = value_get(object, str_from(key));

	return value_is(value, VALUE_STRING) ? value_text(value)
					     : (struct str){0};
}

struct value *value_get_like(const struct value *object,
			     const struct member *like, size_t at)
{
	struct member *member;

	if (!value_is(object, VALUE_OBJECT))
		return NULL;
	if (at < object->object.count &&
	    object->object.members[at].key == like->key &&
	    object->object.members[at].key_len == like->key_len)
		return object->object.members[at].value;
	member = find(object, member_key(like), like->hash);
	return member ? member->value : NULL;
}

static bool list_equal(const struct value *a, const struct value *b)
{
	if (a->list.count != b->list.count)
		return false;
	for (uint32_t i = 0; i < a->list.count; i++)
		if (!value_equal(a->list.items[i], b->list.items[i]))
			return false;
	return true;
}

static bool object_equal(const struct value *a, const struct value *b)
{
	struct member *member, *other;

	if (a->object.count != b->object.count)
		return false;
	for (value_each (a, member)) {
		other = find(b, member_key(member), member->hash);
		if (!other || !value_equal(member->value, other->value))
			return false;
	}
	return true;
}

/* 0.0 and -0.0 are printed differently, so they differ. */
static bool real_equal(double a, double b)
{
	return a == b && !signbit(a) == !signbit(b);
}

bool value_equal(const struct value *a, const struct value *b)
{
	if (a == b)
		return true;
	if (!a || !b || a->type != b->type)
		return false;
	switch (a->type) {
	case VALUE_BOOL: return a->boolean == b->boolean;
	case VALUE_REAL: return real_equal(a->real, b->real);
	case VALUE_INT:
	case VALUE_STRING: return str_equal(value_text(a), value_text(b));
	case VALUE_LIST: return list_equal(a, b);
	case VALUE_OBJECT: return object_equal(a, b);
	default: return true;
	}
}

bool value_is_true(const struct value *value)
{
	if (!value)
		return false;
	switch (value->type) {
	case VALUE_BOOL: return value->boolean;
	case VALUE_INT: return !str_is(value_text(value), "0");
	case VALUE_REAL: return value->real < 0 || value->real > 0;
	case VALUE_STRING: return value->text.len > 0;
	case VALUE_LIST: return value->list.count > 0;
	case VALUE_OBJECT: return value->object.count > 0;
	default: return false;
	}
}

bool value_to_int64(const struct value *value, int64_t *number)
{
	char digits[24];

	if (!value_is(value, VALUE_INT) || value->text.len >= sizeof(digits))
		return false;
	memcpy(digits, value->text.ptr, value->text.len);
	digits[value->text.len] = '\0';
	errno = 0;
	*number = strtoll(digits, NULL, 10);
	return errno == 0;
}

const char *value_type_name(const struct value *value)
{
	static const char *const names[] = {
		"null", "bool", "int", "real", "string", "list", "object",
	};

	return names[value->type];
}
