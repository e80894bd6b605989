#include "read/yaml_scalar.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/mem.h"
#include "read/decimal.h"
#include "value/value.h"

#define DIGITS "0123456789"

/* Integers that begin with 0. */
static const struct radix {
	struct str prefix;
	const char *digits;
	uint32_t base;
} radixes[] = {
	{STR("0b"), "01", 2},
	{STR("0x"), "0123456789abcdefABCDEF", 16},
	{STR("0"), "01234567", 8},
};

static const struct {
	struct str word;
	bool value;
} booleans[] = {
	{STR("yes"), true}, {STR("true"), true},   {STR("on"), true},
	{STR("no"), false}, {STR("false"), false}, {STR("off"), false},
};

/* The rest of a text that is being looked through. */
struct scan {
	const char *at, *end;
};

static struct scan scan_of(struct str text)
{
	return (struct scan){text.ptr, text.ptr + text.len};
}

static bool is_at_end(const struct scan *scan)
{
	return scan->at == scan->end;
}

static bool is_at(const struct scan *scan, const char *set)
{
	return !is_at_end(scan) && *scan->at && strchr(set, *scan->at);
}

/* Pass one character of @set, if it is there. */
static bool pass(struct scan *scan, const char *set)
{
	bool found = is_at(scan, set);

	scan->at += found;
	return found;
}

/* Pass all characters of @set; how many. */
static size_t pass_all(struct scan *scan, const char *set)
{
	const char *start = scan->at;

	while (is_at(scan, set))
		scan->at++;
	return (size_t)(scan->at - start);
}

/* [0-9] [0-9_]* */
static bool pass_number(struct scan *scan)
{
	return is_at(scan, DIGITS) && pass_all(scan, DIGITS "_");
}

/* (':' [0-5]? [0-9])+ */
static bool pass_sixtieths(struct scan *scan)
{
	size_t digits;
	bool tens;

	if (!is_at(scan, ":"))
		return false;
	while (pass(scan, ":")) {
		tens = is_at(scan, "012345");
		digits = pass_all(scan, DIGITS);
		if (digits != 1 && !(digits == 2 && tens))
			return false;
	}
	return true;
}

/* How the number that begins here is written; NULL: in decimal. */
static const struct radix *radix_of(const struct scan *scan)
{
	struct str text = {scan->at, (size_t)(scan->end - scan->at)};

	for (size_t i = 0; i < ARRAY_SIZE(radixes); i++)
		if (str_starts(text, radixes[i].prefix) &&
		    text.len > radixes[i].prefix.len)
			return &radixes[i];
	return NULL;
}

/* '0b' [01_]+ | '0x' [0-9a-fA-F_]+ | '0' [0-7_]+ */
static bool is_radix(struct scan scan)
{
	const struct radix *radix = radix_of(&scan);

	if (!radix)
		return false;
	scan.at += radix->prefix.len;
	while (pass_all(&scan, radix->digits) || pass(&scan, "_"))
		;
	return is_at_end(&scan);
}

/* [-+]? (radix | '0' | [1-9] [0-9_]* sixtieths?) */
static bool is_int(struct str text)
{
	struct scan scan = scan_of(text);

	(void)pass(&scan, "-+");
	if (is_radix(scan))
		return true;
	if (pass(&scan, "0"))
		return is_at_end(&scan);
	if (!pass_number(&scan))
		return false;
	return is_at_end(&scan) || (pass_sixtieths(&scan) && is_at_end(&scan));
}

/* ([eE] [-+] [0-9]+)? and the end */
static bool is_exponent(struct scan scan)
{
	if (is_at_end(&scan))
		return true;
	return pass(&scan, "eE") && pass(&scan, "-+") &&
	       pass_all(&scan, DIGITS) && is_at_end(&scan);
}

/* [-+]? number '.' [0-9_]* exponent | '.' number exponent
 * | [-+]? number sixtieths '.' [0-9_]* */
static bool is_float(struct str text)
{
	struct scan scan = scan_of(text);
	bool sixtieths = false;

	if (pass(&scan, "."))
		return pass_number(&scan) && is_exponent(scan);
	(void)pass(&scan, "-+");
	if (!pass_number(&scan))
		return false;
	if (is_at(&scan, ":")) {
		sixtieths = true;
		if (!pass_sixtieths(&scan))
			return false;
	}
	if (!pass(&scan, "."))
		return false;
	(void)pass_all(&scan, DIGITS "_");
	return sixtieths ? is_at_end(&scan) : is_exponent(scan);
}

/* word, Word or WORD. */
static bool is_cased(struct str text, struct str word)
{
	size_t upper = 0;

	if (!str_equal_nocase(text, word))
		return false;
	for (size_t i = 0; i < text.len; i++)
		upper += text.ptr[i] >= 'A' && text.ptr[i] <= 'Z';
	return !upper || upper == text.len ||
	       (upper == 1 && text.ptr[0] >= 'A' && text.ptr[0] <= 'Z');
}

static bool is_bool(struct str text)
{
	for (size_t i = 0; i < ARRAY_SIZE(booleans); i++)
		if (is_cased(text, booleans[i].word))
			return true;
	return false;
}

static bool is_null(struct str text)
{
	return !text.len || str_is(text, "~") || is_cased(text, STR("null"));
}

