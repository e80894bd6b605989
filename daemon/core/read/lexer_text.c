/* What the words of a text mean: escapes and tabs. */
#include "read/lexer.h"

#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "read/reading.h"

#define TAB_STOP 8

static void add_escape(struct buf *out, char c)
{
	static const char names[] = "\\nrt=#!\"", meant[] = "\\\n\r\t=#!\"";
	const char *name = c ? strchr(names, c) : NULL;

	if (name) {
		buf_putc(out, meant[name - names]);
	} else {
		buf_putc(out, '\\');
		buf_putc(out, c);
	}
}

/* The column of @at, from 0, where tabs have been expanded. Tokens come in
 * order, so each byte is looked at once. */
static size_t column(struct lexer *lexer, size_t at)
{
	size_t from = lexer->tab_at;
	size_t column = from ? lexer->tab_column : lexer->before;
	unsigned char c;

	if (at < from) {
		from = at;
		while (from && !str_set_has("\n\r", lexer->text[from - 1]))
			from--;
		column = from ? 0 : lexer->before;
	}
	for (; from < at; from++) {
		c = (unsigned char)lexer->text[from];
		if (c == '\t')
			column += TAB_STOP - column % TAB_STOP;
		else if (c == '\n' || c == '\r')
			column = 0;
		else if ((c & 0xC0) != 0x80)
			column++;
	}
	lexer->tab_at = at;
	lexer->tab_column = column;
	return column;
}

static void add_spaces(struct buf *out, size_t count)
{
	memset(buf_reserve(out, count), ' ', count);
	out->len += count;
}

/* The way for text that is not simply a slice. */
static struct str decoded_text(struct lexer *lexer, size_t start, size_t end,
			       bool decode)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	const char *text = lexer->text;

	for (size_t at = start; at < end; at++) {
		if (text[at] == '\t')
			add_spaces(&out,
				   TAB_STOP - column(lexer, at) % TAB_STOP);
		else if (decode && text[at] == '\\' && at + 1 < end &&
			 text[at + 1] != '\t')
			add_escape(&out, text[++at]);
		else
			buf_putc(&out, text[at]);
	}
	return arena_str(lexer->reading->arena, buf_str(&out));
}

struct str lexer_text(struct lexer *lexer, size_t start, size_t end,
		      bool decode)
{
	struct str slice = {lexer->text + start, end - start};

	if (slice.len &&
	    ((decode && lexer->token.escaped) ||
	     (lexer->has_tabs && memchr(slice.ptr, '\t', slice.len))))
		return decoded_text(lexer, start, end, decode);
	return slice;
}
