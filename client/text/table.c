#include "text/table.h"

#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/printable.h"
#include "text/terminal.h"

#define GAP       2 /* blanks between columns */
#define NARROWEST 8 /* a column is cut to */
#define ELLIPSIS  STR("...")

void table_deinit(struct table *table)
{
	arena_free(&table->arena);
	mem_free(table->cells);
}

/* Write a cell without anything that a terminal would obey. */
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

void table_add_heading(struct table *table, const char *const *words)
{
	for (size_t i = 0; i < table->columns; i++)
		table_add(table, str_from(words[i]));
}

void table_add_number(struct table *table, int64_t number)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	if (number >= 0)
		buf_put_int(&text, number);
	table_add(table, buf_str(&text));
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

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* What is too much is taken from the widest columns, one after the other. */
static void fit(size_t *widths, size_t columns, size_t limit)
{
	size_t total = 0, widest = 0;

	for (size_t i = 0; i < columns; i++)
		total += widths[i] ? widths[i] + GAP : 0;
	for (; total > limit + GAP; widest = 0) {
		for (size_t i = 1; i < columns; i++)
			if (widths[i] > widths[widest])
				widest = i;
		if (widths[widest] <= NARROWEST)
			return;
		widths[widest]--;
		total--;
	}
}

/* Of the first @count characters. */
static size_t bytes_of(struct str text, size_t count)
{
	size_t len = 0;

	for (; len < text.len; len++)
		if (((unsigned char)text.ptr[len] & 0xc0) != 0x80 &&
		    count-- == 0)
			break;
	return len;
}

void table_add_cut(struct buf *out, struct str text, size_t width)
{
	if (str_utf8_length(text) <= width) {
		buf_add_str(out, text);
		return;
	}
	width -= smaller(width, ELLIPSIS.len);
	buf_add(out, text.ptr, bytes_of(text, width));
	buf_add_str(out, ELLIPSIS);
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
			buf_printf(out, "%*s", (int)blanks, "");
		table_add_cut(out, row[i], widths[i]);
		blanks = (row[i].len ? 0 : blanks) + widths[i] + GAP -
			 smaller(str_utf8_length(row[i]), widths[i]);
	}
	buf_putc(out, '\n');
}

void table_write(struct buf *out, const struct table *table)
{
	_cleanup_(mem_freep) size_t *widths =
		mem_alloc(table->columns * sizeof(*widths));
	size_t limit = table->width ? table->width : terminal_size().columns;

	for (size_t i = 0; i < table->columns; i++)
		widths[i] = width_of(table, i);
	if (limit)
		fit(widths, table->columns, limit);
	for (size_t at = 0; at < table->count; at += table->columns)
		write_row(out, table, widths, table->cells + at);
}
