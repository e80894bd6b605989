#include "base/pack.h"

#include "base/arena.h"

#define MORE  0x80U
#define WHOLE 64 /* bits */

void pack_number(struct buf *out, uint64_t number)
{
	for (; number >= MORE; number >>= 7)
		buf_putc(out, (char)(unsigned char)((number & 0x7F) | MORE));
	buf_putc(out, (char)(unsigned char)number);
}

/* 0, -1, 1, -2, ... */
void pack_signed(struct buf *out, int64_t number)
{
	uint64_t twice = (uint64_t)number << 1;

	pack_number(out, number < 0 ? ~twice : twice);
}

void pack_text(struct buf *out, struct str text)
{
	pack_number(out, text.len);
	buf_add_str(out, text);
}

void pack_optional(struct buf *out, const char *text)
{
	pack_number(out, text ? 1 : 0);
	if (text)
		pack_text(out, str_from(text));
}

bool unpack_fail(struct unpack *unpack)
{
	unpack->failed = true;
	unpack->rest = (struct str){0};
	return false;
}

struct str unpack_bytes(struct unpack *unpack, size_t len)
{
	struct str bytes = unpack->rest;

	if (len > bytes.len) {
		(void)unpack_fail(unpack);
		return STR("");
	}
	unpack->rest = str_from_offset(bytes, len);
	return (struct str){bytes.ptr, len};
}

uint64_t unpack_number(struct unpack *unpack)
{
	uint64_t number = 0, part;
	struct str byte;

	for (unsigned int at = 0; at < WHOLE; at += 7) {
		byte = unpack_bytes(unpack, 1);
		if (!byte.len)
			return 0;
		part = (unsigned char)byte.ptr[0] & 0x7FU;
		number |= part << at;
		if (number >> at != part) /* more bits than there are */
			break;
		if (!((unsigned char)byte.ptr[0] & MORE))
			return number;
	}
	(void)unpack_fail(unpack);
	return 0;
}

int64_t unpack_signed(struct unpack *unpack)
{
	uint64_t number = unpack_number(unpack);

	return (int64_t)(number & 1 ? ~(number >> 1) : number >> 1);
}

uint64_t unpack_number_to(struct unpack *unpack, uint64_t max)
{
	uint64_t number = unpack_number(unpack);

	if (number <= max)
		return number;
	(void)unpack_fail(unpack);
	return 0;
}

size_t unpack_count(struct unpack *unpack)
{
	return (size_t)unpack_number_to(unpack, unpack->rest.len);
}

struct str unpack_text(struct unpack *unpack)
{
	struct str text = unpack_bytes(unpack, unpack_count(unpack));

	if (str_utf8_invalid(text) == text.len)
		return text;
	(void)unpack_fail(unpack);
	return STR("");
}

struct str unpack_name(struct unpack *unpack)
{
	struct str text = unpack_text(unpack);

	if (!str_has_nul(text))
		return text;
	(void)unpack_fail(unpack);
	return STR("");
}

const char *unpack_optional(struct unpack *unpack, struct arena *arena)
{
	return unpack_number_to(unpack, 1)
		       ? arena_str(arena, unpack_name(unpack)).ptr
		       : NULL;
}
