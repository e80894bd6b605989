#ifndef READ_RESOLVE_H
#define READ_RESOLVE_H

/*
 * Resolving: delayed values become plain ones, once all the text is read
 * (semantics.md, "Substitutions").
 *
 * As ClearML does it, in passes: first what refers to its own key is given
 * what that held before; then each substitution is given what its path leads to
 * by then, in the order of the text, and again, until a pass brings nothing
 * new. The order shows in the values, so it is kept. Where ClearML gives up and
 * the specification has a meaning, that holds and a warning says so.
 */

#include <stdbool.h>

struct reading;

/* Resolve all there is in the tree of the document. */
bool resolve_all(struct reading *reading);

#endif
