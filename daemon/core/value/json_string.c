#include "value/json_string.h"

#include <stdint.h>

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

/* The letter after the backslash, 'u' for \u00XX; 0: stands for itself. */
static char escape(char c)
{
	static const char control[] = "uuuuuuuubtnufruuuuuuuuuuuuuuuuuu";

	if ((unsigned char)c < ' ')
		return control[(unsigned char)c];
	if (c == '"' || c == '\\')
		return c;
	return '\0';
}

static size_t plain_run(struct str text)
{
	size_t i = 0;

	while (i < text.len && !escape(text.ptr[i]))
		i++;
	return i;
}

/* Written by hand, as a long text may hold nothing else. */
static void write_escape(struct buf *out, char c)
{
	static const char hex[] = "0123456789abcdef";
	char letter = escape(c);

	buf_putc(out, '\\');
	buf_putc(out, letter);
	if (letter != 'u')
		return;
	buf_puts(out, "00");
	buf_putc(out, hex[(unsigned char)c >> 4]);
	buf_putc(out, hex[(unsigned char)c & 0xF]);
}

static void write_escaped(struct buf *out, struct str text)
{
	size_t run;

	for (; text.len; text = str_from_offset(text, 1)) {
		run = plain_run(text);
		buf_add(out, text.ptr, run);
		text = str_from_offset(text, run);
		if (!text.len)
			break;
		write_escape(out, text.ptr[0]);
	}
}

static bool is_plain_ascii(struct str text)
{
	size_t i = 0;

	while (i < text.len && (signed char)text.ptr[i] >= ' ' &&
	       text.ptr[i] != '"' && text.ptr[i] != '\\')
		i++;
	return i == text.len;
}

/* File names and variables need not be UTF-8, but JSON must. */
void json_write_string(struct buf *out, struct str text)
{
	size_t valid;

	buf_reserve(out, text.len + 2);
	buf_putc(out, '"');
	if (is_plain_ascii(text)) {
		buf_add_str(out, text);
		text.len = 0;
	}
	for (; text.len; text = str_from_offset(text, valid + 1)) {
		valid = str_utf8_invalid(text);
		write_escaped(out, (struct str){text.ptr, valid});
		if (valid < text.len)
			buf_puts(out, REPLACEMENT);
	}
	buf_putc(out, '"');
}

/* The \uXXXX at @at, or -1. */
static int32_t code_unit(struct str text, size_t at)
{
	int32_t code = 0;
	int digit;

	if (text.len < at + 6 || text.ptr[at] != '\\' ||
	    text.ptr[at + 1] != 'u')
		return -1;
	for (size_t i = at + 2; i < at + 6; i++) {
		digit = str_hex_digit(text.ptr[i]);
		if (digit < 0)
			return -1;
		code = code * 16 + digit;
	}
	return code;
}

static void add_utf8(struct buf *out, uint32_t code)
{
	static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
	unsigned int size = code < 0x80      ? 1
			    : code < 0x800   ? 2
			    : code < 0x10000 ? 3
					     : 4;

	if (size == 1)
		buf_putc(out, (char)code);
	else
		buf_putc(out, (char)(lead[size] | code >> 6 * (size - 1)));
	for (unsigned int i = size - 1; i-- > 0 && size > 1;)
		buf_putc(out, (char)(0x80 | (code >> 6 * i & 0x3F)));
}

/* \uXXXX or a surrogate pair; how many bytes it took, 0 when it is neither. */
static size_t read_unicode(struct str text, size_t at, struct buf *out)
{
	int32_t first = code_unit(text, at), second;

	if (first < 0 || (first >= 0xDC00 && first < 0xE000))
		return 0;
	if (first < 0xD800 || first >= 0xE000) {
		add_utf8(out, (uint32_t)first);
		return 6;
	}
	second = code_unit(text, at + 6);
	if (second < 0xDC00 || second >= 0xE000)
		return 0;
	add_utf8(out, 0x10000 + ((uint32_t)(first - 0xD800) << 10) +
			      (uint32_t)(second - 0xDC00));
	return 12;
}

/* Bytes of the escape at @at, 0 when it is none. */
static size_t read_escape(struct str text, size_t at, struct buf *out)
{
	static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *name;

	if (at + 1 == text.len)
		return 0;
	if (text.ptr[at + 1] == 'u')
		return read_unicode(text, at, out);
	name = memchr(names, text.ptr[at + 1], sizeof(names) - 1);
	if (!name)
		return 0;
	buf_putc(out, meant[name - names]);
	return 2;
}

bool json_read_string(struct str text, struct buf *out, size_t *used,
		      const char **reason)
{
	size_t at = 1, run;

	for (;; at += run) {
		run = plain_run(str_from_offset(text, at));
		buf_add(out, text.ptr + at, run);
		at += run;
		*used = at;
		*reason = "the string is not closed";
		if (at >= text.len || text.ptr[at] == '\n' ||
		    text.ptr[at] == '\r')
			return false;
		if (text.ptr[at] == '"')
			break;
		*reason = "a control character in a string must be escaped";
		if (text.ptr[at] != '\\')
			return false;
		*reason = "JSON has no such escape";
		run = read_escape(text, at, out);
		if (!run)
			return false;
	}
	*used = at + 1;
	return true;
}
