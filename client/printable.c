#include "printable.h"

#include "base/buf.h"

size_t printable_control_at(struct str text)
{
	unsigned char c = text.len ? (unsigned char)text.ptr[0] : ' ';
	unsigned char next = text.len > 1 ? (unsigned char)text.ptr[1] : 0;

	if (c < 0x20 || c == 0x7f)
		return 1;
	return c == 0xc2 && next >= 0x80 && next < 0xa0 ? 2 : 0;
}

void printable_add(struct buf *out, struct str text)
{
	size_t control;

	for (; text.len; text = str_from_offset(text, control ? control : 1)) {
		control = printable_control_at(text);
		buf_add(out, control ? "?" : text.ptr, 1);
	}
}

/* The second byte of a C1 control is its number. */
void printable_add_escaped(struct buf *out, struct str text)
{
	size_t control;
	char c;

	for (; text.len; text = str_from_offset(text, control ? control : 1)) {
		control = printable_control_at(text);
		c = text.ptr[0];
		if (!control || c == '\n' || c == '\t')
			buf_putc(out, c);
		else
			buf_printf(out, "\\u%04x",
				   (unsigned char)text.ptr[control - 1]);
	}
}
