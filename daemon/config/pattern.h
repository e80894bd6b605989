#ifndef CONFIG_PATTERN_H
#define CONFIG_PATTERN_H

/*
 * Patterns: keys that somebody wants hidden besides those that always are.
 *
 * What others write, a vault say, is a linear pattern (linear_pattern.h): its
 * cost is that of the key. The settings' own may be POSIX extended expressions,
 * within bounds. What is neither is logged and left out. The case of letters
 * does not count.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct pattern;
struct pattern_machine;

struct patterns {
	struct pattern *items; /* all, in the order in which they came */
	struct pattern_machine *machines; /* of the linear ones, together */
	size_t count, machine_count;
};

#define PATTERNS_MAX 64 /* of one set */

enum pattern_author { PATTERN_OF_SETTINGS, PATTERN_OF_OTHERS };

/* What is hidden of the scalars below a key. */
enum hiding { HIDE_NOTHING, HIDE_TEXT, HIDE_ALL };

/* Hide by @hiding what stands below keys that match @text. True when that
 * changes anything. */
bool patterns_add(struct patterns *patterns, struct str text,
		  enum hiding hiding, enum pattern_author author);

/* Would adding it change nothing? */
bool patterns_has(const struct patterns *patterns, struct str text,
		  enum hiding hiding);

/* The most that any of them hides below @key. */
enum hiding patterns_match(const struct patterns *patterns, struct str key);

void patterns_copy(struct patterns *copy, const struct patterns *patterns);
void patterns_deinit(struct patterns *patterns);

#endif
