#ifndef TABLE_H
#define TABLE_H

/*
 * Rows of text in aligned columns, for people. The first row is the heading.
 * Columns without a cell but in the heading are left out. On a terminal the
 * widest ones are cut as its width demands.
 *
 * What a terminal would obey (control characters) is shown as '?'.
 */

#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

struct buf;

struct table {
	size_t columns;
	size_t width;       /* of a line; 0: the terminal's, if it is one */
	struct arena arena; /* cells are copied */
	struct str *cells;
	size_t count;
};

/* For _cleanup_ on a table with .columns set. */
void table_deinit(struct table *table);

/* Row by row, column by column; {NULL, 0} is an empty cell. */
void table_add(struct table *table, struct str cell);

/* The heading: a word for each column. */
void table_add_heading(struct table *table, const char *const *words);

/* Empty when negative. */
void table_add_number(struct table *table, int64_t number);

/* Seconds since 1970 as local time; empty when negative. */
void table_add_time(struct table *table, int64_t seconds);

/* @text, of which at most @width characters are shown. */
void table_add_cut(struct buf *out, struct str text, size_t width);

void table_write(struct buf *out, const struct table *table);

#endif
