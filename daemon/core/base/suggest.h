#ifndef BASE_SUGGEST_H
#define BASE_SUGGEST_H

/*
 * Suggestions: which of some words was meant by one that is misspelt. Of three
 * letters one may be wrong, two at most; capitals are no other letters.
 *
 *	struct suggest near = SUGGEST_FOR(STR("statsu"));
 *	suggest_offer(&near, "status");
 *	suggest_text(&near, "")        " (is 'status' meant?)"
 */

#include <stddef.h>

#include "base/str.h"

struct suggest {
	struct str typed;
	const char *word; /* the nearest that was offered; NULL: none is near */
	size_t apart;     /* letters between the two */
};

#define SUGGEST_FOR(text) ((struct suggest){.typed = (text)})

/* @word is borrowed. */
void suggest_offer(struct suggest *near, const char *word);

/* To follow the word in a message, where @dashes ("", "--") begin such words;
 * empty when nothing is near. The caller frees it. */
char *suggest_text(const struct suggest *near, const char *dashes);

#endif
