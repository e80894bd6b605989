#include "json_text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define REPLACEMENT 0xFFFD

/* --- to ------------------------------------------------------------------- */

static int add_char(struct bytes *out, char c)
{
	char escape[8];
	int len;

	if (c == '"' || c == '\\')
		len = snprintf(escape, sizeof(escape), "\\%c", c);
	else if ((unsigned char)c < 0x20)
		len = snprintf(escape, sizeof(escape), "\\u%04x",
			       (unsigned int)c);
	else
		return bytes_add(out, &c, 1);
	return bytes_add(out, escape, (size_t)len);
}

int json_text_add(struct bytes *out, const char *text)
{
	int r = bytes_add(out, "\"", 1);

	for (; r == 0 && *text; text++)
		r = add_char(out, *text);
	return r == 0 ? bytes_add(out, "\"", 1) : r;
}

/* --- from ----------------------------------------------------------------- */

struct reader {
	const char *at, *end;
	char *out;
	bool ok;
};

static void put(struct reader *reader, uint32_t byte)
{
	*reader->out++ = (char)byte;
}

static void put_utf8(struct reader *reader, uint32_t c)
{
	if (c < 0x80) {
		put(reader, c);
		return;
	}
	if (c < 0x800) {
		put(reader, 0xC0 | c >> 6);
	} else {
		if (c < 0x10000) {
			put(reader, 0xE0 | c >> 12);
		} else {
			put(reader, 0xF0 | c >> 18);
			put(reader, 0x80 | (c >> 12 & 0x3F));
		}
		put(reader, 0x80 | (c >> 6 & 0x3F));
	}
	put(reader, 0x80 | (c & 0x3F));
}

/* The four digits after "\u", taken. */
static uint32_t read_unit(struct reader *reader)
{
	static const char digits[] = "00112233445566778899aAbBcCdDeEfF";
	uint32_t unit = 0;

	for (int i = 0; i < 4; i++) {
		const char *digit = NULL;

		if (reader->at < reader->end && *reader->at)
			digit = strchr(digits, *reader->at++);
		if (!digit) {
			reader->ok = false;
			return 0;
		}
		unit = unit << 4 | (uint32_t)(digit - digits) / 2;
	}
	return unit;
}

static bool is_high(uint32_t unit)
{
	return unit >> 10 == 0xD800 >> 10;
}

static bool is_low(uint32_t unit)
{
	return unit >> 10 == 0xDC00 >> 10;
}

static void read_unicode(struct reader *reader)
{
	uint32_t first = read_unit(reader), second;
	const char *after = reader->at;

	if (is_high(first) && reader->end - after >= 6 && after[0] == '\\' &&
	    after[1] == 'u') {
		reader->at += 2;
		second = read_unit(reader);
		if (is_low(second)) {
			put_utf8(reader, 0x10000 + ((first & 0x3FF) << 10 |
						    (second & 0x3FF)));
			return;
		}
		reader->at = after;
	}
	put_utf8(reader, is_high(first) || is_low(first) ? REPLACEMENT : first);
}

static void read_escape(struct reader *reader)
{
	static const unsigned char letters[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
	char c = '\0';

	if (reader->at < reader->end)
		c = *reader->at++;
	if (c == 'u') {
		read_unicode(reader);
		return;
	}
	for (size_t i = 0; i < sizeof(letters) - 1; i += 2)
		if ((unsigned char)c == letters[i]) {
			put(reader, letters[i + 1]);
			return;
		}
	reader->ok = false;
}

long json_text_decode(char *text, size_t len)
{
	struct reader reader = {text + 1, text + len - 1, text, true};

	if (len < 2 || *text != '"' || text[len - 1] != '"')
		return -1;
	while (reader.ok && reader.at < reader.end) {
		if (*reader.at != '\\') {
			put(&reader, (unsigned char)*reader.at++);
			continue;
		}
		reader.at++;
		read_escape(&reader);
	}
	*reader.out = '\0';
	return reader.ok ? reader.out - text : -1;
}
