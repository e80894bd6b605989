#ifndef PRINTABLE_H
#define PRINTABLE_H

/*
 * Text from files, vaults and servers, for a terminal: what it would obey
 * instead of showing is found here. Control characters of ASCII, and the C1
 * controls, which some terminals obey in UTF-8 too.
 */

#include "base/str.h"

struct buf;

/* Bytes of the control character that @text begins with; 0: it does not. */
size_t printable_control_at(struct str text);

/* Append @text with a '?' for each control character, line ends too. */
void printable_add(struct buf *out, struct str text);

/* Append @text with \u001b and the like for what is no line end and no tab. */
void printable_add_escaped(struct buf *out, struct str text);

#endif
