#include "base/printable.h"

#include <stdarg.h>

#include "base/buf.h"
#include "base/mem.h"

/* Code points above ASCII that are controls, by their first and last. */
static const struct {
	uint32_t first, last;
} controls[] = {
	{0x80, 0x9f},     /* C1 */
	{0x61c, 0x61c},   /* marks of direction */
	{0x200e, 0x200f}, /* the same */
	{0x2028, 0x202e}, /* line and paragraph ends; embedding, overriding */
	{0x2066, 0x2069}, /* isolating */
	{0xfeff, 0xfeff}, /* not there to be seen */
};

/* The code point of two or three bytes, as all controls above have; 0:
 * something else. */
static uint32_t code_point(struct str text, size_t *bytes)
{
	const unsigned char *c = (const unsigned char *)text.ptr;

	*bytes = c[0] >= 0xe0 ? 3 : 2;
	if (text.len < *bytes || c[0] < 0xc2 || c[0] >= 0xf0)
		return 0;
	if (*bytes == 2)
		return (c[0] & 0x1fu) << 6 | (c[1] & 0x3fu);
	return (c[0] & 0xfu) << 12 | (c[1] & 0x3fu) << 6 | (c[2] & 0x3fu);
}

size_t printable_control_at(struct str text)
{
	unsigned char c = text.len ? (unsigned char)text.ptr[0] : ' ';
	uint32_t point;
	size_t bytes;

	if (c < 0x80)
		return c < 0x20 || c == 0x7f;
	point = code_point(text, &bytes);
	for (size_t i = 0; i < ARRAY_SIZE(controls); i++)
		if (point >= controls[i].first && point <= controls[i].last)
			return bytes;
	return 0;
}

bool printable_has_control(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (printable_control_at(str_from_offset(text, i)))
			return true;
	return false;
}

void printable_add_but(struct buf *out, struct str text, const char *kept)
{
	size_t valid = str_utf8_invalid(text), control;

	for (size_t i = 0; i < text.len; i += control ? control : 1) {
		char c = text.ptr[i];

		control = printable_control_at(str_from_offset(text, i));
		if ((control || (i >= valid && (unsigned char)c > 0x7f)) &&
		    (!c || !strchr(kept, c)))
			c = '?';
		buf_putc(out, c);
	}
}

void printable_add(struct buf *out, struct str text)
{
	printable_add_but(out, text, "");
}

void printable_add_escaped(struct buf *out, struct str text)
{
	size_t control, bytes;
	char c;

	for (; text.len; text = str_from_offset(text, control ? control : 1)) {
		control = printable_control_at(text);
		c = text.ptr[0];
		if (!control || c == '\n' || c == '\t')
			buf_putc(out, c);
		else
			buf_printf(out, "\\u%04x",
				   control > 1 ? code_point(text, &bytes)
					       : (unsigned char)c);
	}
}

void printable_line(FILE *out, const char *format, ...)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT, line = BUF_INIT;
	va_list ap;

	va_start(ap, format);
	buf_vprintf(&text, format, ap);
	va_end(ap);
	printable_add(&line, buf_str(&text));
	buf_putc(&line, '\n');
	(void)fputs(buf_str(&line).ptr, out);
}
