#ifndef BASE_NEAR_H
#define BASE_NEAR_H

/*
 * Near: which of some words was meant by one that is misspelt. Of three letters
 * one may be wrong, two at most; capitals are no other letters.
 *
 *	struct near near = NEAR_TO(STR("statsu"));
 *	near_offer(&near, "status");
 *	near_guess(&near)            " (is 'status' meant?)"
 */

#include <stddef.h>

#include "base/str.h"

struct near {
	struct str typed;
	const char *word; /* the nearest that was offered; NULL: none is near */
	size_t apart;     /* letters between the two */
};

#define NEAR_TO(text) ((struct near){.typed = (text)})

/* @word is borrowed. */
void near_offer(struct near *near, const char *word);

/* To follow the word in a message; empty when nothing is near. The caller frees
 * it. */
char *near_guess(const struct near *near);

#endif
