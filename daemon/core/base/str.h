#ifndef BASE_STR_H
#define BASE_STR_H

/*
 * A view of text: bytes and a length, owned by somebody else.
 *
 * ClearML texts may hold NUL characters, and most strings of a configuration
 * are slices of the text they came from, so a length travels with the pointer.
 * The bytes need not end in NUL. {NULL, 0} is the absent string.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *ptr;
	size_t len;
};

#define STR(literal)    ((struct str){(literal), sizeof(literal) - 1})
#define STR_PRINT(view) (int)(view).len, (view).ptr /* for "%.*s" */

static inline struct str str_from(const char *text)
{
	return (struct str){text, text ? strlen(text) : 0};
}

static inline bool str_equal(struct str a, struct str b)
{
	return a.len == b.len && (a.len == 0 || !memcmp(a.ptr, b.ptr, a.len));
}

static inline bool str_is(struct str a, const char *text)
{
	return str_equal(a, str_from(text));
}

/* No C string holds it whole. */
static inline bool str_has_nul(struct str a)
{
	return a.len && memchr(a.ptr, '\0', a.len);
}

/* Is @c one of @set? Unlike strchr, NUL is in none. */
static inline bool str_set_has(const char *set, char c)
{
	return c && strchr(set, c);
}

/* What a hexadecimal digit is worth; -1: it is none. */
static inline int str_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Read @text, of 2 * @count hexadecimal digits, into @bytes; false: it is not.
 */
bool str_read_hex(struct str text, unsigned char *bytes, size_t count);

static inline bool str_starts(struct str a, struct str prefix)
{
	return a.len >= prefix.len &&
	       (prefix.len == 0 || !memcmp(a.ptr, prefix.ptr, prefix.len));
}

static inline bool str_ends(struct str a, struct str suffix)
{
	return a.len >= suffix.len &&
	       (suffix.len == 0 ||
		!memcmp(a.ptr + a.len - suffix.len, suffix.ptr, suffix.len));
}

/* Two texts that end in NUL, or NULL: absent, which only itself is the same as.
 */
static inline bool str_same(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* Bytewise, the shorter first among equals: the order of code points. */
int str_compare(struct str a, struct str b);

/* The text of item @i of @list. */
typedef struct str (*str_of_fn)(const void *list, size_t i);

/* The first of @count items in the order of their texts that does not come
 * before @text: where it is, or would be. */
size_t str_place(struct str text, const void *list, size_t count,
		 str_of_fn text_of);

/* The part from @start on; empty when @start is past the end. */
static inline struct str str_from_offset(struct str a, size_t start)
{
	if (start > a.len)
		start = a.len;
	if (start)
		a = (struct str){a.ptr + start, a.len - start};
	return a;
}

/* @a without the ASCII white space at its ends. */
struct str str_trim(struct str a);

/* The next word of *rest, which goes on after it; words are what white space
 * separates. False when there is none. */
bool str_next_word(struct str *rest, struct str *word);

/* Letters compared without case, ASCII only. */
bool str_equal_nocase(struct str a, struct str b);

/* What follows http:// or https:// in @url; empty: it is no such URL. */
struct str str_after_http(struct str url);

/* ClearML's booleans: y yes t true on 1 / n no f false off 0, any case. */
bool str_to_bool(struct str a, bool *value);

/* Decimal digits and nothing else, at most 18 of them. */
bool str_to_number(struct str a, int64_t *number);

/* Offset of the first byte that is not strict UTF-8; a.len if all is. */
size_t str_utf8_invalid(struct str a);

/* Code points in valid UTF-8. */
size_t str_utf8_length(struct str a);

/* A hash that begins with @seed, the same in every process of this machine's
 * kind: whoever writes a text may find another of the same. */
uint64_t str_fold(struct str a, uint64_t seed);

/* Keyed hash; the key is drawn once a process, so that whoever writes a vault
 * cannot choose colliding keys. */
uint32_t str_hash(struct str a);

#endif
