#ifndef CONFIG_LINEAR_PATTERN_H
#define CONFIG_LINEAR_PATTERN_H

/*
 * Linear patterns: expressions that anybody may write, because matching one
 * costs the same few steps for each byte of the text, whatever it says.
 *
 *	pattern     := alternative ("|" alternative)*
 *	alternative := ("^" | "$" | atom repeat?)*
 *	atom        := letter | "." | "\" sign | "\d" | "\w" | "\s" | class
 *	             | "(" pattern ")"
 *	repeat      := "*" | "+" | "?" | "{" number ("," number?)? "}"
 *	class       := "[" "^"? (item | letter "-" letter)+ "]"
 *	item        := letter | "\" sign | "\d" | "\w" | "\s" | "[:alpha:]" ...
 *
 * ASCII letters match in either case, "." is any byte. There are no references
 * to what has matched, as nothing bounds the time that they take.
 *
 * It is Glushkov's automaton: each letter, "." or class of a pattern is a bit
 * of one machine word, and what may follow a set of them is looked up by the
 * word's bytes. A pattern has at most LINEAR_PATTERN_ATOMS of them; what is
 * repeated n times is there n times.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define LINEAR_PATTERN_ATOMS 63
#define LINEAR_PATTERN_BYTES 256 /* of an expression */
#define LINEAR_PATTERN_DEPTH 16  /* groups in groups */

/* Bit 0 stands for no atom: for what is before the first. */
struct linear_pattern {
	uint64_t step[256];      /* atoms that a byte may be */
	uint64_t begin, end;     /* "^" and "$" */
	uint64_t follow[8][256]; /* by a byte of the set: what may come next */
	uint64_t last;           /* matched */
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
