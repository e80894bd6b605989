#ifndef CONFIG_LINEAR_PATTERN_H
#define CONFIG_LINEAR_PATTERN_H

/*
 * Linear patterns: expressions that somebody else may write, because matching
 * one costs one step for each byte of the text, whatever the pattern says.
 *
 *	pattern     := alternative ("|" alternative)*
 *	alternative := "^"? (atom ("*" | "+" | "?")?)* "$"?
 *	atom        := letter | "." | "\" sign | "\d" | "\w" | "\s" | class
 *	class       := "[" "^"? (letter | letter "-" letter)+ "]"
 *
 * ASCII letters match in either case, "." is any byte. There are no groups, no
 * counted repetitions and no references: those make the cost grow with the
 * pattern. It is the Shift-And algorithm: each atom is a bit of one machine
 * word, so a pattern has at most LINEAR_PATTERN_ATOMS of them, "+" counting
 * as two and each alternative for one more.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define LINEAR_PATTERN_ATOMS 62

struct linear_pattern {
	uint64_t step[256];          /* atoms that a byte may be */
	uint64_t start, start_first; /* of any place; of the beginning only */
	uint64_t end, end_last;      /* matched; if the text ends here */
	uint64_t optional, repeated;
	unsigned int atoms;
};

/* Have @pattern, which may be zeroed, match what @text says as well. False when
 * @text is no such pattern, or there is no room for it; then it is as it was.
 */
bool linear_pattern_add(struct linear_pattern *pattern, struct str text);

/* Does @text hold what @pattern says? */
bool linear_pattern_match(const struct linear_pattern *pattern,
			  struct str text);

#endif
