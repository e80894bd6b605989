#include "text/explain_text.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/printable.h"
#include "text/answer.h"
#include "text/output.h"
#include "text/own_text.h"
#include "text/place_text.h"
#include "text/table.h"
#include "text/terminal.h"
#include "value/json.h"
#include "value/value.h"

#define OVERRIDES STR("  overrides")
#define NARROWEST 12 /* a value is cut to */

/* One line, in characters that a terminal shows; cut when it is too long. */
static void add_value(struct buf *out, const struct value *holder, size_t width)
{
	_cleanup_(buf_deinit) struct buf json = BUF_INIT, clean = BUF_INIT;
	const struct value *value = value_get(holder, STR("value"));

	if (!value)
		return;
	json_write(&json, value);
	printable_add(&clean, buf_str(&json));
	table_add_cut(out, buf_str(&clean), width);
}

static void add_place(struct buf *out, const struct value *holder)
{
	const struct value *origin = value_get(holder, STR("origin"));

	buf_printf(out, "%.*s ", STR_PRINT(answer_text(origin, "layer")));
	place_text_add(out, origin);
}

/* --- columns -------------------------------------------------------------- */

struct columns {
	size_t path, value, place; /* widths */
};

static void widen(size_t *column, struct str text)
{
	size_t width = str_utf8_length(text);

	if (width > EXPLAIN_TEXT_WIDTH)
		width = EXPLAIN_TEXT_WIDTH;
	if (width > *column)
		*column = width;
}

static void widen_line(struct columns *columns, const struct value *holder)
{
	_cleanup_(buf_deinit) struct buf value = BUF_INIT, place = BUF_INIT;

	add_value(&value, holder, EXPLAIN_TEXT_WIDTH);
	widen(&columns->value, buf_str(&value));
	add_place(&place, holder);
	if (str_utf8_length(buf_str(&place)) > columns->place)
		columns->place = str_utf8_length(buf_str(&place));
}

static const struct value *losers_of(const struct value *leaf)
{
	static const struct value none = {.type = VALUE_LIST};
	const struct value *losers = value_get(leaf, STR("overridden"));

	return value_is(losers, VALUE_LIST) ? losers : &none;
}

static void measure(struct columns *columns, const struct value *leaf)
{
	const struct value *losers = losers_of(leaf);

	widen(&columns->path, answer_text(leaf, "path"));
	widen_line(columns, leaf);
	if (losers->list.count)
		widen(&columns->path, OVERRIDES);
	for (uint32_t i = 0; i < losers->list.count; i++)
		widen_line(columns, losers->list.items[i]);
}

/* Places are whole: values give way. */
static void fit(struct columns *columns, size_t limit)
{
	size_t others = columns->path + columns->place + 4;
	size_t left = limit > others ? limit - others : 0;

	if (left < NARROWEST)
		left = NARROWEST;
	if (columns->value > left)
		columns->value = left;
}

static void add_padded(struct buf *out, struct str text, size_t width)
{
	size_t length = str_utf8_length(text);

	buf_add_str(out, text);
	for (; length < width; length++)
		buf_putc(out, ' ');
}

/* --- lines ---------------------------------------------------------------- */

struct line {
	struct str title;
	enum output_colour colour;  /* of title and value */
	const struct value *holder; /* of value and origin */
};

static void add_line(struct buf *out, const struct columns *columns,
		     const struct line *line)
{
	_cleanup_(buf_deinit) struct buf value = BUF_INIT;
	const char *colour = output_colour(line->colour);

	buf_puts(out, colour);
	add_padded(out, line->title, columns->path);
	if (*colour && line->colour == OUTPUT_BOLD)
		buf_puts(out, output_colour(OUTPUT_PLAIN));
	buf_puts(out, "  ");
	add_value(&value, line->holder, columns->value);
	add_padded(out, buf_str(&value), columns->value);
	buf_printf(out, "  %s", output_colour(OUTPUT_DIM));
	add_place(out, line->holder);
	buf_puts(out, output_colour(OUTPUT_PLAIN));
	buf_putc(out, '\n');
}

static void add_note(struct buf *out, struct str note)
{
	if (!note.len)
		return;
	buf_puts(out, output_colour(OUTPUT_YELLOW));
	buf_puts(out, "  note: ");
	printable_add(out, note);
	buf_puts(out, output_colour(OUTPUT_PLAIN));
	buf_putc(out, '\n');
}

static void add_leaf(struct buf *out, const struct columns *columns,
		     const struct value *leaf)
{
	const struct value *losers = losers_of(leaf);

	add_line(out, columns,
		 &(struct line){answer_text(leaf, "path"), OUTPUT_BOLD, leaf});
	for (uint32_t i = 0; i < losers->list.count; i++)
		add_line(out, columns,
			 &(struct line){OVERRIDES, OUTPUT_DIM,
					losers->list.items[i]});
	add_note(out, answer_text(leaf, "note"));
}

void explain_text_write(struct buf *out, const struct value *answer)
{
	const struct value *leaves = value_get(answer, STR("leaves"));
	struct columns columns = {0};
	size_t limit = terminal_size().columns;

	if (!value_is(leaves, VALUE_LIST))
		return;
	if (own_workspace(answer).len) {
		buf_puts(out, output_colour(OUTPUT_DIM));
		own_text_add(out, answer);
		buf_printf(out, "%s\n", output_colour(OUTPUT_PLAIN));
	}
	for (uint32_t i = 0; i < leaves->list.count; i++)
		measure(&columns, leaves->list.items[i]);
	if (limit)
		fit(&columns, limit);
	for (uint32_t i = 0; i < leaves->list.count; i++)
		add_leaf(out, &columns, leaves->list.items[i]);
}
