#include "fetch/base64.h"

#include <stdint.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			      "abcdefghijklmnopqrstuvwxyz"
			      "0123456789+/";

void base64_write(struct buf *out, struct str bytes)
{
	for (size_t i = 0; i < bytes.len; i += 3) {
		uint32_t bits = 0;

		for (size_t k = i; k < i + 3; k++)
			bits = bits << 8 |
			       (k < bytes.len ? (uint8_t)bytes.ptr[k] : 0);
		buf_putc(out, letters[bits >> 18]);
		buf_putc(out, letters[bits >> 12 & 63]);
		buf_putc(out,
			 i + 1 < bytes.len ? letters[bits >> 6 & 63] : '=');
		buf_putc(out, i + 2 < bytes.len ? letters[bits & 63] : '=');
	}
}

/* -1: not of the URL alphabet, which has '-' and '_' for '+' and '/'. */
static int sextet(char c)
{
	const char *found;

	if (c == '-')
		return 62;
	if (c == '_')
		return 63;
	found = memchr(letters, c, 62);
	return found ? (int)(found - letters) : -1;
}

bool base64url_read(struct buf *out, struct str text)
{
	uint32_t bits = 0;
	unsigned int have = 0;

	while (text.len && text.ptr[text.len - 1] == '=')
		text.len--;
	for (size_t i = 0; i < text.len; i++) {
		int six = sextet(text.ptr[i]);

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
