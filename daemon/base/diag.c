#include "base/diag.h"

#include <stdarg.h>
#include <string.h>

#include "base/mem.h"

/* A minified text can be one line of megabytes: show what surrounds the spot.
 */
#define EXCERPT_BEFORE 100
#define EXCERPT_BYTES  160

static char *format_text(const char *format, va_list ap)
{
	char text[512];

	(void)vsnprintf(text, sizeof(text), format, ap);
	return mem_strdup(text);
}

static bool is_continuation(struct str text, size_t at)
{
	return at < text.len && ((unsigned char)text.ptr[at] & 0xC0) == 0x80;
}

/* The part of the line around @offset, and below it the caret, under the same
 * column whatever the width of tabs. */
static char *format_excerpt(struct source *source, size_t offset, uint32_t line)
{
	struct str text = source_line(source, offset);
	size_t at = (size_t)(source->text.ptr + offset - text.ptr), start = 0;
	char *padding, *excerpt;

	if (at > text.len)
		at = text.len;
	if (at > EXCERPT_BEFORE)
		start = at - EXCERPT_BEFORE;
	while (is_continuation(text, start))
		start++;
	text = str_from_offset(text, start);
	at -= start;
	if (text.len > EXCERPT_BYTES) {
		text.len = EXCERPT_BYTES;
		while (is_continuation(text, text.len))
			text.len--;
	}
	padding = mem_alloc(at + 1);
	for (size_t i = 0, k = 0; i < at && i < text.len; i++)
		if (!is_continuation(text, i))
			padding[k++] = text.ptr[i] == '\t' ? '\t' : ' ';
	excerpt = mem_printf("%5u | %.*s\n      | %s^\n", line, STR_PRINT(text),
			     padding);
	mem_free(padding);
	return excerpt;
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

void diag_print(const struct diag *diag, FILE *out)
{
	(void)fputs(diag->source, out);
	if (diag->pos.line)
		(void)fprintf(out, ":%u:%u", diag->pos.line, diag->pos.column);
	(void)fprintf(out, ": %s\n", diag->text);
}

void diag_print_excerpt(const struct diag *diag, FILE *out)
{
	diag_print(diag, out);
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
