#ifndef OUTPUT_H
#define OUTPUT_H

#include "base/str.h"

struct buf;
struct rendering;
struct value;

/* Write @text to standard output and see it off; on a terminal without what it
 * would obey, but for colours. An exit status. */
int output_write(struct str text);

/* Write all that a command has to show, by a pager where it is higher than the
 * terminal. */
int output_show(struct str text);

/* Write @text in place of what is on the terminal, as much of it as fits. */
int output_redraw(struct str text);

/* The last word: @status, or a failure when what was printed on the way could
 * not be written. */
int output_end(int status);

/* Append @value as JSON for people, and a line end. */
void output_add_json(struct buf *out, const struct value *value);

/* Render @value in the format named @format, or the one that suits it when
 * NULL, and say what warnings there are. An exit status. */
int output_render(struct rendering *rendering, const struct value *value,
		  const char *format);

enum output_colour {
	OUTPUT_PLAIN,
	OUTPUT_BOLD,
	OUTPUT_DIM,
	OUTPUT_RED,
	OUTPUT_GREEN,
	OUTPUT_YELLOW
};

/* What begins @colour in a text for output_write(): a byte that no text of
 * others holds, or "" unless standard output is a terminal and NO_COLOR is not
 * set. */
const char *output_colour(enum output_colour colour);

#endif
