#ifndef CONFIG_SECRET_RULES_H
#define CONFIG_SECRET_RULES_H

/*
 * What is a secret by the rules that nobody can take away: by the name of its
 * key, and by its shape inside a text. What the settings, a configuration or
 * the secrets already seen add to them is in secret.h.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "config/pattern.h"

struct value;

/* What the name alone hides of the value. */
enum hiding secret_rules_hiding(struct str key);

/* The same of a key inside `s3`. */
enum hiding secret_rules_hiding_s3(struct str key);

/* Does the key alone say that its value is secret? */
bool secret_key(struct str key);

/* The same with the keys above it: READ_SECRET when what stands below @key is
 * secret, and a bit for what lies inside `s3`. For struct read_options. */
unsigned int secret_below(unsigned int above, struct str key);

/* A path to a credentials file is no secret, its content is. */
bool secret_rules_is_path(struct str key, const struct value *value);

/* Does a name before '=' in a text say that what follows is secret? */
bool secret_rules_names(struct str name);

/* --- inside a text ----------------------------------------------------------
 */

/* Whether a name that stands before '=' in a text says that what follows is
 * secret, besides the names that always do. */
struct secret_names {
	bool (*has)(const void *data, struct str name);
	const void *data;
};

/* Bytes of @text that are a secret by its shape from @offset on; 0: none are.
 * The cost of asking for each offset of a text is that of the text. */
size_t secret_shape_at(struct str text, size_t offset,
		       const struct secret_names *names);

/* Whether it is worth asking. */
static inline bool secret_shape_may_begin(struct str text, size_t offset)
{
	return text.ptr[offset] == '-' ||
	       (offset && strchr("/= ", text.ptr[offset - 1]));
}

#endif
