#ifndef READ_YAML_SCALAR_H
#define READ_YAML_SCALAR_H

/*
 * The types of YAML 1.1 scalars, as PyYAML's safe loader sees them
 * (semantics.md, "YAML"): which type a plain scalar has by its form alone, and
 * what the text of a type means.
 *
 * Timestamps, .inf, .nan and = are strings here.
 */

#include "base/str.h"

struct arena;
struct value;

enum yaml_scalar {
	YAML_SCALAR_STR,
	YAML_SCALAR_NULL,
	YAML_SCALAR_BOOL,
	YAML_SCALAR_INT,
	YAML_SCALAR_FLOAT,
};

enum yaml_scalar yaml_scalar_of_plain(struct str text);

/* Make @value what @text of @type says; @text must outlive the arena or lie in
 * it. NULL, or what is wrong with it (static text). A float that no double can
 * hold, inf and nan become a string. */
const char *yaml_scalar_set(struct value *value, struct arena *arena,
			    enum yaml_scalar type, struct str text);

#endif
