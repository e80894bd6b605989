#ifndef VALUE_VALUE_H
#define VALUE_VALUE_H

/*
 * The tree that everything else speaks about: null, booleans, integers of any
 * size, doubles, strings, lists and objects, each with the place where it was
 * written.
 *
 * A value lives in the arena of its document or snapshot and is built once;
 * after its root is published it is immutable and may be shared by other
 * trees. Objects keep the order in which their keys first came.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct member;

enum value_type {
	VALUE_NULL,
	VALUE_BOOL,
	VALUE_INT,  /* text: canonical decimal digits, '-' in front */
	VALUE_REAL, /* finite */
	VALUE_STRING,
	VALUE_LIST,
	VALUE_OBJECT,
	VALUE_READER_FIRST, /* from here on: a reader's own, never published */
};

/* In value->flags: what somebody brings only for himself, and knows; such a
 * string is no proof of what others have. */
#define VALUE_FOREIGN 0x80

struct value {
	uint8_t type;  /* enum value_type */
	uint8_t flags; /* the reader's, meaningless once published, but above */
	uint16_t source; /* index into the sources of its document */
	uint32_t offset; /* byte of that source's text where it begins */
	union {
		bool boolean;
		double real;
		struct {
			const char *ptr;
			uint32_t len;
		} text;
		struct {
			struct value **items;
			uint32_t count, cap;
		} list;
		struct {
			struct member *members;
			uint32_t count, cap;
		} object;
		void *reader; /* a reader's own types */
	};
};

struct member {
	const char *key; /* key_len bytes, decoded */
	uint32_t key_len, hash;
	struct value *value;
};

/* for (struct member *m; value_each(object, m)) */
#define value_each(value, member)                                              \
	(member) = (value)->object.members;                                    \
	(member) &&                                                            \
		(member) < (value)->object.members + (value)->object.count;    \
	(member)++

static inline struct str value_text(const struct value *value)
{
	return (struct str){value->text.ptr, value->text.len};
}

static inline struct str member_key(const struct member *member)
{
	return (struct str){member->key, member->key_len};
}

static inline bool value_is(const struct value *value, enum value_type type)
{
	return value && value->type == type;
}

/* A value of @type at offset 0; strings and integers get their text after. */
struct value *value_new(struct arena *arena, enum value_type type);

/* @text must outlive the arena or lie in it. */
struct value *value_new_string(struct arena *arena, struct str text);

/* @digits: [+-]? and decimal digits; made canonical. They must outlive the
 * arena or lie in it. */
void value_set_int(struct value *value, struct arena *arena, struct str digits);

/* The text of an integer or real literal as a number: decimal digits, sign,
 * point and exponent as strtod() takes them ("5." too), nothing else: not
 * 0x10, inf or nan, no white space. False when it is none, or a real that a
 * double cannot hold. (No program of ours calls setlocale(): the point is a
 * point.) */
bool value_set_real(struct value *value, struct str literal);

/* A copy of the one node, for whoever changes some of what is in it: a list's
 * items and an object's members are the same values, in places of its own. */
struct value *value_copy(struct arena *arena, const struct value *value);

void value_list_add(struct value *list, struct arena *arena,
		    struct value *item);

/* The place of @key's value, added (NULL) when it is new. @key must outlive
 * the arena or lie in it. Valid until the next addition. */
struct value **value_object_slot(struct value *object, struct arena *arena,
				 struct str key);

/* Like value_object_slot, for the key of a member of another object. */
struct value **value_object_slot_like(struct value *object, struct arena *arena,
				      const struct member *like);

/* Later members move up; their order stays. */
void value_object_remove(struct value *object, struct str key);

/* NULL when @object is no object or has no such key. */
struct value *value_get(const struct value *object, struct str key);

/* The string that is the member @key of @object; {NULL, 0} when there is none.
 */
struct str value_text_at(const struct value *object, const char *key);

/* Like value_get, for the key of a member of another object, which is likely
 * the @at-th member here too. */
struct value *value_get_like(const struct value *object,
			     const struct member *like, size_t at);

/* Same types, same values; 1 and 1.0 differ; the order of keys does not
 * count. Equal pointers are equal without a look inside. */
bool value_equal(const struct value *a, const struct value *b);

/* As Python sees it: NULL, null, false, zero and whatever is empty are false.
 */
bool value_is_true(const struct value *value);

/* A 64-bit integer, if it is one and fits. */
bool value_to_int64(const struct value *value, int64_t *number);

/* The type for messages: "null", "bool", "int", "real", "string", "list",
 * "object". */
const char *value_type_name(const struct value *value);

#endif
