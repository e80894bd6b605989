#include "text/table.h"

#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/printable.h"

#define GAP 2 /* blanks between columns */

void table_deinit(struct table *table)
{
	arena_free(&table->arena);
	mem_free(table->cells);
}

/* Nothing that a terminal would obey. */
static struct str printable(struct arena *arena, struct str cell)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	printable_add(&text, cell);
	return arena_str(arena, buf_str(&text));
}

void table_add(struct table *table, struct str cell)
{
	size_t size = (table->count + 1) * sizeof(*table->cells);

	table->cells = mem_grow(table->cells, size);
	table->cells[table->count++] = printable(&table->arena, cell);
}

void table_add_time(struct table *table, int64_t seconds)
{
	time_t time = (time_t)seconds;
	struct tm parts;
	char text[32] = "";

	if (seconds >= 0 && localtime_r(&time, &parts))
		(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M", &parts);
	table_add(table, str_from(text));
}

/* 0: nothing but a heading. */
static size_t width_of(const struct table *table, size_t column)
{
	size_t width = 0, cell, heading = str_utf8_length(table->cells[column]);

	for (size_t at = column + table->columns; at < table->count;
	     at += table->columns) {
		cell = str_utf8_length(table->cells[at]);
		if (cell > width)
			width = cell;
	}
	return width && width < heading ? heading : width;
}

/* Blanks are written before a cell, so that no line ends in them. */
static void write_row(struct buf *out, const struct table *table,
		      const size_t *widths, const struct str *row)
{
	size_t blanks = 0;

	for (size_t i = 0; i < table->columns; i++) {
		if (!widths[i])
			continue;
		if (row[i].len)
			buf_printf(out, "%*s%.*s", (int)blanks, "",
				   STR_PRINT(row[i]));
		blanks = (row[i].len ? 0 : blanks) + widths[i] + GAP -
			 str_utf8_length(row[i]);
	}
	buf_putc(out, '\n');
}

void table_write(struct buf *out, const struct table *table)
{
	_cleanup_(mem_freep) size_t *widths =
		mem_alloc(table->columns * sizeof(*widths));

	for (size_t i = 0; i < table->columns; i++)
		widths[i] = width_of(table, i);
	for (size_t at = 0; at < table->count; at += table->columns)
		write_row(out, table, widths, table->cells + at);
}
