#ifndef TERMINAL_H
#define TERMINAL_H

/*
 * The terminal that standard output or standard error may be.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct terminal_size {
	size_t rows, columns; /* 0: not known, or no terminal */
};

/* Is standard output a terminal? */
bool terminal_is_there(void);
struct terminal_size terminal_size(void);

/* Is @fd a terminal that wants colours (no NO_COLOR)? */
bool terminal_has_colour(int fd);

/* Show @text, with escape sequences, by the user's pager if it is higher than
 * the screen: $CLEARCONF_PAGER, else $PAGER, else less, and as git does nothing
 * by "cat" or where LESS says to quit. False: it has not been shown. */
bool terminal_page(struct str text);

#endif
