#ifndef BASE_FIELDS_H
#define BASE_FIELDS_H

/*
 * Fields: the members of a struct as a table, so that two of them are compared
 * and the texts of one are freed as a whole, and not by lists in the code that
 * lack the newest member.
 *
 *	static const struct field items[] = {
 *		FIELD(struct login, api_server),
 *		FIELD(struct login, verify),
 *	};
 *
 * A member that is a pointer to characters is a text: it is compared by what it
 * points to, NULL being the same as itself alone. Every other member is
 * compared by its bytes, so it is a plain number or boolean.
 */

#include <stdbool.h>
#include <stddef.h>

struct field {
	size_t offset, size;
	bool is_text;
};

struct fields {
	const struct field *items;
	size_t count;
};

#define FIELD(type, member)                                                      \
	{                                                                        \
		offsetof(type, member), sizeof(((type *)NULL)->member),        \
			_Generic(((type *)NULL)->member, char *                \
				 : true, const char *                          \
				 : true, default                               \
				 : false) \
	}

bool field_equal(const struct field *field, const void *a, const void *b);
bool fields_equal(const struct fields *fields, const void *a, const void *b);

/* A text of the struct at @base, which owns it and has NULL after; no other. */
void field_free(const struct field *field, void *base);
void fields_free(const struct fields *fields, void *base);

#endif
