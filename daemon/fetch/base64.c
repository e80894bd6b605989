#include "fetch/base64.h"

#include <stdint.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			      "abcdefghijklmnopqrstuvwxyz"
			      "0123456789+/";

/* Up to three bytes as four letters, '=' for the bytes that are not there. */
static void write_group(struct buf *out, struct str bytes)
{
	char group[4] = {'=', '=', '=', '='};
	uint32_t bits = 0;

	for (size_t i = 0; i < 3; i++)
		bits = bits << 8 | (i < bytes.len ? (uint8_t)bytes.ptr[i] : 0);
	for (size_t i = 0; i < 4 && i <= bytes.len; i++)
		group[i] = letters[bits >> (18 - 6 * i) & 63];
	buf_add(out, group, sizeof(group));
}

void base64_write(struct buf *out, struct str bytes)
{
	for (; bytes.len; bytes = str_from_offset(bytes, 3))
		write_group(out, bytes);
}

/* -1: not of the alphabet that ends with the letters @last. */
static int sextet(char c, const char last[2])
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == last[0])
		return 62;
	return c == last[1] ? 63 : -1;
}

static bool read_in(struct buf *out, struct str text, const char last[2])
{
	uint32_t bits = 0;
	unsigned int have = 0;

	while (text.len && text.ptr[text.len - 1] == '=')
		text.len--;
	for (size_t i = 0; i < text.len; i++) {
		int six = sextet(text.ptr[i], last);

		if (six < 0)
			return false;
		bits = (bits << 6 | (uint32_t)six) & 0xFFFF;
		have += 6;
		if (have >= 8) {
			have -= 8;
			buf_putc(out, (char)(bits >> have & 0xFF));
		}
	}
	return true;
}

bool base64url_read(struct buf *out, struct str text)
{
	return read_in(out, text, "-_");
}

bool base64_read(struct buf *out, struct str text)
{
	return read_in(out, text, "+/");
}
