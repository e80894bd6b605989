#include "value/json.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/source.h"
#include "value/json_string.h"
#include "value/value.h"

/* "1.29e+00" to "1.30e+00". Nine alone everywhere gives a number that is
 * wrong, which the caller finds out. */
static void step_up(char *text)
{
	char *digit = strchr(text, 'e') - 1;

	for (; digit > text && (*digit == '9' || *digit == '.'); digit--)
		if (*digit == '9')
			*digit = '0';
	++*digit;
}

static bool reads_back(const char *text, double real)
{
	return strtod(text, NULL) == real;
}

/* Scientific notation with the fewest digits that read back as @real; 17
 * always do. The neighbour below a power of two is nearer than the one above:
 * there the nearest 16 digits may fail and the next ones up succeed. */
static void shortest(double real, char *text, size_t size)
{
	/* Subnormals have fewer than fifteen digits. */
	int precision = fabs(real) < DBL_MIN ? 0 : 14;

	for (; precision < 17; precision++) {
		(void)snprintf(text, size, "%.*e", precision, real);
		if (reads_back(text, real))
			return;
		if (precision == 15) {
			step_up(text);
			if (reads_back(text, real))
				return;
		}
	}
}

/* "d.ddd000" without the zeros, nor the point when nothing is left after it. */
static int significant_length(const char *mantissa, int len)
{
	while (len > 1 && mantissa[len - 1] == '0')
		len--;
	return mantissa[len - 1] == '.' ? len - 1 : len;
}

/* Python's repr: positional from 1e-4 up to 1e16, else with an exponent. */
void json_write_real(struct buf *out, double real)
{
	char text[40], *e;
	int exponent, len, digits, decimals;

	shortest(real, text, sizeof(text));
	e = strchr(text, 'e');
	exponent = (int)strtol(e + 1, NULL, 10);
	len = significant_length(text, (int)(e - text));
	digits = len - (text[0] == '-') - (len > 2 + (text[0] == '-'));
	decimals = digits - 1 - exponent;
	if (exponent >= -4 && exponent < 16)
		buf_printf(out, "%.*f", decimals < 1 ? 1 : decimals, real);
	else
		buf_printf(out, "%.*se%c%02d", len, text,
			   exponent < 0 ? '-' : '+', abs(exponent));
}

static void write_scalar(struct buf *out, const struct value *value)
{
	switch (value->type) {
	case VALUE_BOOL:
		buf_puts(out, value->boolean ? "true" : "false");
		break;
	case VALUE_INT: buf_add_str(out, value_text(value)); break;
	case VALUE_REAL: json_write_real(out, value->real); break;
	case VALUE_STRING: json_write_string(out, value_text(value)); break;
	default: buf_puts(out, "null"); break;
	}
}

/* @indent is the depth, or negative for everything on one line. */
static void new_line(struct buf *out, int indent)
{
	if (indent >= 0)
		buf_printf(out, "\n%*s", indent * 2, "");
}

static void write_value(struct buf *out, const struct value *value, int indent);

static void write_list(struct buf *out, const struct value *list, int indent)
{
	int inner = indent < 0 ? indent : indent + 1;

	buf_putc(out, '[');
	for (uint32_t i = 0; i < list->list.count; i++) {
		if (i)
			buf_putc(out, ',');
		new_line(out, inner);
		write_value(out, list->list.items[i], inner);
	}
	if (list->list.count)
		new_line(out, indent);
	buf_putc(out, ']');
}

static void write_object(struct buf *out, const struct value *object,
			 int indent)
{
	int inner = indent < 0 ? indent : indent + 1;
	struct member *member;

	buf_putc(out, '{');
	for (value_each (object, member)) {
		if (member != object->object.members)
			buf_putc(out, ',');
		new_line(out, inner);
		json_write_string(out, member_key(member));
		buf_puts(out, indent < 0 ? ":" : ": ");
		write_value(out, member->value, inner);
	}
	if (object->object.count)
		new_line(out, indent);
	buf_putc(out, '}');
}

/* Recursion is bounded by [limits] depth of the readers. */
static void write_value(struct buf *out, const struct value *value, int indent)
{
	if (value->type == VALUE_LIST)
		write_list(out, value, indent);
	else if (value->type == VALUE_OBJECT)
		write_object(out, value, indent);
	else
		write_scalar(out, value);
}

void json_write(struct buf *out, const struct value *value)
{
	write_value(out, value, -1);
}

void json_write_pretty(struct buf *out, const struct value *value)
{
	write_value(out, value, 0);
}

void json_key(struct buf *out, const char *key)
{
	if (out->len && out->data[out->len - 1] != '{')
		buf_putc(out, ',');
	buf_putc(out, '"');
	buf_puts(out, key);
	buf_puts(out, "\":");
}

void json_add_str(struct buf *out, const char *key, struct str text)
{
	json_key(out, key);
	json_write_string(out, text);
}

void json_add_string(struct buf *out, const char *key, const char *text)
{
	json_add_str(out, key, str_from(text));
}

void json_add_int(struct buf *out, const char *key, long long number)
{
	json_key(out, key);
	buf_put_int(out, number);
}

void json_add_bool(struct buf *out, const char *key, bool value)
{
	json_key(out, key);
	buf_puts(out, value ? "true" : "false");
}

void json_add_optional_string(struct buf *out, const char *key,
			      const char *text)
{
	if (text)
		json_add_string(out, key, text);
}

void json_add_optional_int(struct buf *out, const char *key, long long number)
{
	if (number >= 0)
		json_add_int(out, key, number);
}

void json_add_pos(struct buf *out, const struct pos *pos)
{
	if (!pos->line)
		return;
	json_add_int(out, "line", pos->line);
	json_add_int(out, "column", pos->column);
}

#define SCALAR_BYTES 5 /* about, of what is no text */

static bool take(size_t bytes, size_t *left)
{
	bool fits = bytes <= *left;

	*left -= fits ? bytes : *left;
	return fits;
}

static bool members_fit(const struct value *object, size_t *left)
{
	struct member *member;

	for (value_each (object, member))
		if (!take(member->key_len + sizeof("\"\":"), left) ||
		    !json_fits(member->value, left))
			return false;
	return true;
}

bool json_fits(const struct value *value, size_t *left)
{
	switch (value->type) {
	case VALUE_INT:
	case VALUE_STRING: return take(value->text.len + sizeof("\"\""), left);
	case VALUE_OBJECT: return take(2, left) && members_fit(value, left);
	case VALUE_LIST: break;
	default: return take(SCALAR_BYTES, left);
	}
	for (uint32_t i = 0; i < value->list.count; i++)
		if (!json_fits(value->list.items[i], left))
			return false;
	return take(2, left);
}
