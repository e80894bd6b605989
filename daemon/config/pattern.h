#ifndef CONFIG_PATTERN_H
#define CONFIG_PATTERN_H

/*
 * Patterns: keys that somebody wants hidden besides those that always are.
 *
 * POSIX extended expressions, whatever the case of letters. They may come from
 * a vault, so from anybody: what cannot be compiled, or could be made to cost
 * more than its length, is logged and left out.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct pattern;

struct patterns {
	struct pattern *items;
	size_t count;
};

#define PATTERNS_MAX 64 /* of one set */

/* What is hidden of the scalars below a key. */
enum hiding { HIDE_NOTHING, HIDE_TEXT, HIDE_ALL };

/* Hide by @hiding what stands below keys that match @text. True when that
 * changes anything. */
bool patterns_add(struct patterns *patterns, struct str text,
		  enum hiding hiding);

/* Would adding it change nothing? */
bool patterns_has(const struct patterns *patterns, struct str text,
		  enum hiding hiding);

/* The most that any of them hides below @key. */
enum hiding patterns_match(const struct patterns *patterns, struct str key);

void patterns_copy(struct patterns *copy, const struct patterns *patterns);
void patterns_deinit(struct patterns *patterns);

#endif