enum yaml_scalar yaml_scalar_of_plain(struct str text)
{
	if (is_null(text))
		return YAML_SCALAR_NULL;
	if (is_bool(text))
		return YAML_SCALAR_BOOL;
	if (is_int(text))
		return YAML_SCALAR_INT;
	return is_float(text) ? YAML_SCALAR_FLOAT : YAML_SCALAR_STR;
}

static const char *set_str(struct value *value, struct str text)
{
	value->type = VALUE_STRING;
	value->text.ptr = text.ptr;
	value->text.len = (uint32_t)text.len;
	return NULL;
}

/* With a tag, words may be in any case. */
static const char *set_bool(struct value *value, struct str text)
{
	for (size_t i = 0; i < ARRAY_SIZE(booleans); i++) {
		if (!str_equal_nocase(text, booleans[i].word))
			continue;
		value->type = VALUE_BOOL;
		value->boolean = booleans[i].value;
		return NULL;
	}
	return "this is not a boolean";
}

/* Numbers may hold underscores anywhere; they mean nothing. */
static struct str without_underscores(struct arena *arena, struct str text)
{
	size_t len = 0;
	char *copy;

	if (!text.len || !memchr(text.ptr, '_', text.len))
		return text;
	copy = arena_alloc(arena, text.len + 1);
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] != '_')
			copy[len++] = text.ptr[i];
	return (struct str){copy, len};
}

static uint32_t digit_of(char c)
{
	return (uint32_t)(c <= '9' ? c - '0' : (c | ' ') - 'a' + 10);
}

static void add_digits(struct decimal *number, struct scan *scan,
		       const char *set, uint32_t base)
{
	for (; is_at(scan, set); scan->at++)
		decimal_add_digit(number, base, digit_of(*scan->at));
}

/* The whole of an integer without a sign, known to be one. */
static void add_int(struct decimal *number, struct scan *scan)
{
	const struct radix *radix = radix_of(scan);
	uint32_t part;

	if (radix) {
		scan->at += radix->prefix.len;
		add_digits(number, scan, radix->digits, radix->base);
		return;
	}
	add_digits(number, scan, DIGITS, 10);
	while (pass(scan, ":")) {
		part = digit_of(*scan->at++);
		if (is_at(scan, DIGITS))
			part = part * 10 + digit_of(*scan->at++);
		decimal_add_digit(number, 60, part);
	}
}

static bool is_decimal(struct scan scan)
{
	if (radix_of(&scan))
		return false;
	(void)pass_all(&scan, DIGITS);
	return is_at_end(&scan);
}

static const char *set_int(struct value *value, struct arena *arena,
			   struct str text)
{
	struct str bare = without_underscores(arena, str_trim(text));
	struct scan scan = scan_of(bare);
	bool negative = is_at(&scan, "-");
	struct decimal number;

	if (!is_int(bare))
		return "this is not an integer";
	(void)pass(&scan, "-+");
	if (!is_decimal(scan)) {
		if (bare.len > DECIMAL_DIGITS_MAX)
			return "an integer as long as this must be written in "
			       "decimal";
		decimal_init(&number);
		add_int(&number, &scan);
		bare = decimal_text(&number, arena, negative);
	}
	value_set_int(value, arena, bare);
	return NULL;
}

/* The last of the parts between colons counts ones. */
static double sexagesimal(struct str text)
{
	struct value part = {0};
	double sum = 0.0, unit = 1.0;
	size_t at = text.len;
	bool negative = str_starts(text, STR("-"));

	for (;; unit *= 60) {
		text.len = at;
		while (at && text.ptr[at - 1] != ':')
			at--;
		if (!value_set_real(&part, str_from_offset(text, at)))
			return HUGE_VAL;
		sum += fabs(part.real) * unit;
		if (!at)
			return negative ? -sum : sum;
		at--;
	}
}

static bool is_infinite(struct str text)
{
	static const struct str words[] = {
		STR(".inf"),     STR(".nan"), STR("inf"),
		STR("infinity"), STR("nan"),
	};
	struct scan scan = scan_of(text);
	size_t sign = pass(&scan, "-+");

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (str_equal_nocase(str_from_offset(text, sign), words[i]))
			return true;
	return false;
}

static const char *set_float(struct value *value, struct arena *arena,
			     struct str text)
{
	struct str bare = without_underscores(arena, str_trim(text));
	bool parts = bare.len && memchr(bare.ptr, ':', bare.len);

	if (value_set_real(value, bare))
		return NULL;
	if (!is_float(bare) && !is_infinite(bare) && !(parts && is_int(bare)))
		return "this is not a number";
	value->type = VALUE_REAL;
	value->real = parts ? sexagesimal(bare) : HUGE_VAL;
	return isfinite(value->real) ? NULL : set_str(value, text);
}

const char *yaml_scalar_set(struct value *value, struct arena *arena,
			    enum yaml_scalar type, struct str text)
{
	switch (type) {
	case YAML_SCALAR_NULL: value->type = VALUE_NULL; return NULL;
	case YAML_SCALAR_BOOL: return set_bool(value, text);
	case YAML_SCALAR_INT: return set_int(value, arena, text);
	case YAML_SCALAR_FLOAT: return set_float(value, arena, text);
	case YAML_SCALAR_STR: break;
	}
	return set_str(value, text);
}
