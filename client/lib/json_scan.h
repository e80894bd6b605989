#ifndef JSON_SCAN_H
#define JSON_SCAN_H

/*
 * The members of a JSON object, as slices of its text.
 *
 * Nothing is decoded and nothing copied: a number keeps all its digits, and
 * what is handed on is exactly what the daemon wrote. The scanner proves that
 * strings and brackets are closed and that there is nothing after the object;
 * everything else about the slices is for whoever reads them.
 */

#include <stdbool.h>
#include <stddef.h>

struct json_slice {
	const char *ptr; /* NULL: there is no such member */
	size_t len;
};

struct json_member {
	const char *name;
	struct json_slice value; /* found: the last of that name */
};

/* Find the members named in @members, which are reset first. False when @text
 * is not one object. */
bool json_scan_object(struct json_slice text, struct json_member *members,
		      size_t count);

#endif
