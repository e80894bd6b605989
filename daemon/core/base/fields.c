#include "base/fields.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

static const char *text_of(const struct field *field, const void *base)
{
	const char *text;

	memcpy(&text, (const char *)base + field->offset, sizeof(text));
	return text;
}

bool field_equal(const struct field *field, const void *a, const void *b)
{
	if (field->is_text)
		return str_same(text_of(field, a), text_of(field, b));
	return !memcmp((const char *)a + field->offset,
		       (const char *)b + field->offset, field->size);
}

bool fields_equal(const struct fields *fields, const void *a, const void *b)
{
	for (size_t i = 0; i < fields->count; i++)
		if (!field_equal(&fields->items[i], a, b))
			return false;
	return true;
}

void field_free(const struct field *field, void *base)
{
	if (!field->is_text)
		return;
	mem_free((char *)text_of(field, base));
	memset((char *)base + field->offset, 0, field->size);
}

void fields_free(const struct fields *fields, void *base)
{
	for (size_t i = 0; i < fields->count; i++)
		field_free(&fields->items[i], base);
}
