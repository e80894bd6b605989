#include "base/diag.h"

#include <stdarg.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/printable.h"

/* A minified text can be one line of megabytes: show what surrounds the spot.
 */
#define EXCERPT_BEFORE 100
#define EXCERPT_BYTES  160

static bool is_continuation(struct str text, size_t at)
{
	return at < text.len && ((unsigned char)text.ptr[at] & 0xC0) == 0x80;
}

/* The beginning of @text in at most @max bytes, without a part of a character.
 */
static struct str shortened(struct str text, size_t max)
{
	if (text.len <= max)
		return text;
	while (max && is_continuation(text, max))
		max--;
	return (struct str){text.ptr, max};
}

static char *__attribute__((format(printf, 1, 0)))
format_text(const char *format, va_list ap)
{
	char text[512];
	struct str kept;

	(void)vsnprintf(text, sizeof(text), format, ap);
	kept = shortened(str_from(text), sizeof(text) - 2);
	return mem_strndup(kept.ptr, kept.len);
}

/* Blanks as wide as @text; its tabs stay tabs, however wide those are. */
static void add_padding(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!is_continuation(text, i))
			buf_putc(out, text.ptr[i] == '\t' ? '\t' : ' ');
}

/* The part of the line around @offset, and below it the caret. */
static char *format_excerpt(struct source *source, size_t offset, uint32_t line)
{
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	struct str text = source_line(source, offset), before;
	size_t at = (size_t)(source->text.ptr + offset - text.ptr), start = 0;
	int gutter;

	if (at > text.len)
		at = text.len;
	if (at > EXCERPT_BEFORE)
		start = at - EXCERPT_BEFORE;
	while (start < at && is_continuation(text, start))
		start++;
	before = (struct str){text.ptr + start, at - start};
	text = shortened(str_from_offset(text, start), EXCERPT_BYTES);
	buf_printf(&out, "%5u", line);
	gutter = (int)out.len;
	buf_puts(&out, " | ");
	printable_add_but(&out, text, "\t");
	buf_printf(&out, "\n%*s | ", gutter, "");
	add_padding(&out, before);
	buf_puts(&out, "^\n");
	return buf_take(&out);
}

bool diag_at(struct diag *diag, struct source *source, size_t offset,
	     const char *format, ...)
{
	va_list ap;

	if (!diag || diag_failed(diag))
		return false;
	diag->source = mem_strdup(source->name);
	diag->pos = source_pos(source, offset);
	diag->excerpt = format_excerpt(source, offset, diag->pos.line);
	va_start(ap, format);
	diag->text = format_text(format, ap);
	va_end(ap);
	return false;
}

bool diag_set(struct diag *diag, const char *source, const char *format, ...)
{
	va_list ap;

	if (!diag || diag_failed(diag))
		return false;
	diag->source = mem_strdup(source);
	va_start(ap, format);
	diag->text = format_text(format, ap);
	va_end(ap);
	return false;
}

struct diag diag_take(struct diag *diag)
{
	struct diag taken = *diag;

	*diag = DIAG_INIT;
	return taken;
}

struct diag diag_copy(const struct diag *diag)
{
	return diag_failed(diag)
		       ? (struct diag){.source = mem_strdup(diag->source),
				       .pos = diag->pos,
				       .text = mem_strdup(diag->text)}
		       : DIAG_INIT;
}

bool diag_equal(const struct diag *a, const struct diag *b)
{
	if (!diag_failed(a) || !diag_failed(b))
		return diag_failed(a) == diag_failed(b);
	return a->pos.line == b->pos.line && a->pos.column == b->pos.column &&
	       !strcmp(a->source, b->source) && !strcmp(a->text, b->text);
}

void diag_deinit(struct diag *diag)
{
	mem_free(diag->source);
	mem_free(diag->text);
	mem_free(diag->excerpt);
	*diag = DIAG_INIT;
}

static char *labelled(const struct diag *diag, const char *label)
{
	if (!diag->pos.line)
		return mem_printf("%s: %s%s", diag->source, label, diag->text);
	return mem_printf("%s:%u:%u: %s%s", diag->source, diag->pos.line,
			  diag->pos.column, label, diag->text);
}

char *diag_line(const struct diag *diag)
{
	return labelled(diag, "");
}

static void print_line(const struct diag *diag, const char *label, FILE *out)
{
	_cleanup_(mem_freep) char *line = labelled(diag, label);

	printable_line(out, "%s", line);
}

void diag_print(const struct diag *diag, FILE *out)
{
	print_line(diag, "", out);
}

void diag_print_excerpt(const struct diag *diag, const char *label, FILE *out)
{
	print_line(diag, label, out);
	if (diag->excerpt)
		(void)fputs(diag->excerpt, out);
}

struct diag *diag_list_next(struct diag_list *list)
{
	if (list->count == DIAG_LIST_MAX)
		return NULL;
	if (!list->items)
		list->items = mem_alloc(DIAG_LIST_MAX * sizeof(*list->items));
	return &list->items[list->count++];
}

void diag_list_deinit(struct diag_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		diag_deinit(&list->items[i]);
	mem_free(list->items);
	*list = (struct diag_list){0};
}
