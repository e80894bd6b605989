#include "base/str.h"

#include <strings.h>
#include <sys/random.h>

#include "base/mem.h"

int str_compare(struct str a, struct str b)
{
	size_t shared = a.len < b.len ? a.len : b.len;
	int order = shared ? memcmp(a.ptr, b.ptr, shared) : 0;

	if (order)
		return order;
	return (a.len > b.len) - (a.len < b.len);
}

size_t str_place(struct str text, const void *list, size_t count,
		 str_of_fn text_of)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (str_compare(text_of(list, middle), text) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct str str_trim(struct str a)
{
	while (a.len && is_space(a.ptr[0]))
		a = (struct str){a.ptr + 1, a.len - 1};
	while (a.len && is_space(a.ptr[a.len - 1]))
		a.len--;
	return a;
}

bool str_next_word(struct str *rest, struct str *word)
{
	struct str left = str_trim(*rest);
	size_t len = 0;

	while (len < left.len && !is_space(left.ptr[len]))
		len++;
	*word = (struct str){left.ptr, len};
	*rest = str_from_offset(left, len);
	return len > 0;
}

bool str_equal_nocase(struct str a, struct str b)
{
	return a.len == b.len &&
	       (a.len == 0 || !strncasecmp(a.ptr, b.ptr, a.len));
}

struct str str_after_http(struct str url)
{
	static const char *const schemes[] = {"http://", "https://"};

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++) {
		size_t len = strlen(schemes[i]);

		if (url.len > len && !strncasecmp(url.ptr, schemes[i], len))
			return str_from_offset(url, len);
	}
	return (struct str){0};
}

bool str_to_bool(struct str a, bool *value)
{
	static const char *const words[2][6] = {
		{"n", "no", "f", "false", "off", "0"},
		{"y", "yes", "t", "true", "on", "1"},
	};

	for (size_t i = 0; i < 2 * ARRAY_SIZE(words[0]); i++) {
		if (str_equal_nocase(a, str_from(words[i % 2][i / 2]))) {
			*value = i % 2;
			return true;
		}
	}
	return false;
}

#define NUMBER_DIGITS 18 /* so many always fit */

bool str_to_number(struct str a, int64_t *number)
{
	if (!a.len || a.len > NUMBER_DIGITS)
		return false;
	*number = 0;
	for (size_t i = 0; i < a.len; i++) {
		if (a.ptr[i] < '0' || a.ptr[i] > '9')
			return false;
		*number = *number * 10 + (a.ptr[i] - '0');
	}
	return true;
}

/* Length of the well-formed sequence at @p, 0 if there is none. The table is
 * Unicode's "well-formed UTF-8 byte sequences": no overlong forms, no
 * surrogates, nothing above U+10FFFF. */
static size_t sequence(const unsigned char *p, size_t left)
{
	static const struct {
		unsigned char first, last, second_min, second_max, size;
	} forms[] = {
		{0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
		{0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3},
		{0xEE, 0xEF, 0x80, 0xBF, 3}, {0xF0, 0xF0, 0x90, 0xBF, 4},
		{0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
	};
	size_t i = 0;

	while (i < ARRAY_SIZE(forms) && p[0] > forms[i].last)
		i++;
	if (i == ARRAY_SIZE(forms) || p[0] < forms[i].first ||
	    left < forms[i].size || p[1] < forms[i].second_min ||
	    p[1] > forms[i].second_max)
		return 0;
	for (size_t k = 2; k < forms[i].size; k++)
		if ((p[k] & 0xC0) != 0x80)
			return 0;
	return forms[i].size;
}

/* Skip eight plain ASCII bytes at a time: most of any configuration. */
static size_t skip_ascii(const unsigned char *p, size_t i, size_t len)
{
	uint64_t word;

	for (; i + sizeof(word) <= len; i += sizeof(word)) {
		memcpy(&word, p + i, sizeof(word));
		if (word & UINT64_C(0x8080808080808080))
			break;
	}
	while (i < len && p[i] < 0x80)
		i++;
	return i;
}

size_t str_utf8_invalid(struct str a)
{
	const unsigned char *p = (const unsigned char *)a.ptr;
	size_t i = skip_ascii(p, 0, a.len), size;

	while (i < a.len) {
		size = sequence(p + i, a.len - i);
		if (!size)
			return i;
		i = skip_ascii(p, i + size, a.len);
	}
	return a.len;
}

size_t str_utf8_length(struct str a)
{
	size_t count = 0;

	for (size_t i = 0; i < a.len; i++)
		count += ((unsigned char)a.ptr[i] & 0xC0) != 0x80;
	return count;
}

static uint64_t hash_key(void)
{
	static uint64_t key;

	while (!key)
		if (getrandom(&key, sizeof(key), 0) != sizeof(key))
			key = 0;
	return key;
}

/* The hash takes one folded 64 x 64 multiplication for each eight bytes. */
static uint64_t mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

bool str_read_hex(struct str text, unsigned char *bytes, size_t count)
{
	int high, low;

	if (text.len != 2 * count)
		return false;
	for (size_t i = 0; i < count; i++) {
		high = str_hex_digit(text.ptr[2 * i]);
		low = str_hex_digit(text.ptr[2 * i + 1]);
		if (high < 0 || low < 0)
			return false;
		bytes[i] = (unsigned char)(high << 4 | low);
	}
	return true;
}

uint64_t str_fold(struct str a, uint64_t seed)
{
	uint64_t hash = seed ^ a.len, word;
	size_t i = 0;

	for (; i + sizeof(word) <= a.len; i += sizeof(word)) {
		memcpy(&word, a.ptr + i, sizeof(word));
		hash = mix(hash ^ word, UINT64_C(0x9E3779B97F4A7C15));
	}
	word = 0;
	if (a.len > i)
		memcpy(&word, a.ptr + i, a.len - i);
	return mix(hash ^ word, UINT64_C(0xD6E8FEB86659FD93));
}

uint32_t str_hash(struct str a)
{
	uint64_t hash = str_fold(a, hash_key());

	return (uint32_t)(hash ^ (hash >> 32));
}
