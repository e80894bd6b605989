#ifndef SUPPORT_JANSSON_VALUES_H
#define SUPPORT_JANSSON_VALUES_H

/*
 * Trees made of jansson's, without sources: no value of theirs has a place.
 */

#include <jansson.h>
#include <stdio.h>

#include "base/arena.h"
#include "serve/call.h"
#include "value/value.h"

static inline struct value *value_from(struct arena *arena, json_t *json);

static inline struct value *object_from(struct arena *arena, json_t *json)
{
	struct value *object = value_new(arena, VALUE_OBJECT);
	const char *name;
	json_t *item;

	json_object_foreach (json, name, item)
		*value_object_slot(object, arena,
				   arena_str(arena, str_from(name))) =
			value_from(arena, item);
	return object;
}

static inline struct value *list_from(struct arena *arena, json_t *json)
{
	struct value *list = value_new(arena, VALUE_LIST);
	json_t *item;
	size_t i;

	json_array_foreach (json, i, item)
		value_list_add(list, arena, value_from(arena, item));
	return list;
}

static inline struct value *scalar_from(struct arena *arena, json_t *json)
{
	struct value *value = value_new(arena, VALUE_NULL);
	char digits[32];

	if (json_is_integer(json)) {
		(void)snprintf(digits, sizeof(digits), "%lld",
			       json_integer_value(json));
		value->type = VALUE_INT;
		value_set_int(value, arena, arena_str(arena, str_from(digits)));
	} else if (json_is_boolean(json)) {
		value->type = VALUE_BOOL;
		value->boolean = json_is_true(json);
	}
	return value;
}

static inline struct value *value_from(struct arena *arena, json_t *json)
{
	if (json_is_object(json))
		return object_from(arena, json);
	if (json_is_array(json))
		return list_from(arena, json);
	if (json_is_string(json))
		return value_new_string(arena,
					arena_str(arena, call_text(json)));
	return scalar_from(arena, json);
}

#endif
