#ifndef BASE_PRINTABLE_H
#define BASE_PRINTABLE_H

/*
 * Text from files, vaults and servers, for a terminal: what it would obey
 * instead of showing is found here. Control characters of ASCII, the C1
 * controls, which some terminals obey in UTF-8 too, and what turns the
 * direction of writing or breaks lines, so that a text reads as another.
 *
 * Whatever the programs print of others goes through here.
 */

#include <stdio.h>

#include "base/str.h"

struct buf;

/* Bytes of the control character that @text begins with; 0: it does not. */
size_t printable_control_at(struct str text);

/* Is one in it? */
bool printable_has_control(struct str text);

/* Append @text with a '?' for each control character, line ends too, and for
 * what is no UTF-8. */
void printable_add(struct buf *out, struct str text);

/* Like printable_add, but the ASCII controls in @kept stay as they are. */
void printable_add_but(struct buf *out, struct str text, const char *kept);

/* Append @text with \u001b and the like for what is no line end and no tab. */
void printable_add_escaped(struct buf *out, struct str text);

/* Print one line, without what a terminal would obey; @format has no line end.
 */
void printable_line(FILE *out, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
