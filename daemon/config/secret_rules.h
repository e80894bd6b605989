#ifndef CONFIG_SECRET_RULES_H
#define CONFIG_SECRET_RULES_H

/*
 * What is a secret: by the name of its key, and by its shape inside a text.
 *
 * Some rules nobody can take away. The settings, and the configuration itself,
 * add patterns to them. The secrets that were seen, and are secret wherever
 * they come up again, are in secrets.h.
 */

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "config/pattern.h"

struct value;

/* What is added to the rules that always hold. */
struct secret_rules {
	struct patterns settings, configuration; /* of keys */
	struct patterns variables;               /* of names before '=' */
};

void secret_rules_copy(struct secret_rules *copy,
		       const struct secret_rules *rules);
void secret_rules_deinit(struct secret_rules *rules);

/* --- by key ----------------------------------------------------------------
 */

/* Does the key alone say, by the rules that always hold, that its value is
 * secret? */
bool secret_key(struct str key);

/* The same with the keys above it: READ_SECRET when what stands below @key is
 * secret, and a bit for what lies inside `s3`. For struct read_options. */
unsigned int secret_below(unsigned int above, struct str key);

/* Where a walk through a tree stands: what the key of a value and its
 * ancestors' say. */
struct secret_context {
	enum hiding hiding;
	bool s3; /* inside `s3` */
};

/* The context of @value, at @key of what @context is of. What a secret key
 * holds is secret, however deep. */
struct secret_context secret_rules_enter(const struct secret_rules *rules,
					 struct secret_context context,
					 struct str key,
					 const struct value *value);

/* Is the value of a scalar there hidden? */
bool secret_rules_hides(struct secret_context context,
			const struct value *scalar);

/* --- inside a text ----------------------------------------------------------
 */

/* Does a name before '=' in a text say that what follows is secret? */
bool secret_rules_names(const struct secret_rules *rules, struct str name);

/* Bytes of @text that are a secret by its shape from @offset on; 0: none are.
 * The cost of asking for each offset of a text is that of the text. */
size_t secret_shape_at(struct str text, size_t offset,
		       const struct secret_rules *rules);

/* May a shape begin at @offset? A quick look before secret_shape_at. */
static inline bool secret_shape_may_begin(struct str text, size_t offset)
{
	return text.ptr[offset] == '-' ||
	       (offset && str_set_has("/= ", text.ptr[offset - 1]));
}

#endif
