#ifndef CONFIG_PATTERN_H
#define CONFIG_PATTERN_H

/*
 * Patterns: keys that somebody wants hidden besides those that always are.
 *
 * Each is a linear pattern (linear_pattern.h), whoever wrote it: it costs what
 * the key is long. The case of letters does not count.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct pattern;
struct pattern_machine;

struct patterns {
	struct pattern *items; /* all, in the order in which they came */
	struct pattern_machine
		*machines; /* those that hide the same, together */
	size_t count, machine_count;
};

#define PATTERNS_MAX 64 /* of one set */

/* What is hidden of the scalars below a key. */
enum hiding { HIDE_NOTHING, HIDE_TEXT, HIDE_ALL };

/* Hide by @hiding what stands below keys that match @text. True when that
 * changes anything; a bad one is remembered, and hides nothing. */
bool patterns_add(struct patterns *patterns, struct str text,
		  enum hiding hiding);

/* Why the last pattern that was refused is none, for a message. */
const char *patterns_why_not(const struct patterns *patterns);

/* Hide texts by each of @words, which blanks separate. False when any of them
 * is bad, or there are more than PATTERNS_MAX. */
bool patterns_add_words(struct patterns *patterns, const char *words);

/* Would a new set take all of @words? */
bool patterns_accept(const char *words);

/* Would adding it change nothing? */
bool patterns_has(const struct patterns *patterns, struct str text,
		  enum hiding hiding);

/* The most that any of them hides below @key. */
enum hiding patterns_match(const struct patterns *patterns, struct str key);

void patterns_copy(struct patterns *copy, const struct patterns *patterns);
void patterns_deinit(struct patterns *patterns);

#endif
