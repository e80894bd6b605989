#include "config/idna.h"

#include <locale.h>
#include <wctype.h>

#define LABEL_MAX  63
#define ACE_PREFIX "xn--"

/* RFC 3492, section 5. */
#define BASE         36u
#define THRESHOLD_1  1u
#define THRESHOLD_26 26u
#define SKEW         38u
#define DAMP         700u
#define INITIAL_BIAS 72u
#define ASCII_END    0x80u

struct label {
	uint32_t points[LABEL_MAX]; /* each takes a byte or more */
	uint32_t count;
};

static uint32_t lower(uint32_t point)
{
	locale_t locale;

	if (point < ASCII_END)
		return point >= 'A' && point <= 'Z' ? point + ('a' - 'A')
						    : point;
	locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	if (locale) {
		point = (uint32_t)towlower_l((wint_t)point, locale);
		freelocale(locale);
	}
	return point;
}

/* The code point that valid UTF-8 begins with; *size: its bytes. */
static uint32_t point_at(struct str text, size_t *size)
{
	unsigned char first = (unsigned char)text.ptr[0];
	uint32_t point;

	*size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (*size == 1)
		return first;
	point = first & (0x7fu >> *size);
	for (size_t i = 1; i < *size; i++)
		point = point << 6 | ((unsigned char)text.ptr[i] & 0x3fu);
	return point;
}

static bool decode(struct label *label, struct str text)
{
	size_t size;

	label->count = 0;
	for (; text.len; text = str_from_offset(text, size)) {
		if (label->count == LABEL_MAX)
			return false;
		label->points[label->count++] = lower(point_at(text, &size));
	}
	return true;
}

static uint32_t adapt(uint32_t delta, uint32_t points, bool first)
{
	uint32_t k = 0;

	delta = first ? delta / DAMP : delta / 2;
	delta += delta / points;
	for (; delta > (BASE - THRESHOLD_1) * THRESHOLD_26 / 2; k += BASE)
		delta /= BASE - THRESHOLD_1;
	return k + (BASE - THRESHOLD_1 + 1) * delta / (delta + SKEW);
}

static char digit_of(uint32_t digit)
{
	return (char)(digit < 26 ? 'a' + digit : '0' + (digit - 26));
}

static uint32_t threshold_at(uint32_t k, uint32_t bias)
{
	if (k <= bias + THRESHOLD_1)
		return THRESHOLD_1;
	return k >= bias + THRESHOLD_26 ? THRESHOLD_26 : k - bias;
}

/* A generalized variable-length integer. */
static void add_delta(struct buf *out, uint32_t delta, uint32_t bias)
{
	uint32_t threshold;

	for (uint32_t k = BASE;; k += BASE) {
		threshold = threshold_at(k, bias);
		if (delta < threshold)
			break;
		buf_putc(out, digit_of(threshold + (delta - threshold) %
							   (BASE - threshold)));
		delta = (delta - threshold) / (BASE - threshold);
	}
	buf_putc(out, digit_of(delta));
}

static uint32_t add_ascii(struct buf *out, const struct label *label)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < label->count; i++) {
		if (label->points[i] >= ASCII_END)
			continue;
		buf_putc(out, (char)label->points[i]);
		count++;
	}
	return count;
}

static uint32_t smallest_from(const struct label *label, uint32_t from)
{
	uint32_t smallest = UINT32_MAX;

	for (uint32_t i = 0; i < label->count; i++)
		if (label->points[i] >= from && label->points[i] < smallest)
			smallest = label->points[i];
	return smallest;
}

struct punycode {
	uint32_t delta, bias, handled, basic;
};

/* Write every occurrence of @point; those of smaller code points are written
 * already. */
static void add_point(struct buf *out, struct punycode *code,
		      const struct label *label, uint32_t point)
{
	for (uint32_t i = 0; i < label->count; i++) {
		if (label->points[i] < point)
			code->delta++;
		if (label->points[i] != point)
			continue;
		add_delta(out, code->delta, code->bias);
		code->handled++;
		code->bias = adapt(code->delta, code->handled,
				   code->handled == code->basic + 1);
		code->delta = 0;
	}
}

/* At most 63 code points: no sum here comes near 32 bits. */
static void add_punycode(struct buf *out, const struct label *label)
{
	uint32_t point = ASCII_END, next;
	struct punycode code = {.bias = INITIAL_BIAS};

	buf_puts(out, ACE_PREFIX);
	code.handled = code.basic = add_ascii(out, label);
	if (code.basic)
		buf_putc(out, '-');
	while (code.handled < label->count) {
		next = smallest_from(label, point);
		code.delta += (next - point) * (code.handled + 1);
		add_point(out, &code, label, next);
		code.delta++;
		point = next + 1;
	}
}

static bool add_label(struct buf *out, struct str text)
{
	size_t start = out->len;
	struct label label;

	if (!decode(&label, text))
		return false;
	if (smallest_from(&label, ASCII_END) == UINT32_MAX)
		(void)add_ascii(out, &label);
	else
		add_punycode(out, &label);
	return out->len - start <= LABEL_MAX;
}

bool idna_add_host(struct buf *out, struct str host)
{
	const char *dot;
	struct str label;

	for (;;) {
		dot = host.len ? memchr(host.ptr, '.', host.len) : NULL;
		label = dot ? (struct str){host.ptr, (size_t)(dot - host.ptr)}
			    : host;
		if (!add_label(out, label))
			return false;
		if (!dot)
			return true;
		buf_putc(out, '.');
		host = str_from_offset(host, label.len + 1);
	}
}
