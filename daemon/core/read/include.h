#ifndef READ_INCLUDE_H
#define READ_INCLUDE_H

/*
 * Includes: files read in place (semantics.md, "Includes").
 *
 * What an included text defines is put into the including object key by key.
 * Only files are read; every file tried is noted in the document, so that its
 * owner can watch it.
 */

#include <stdbool.h>

struct hocon;
struct value;

/* The lexer stands after the word include; what it includes goes into
 * @object. */
bool include_read(struct hocon *hocon, struct value *object);

#endif
