#include "text/answer.h"

#include "value/value.h"

struct str answer_text(const struct value *object, const char *key)
{
	return value_text_at(object, key);
}

int64_t answer_int(const struct value *object, const char *key,
		   int64_t otherwise)
{
	int64_t number;

	return value_to_int64(value_get(object, str_from(key)), &number)
		       ? number
		       : otherwise;
}

bool answer_bool(const struct value *object, const char *key)
{
	const struct value *value = value_get(object, str_from(key));

	return value_is(value, VALUE_BOOL) && value->boolean;
}
