/*
 * YAML 1.1 as PyYAML's safe loader and libyaml read it: what is written here
 * must come back as the same tree.
 *
 * A string stands bare only when it is plainly a word; everything else is
 * between double quotes, where escapes can say anything. Reals have a point
 * and a signed exponent, without which PyYAML takes them for text.
 */

#include "base/mem.h"
#include "read/yaml_scalar.h"
#include "render/render.h"
#include "value/json.h"
#include "value/value.h"
#include "wire.h"

/* A key that is longer needs "? "; YAML's own limit is 1,024 characters. */
#define KEY_MAX 900

/* --- strings -------------------------------------------------------------- */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word_byte(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || str_set_has("_-./", c);
}

/* y and n are booleans to YAML 1.1, though not to PyYAML. */
static bool is_plain(struct str text)
{
	if (!text.len || !is_letter(text.ptr[0]))
		return false;
	for (size_t i = 1; i < text.len; i++)
		if (!is_word_byte(text.ptr[i]))
			return false;
	if (text.len == 1 && str_set_has("yYnN", text.ptr[0]))
		return false;
	return yaml_scalar_of_plain(text) == YAML_SCALAR_STR;
}

static const char escapes[256] = {
	['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't',
	['"'] = '"',  ['\\'] = '\\', ['\0'] = '0',
};

/* One character that must not stand for itself; how many bytes it has, 0 for
 * none. C1 controls (NEL is a line end), U+2028, U+2029, the BOM and U+FFFE,
 * U+FFFF. */
static size_t escape_wide(struct buf *out, struct str rest)
{
	static const struct {
		struct str bytes;
		const char *escape;
	} wide[] = {
		{STR("\xe2\x80\xa8"), "\\u2028"},
		{STR("\xe2\x80\xa9"), "\\u2029"},
		{STR("\xef\xbb\xbf"), "\\uFEFF"},
		{STR("\xef\xbf\xbe"), "\\uFFFE"},
		{STR("\xef\xbf\xbf"), "\\uFFFF"},
	};

	if (rest.len > 1 && rest.ptr[0] == '\xc2' &&
	    (unsigned char)rest.ptr[1] < 0xa0) {
		buf_printf(out, "\\x%02X", (unsigned char)rest.ptr[1]);
		return 2;
	}
	for (size_t i = 0; i < ARRAY_SIZE(wide); i++) {
		if (!str_starts(rest, wide[i].bytes))
			continue;
		buf_puts(out, wide[i].escape);
		return wide[i].bytes.len;
	}
	return 0;
}

static size_t write_character(struct buf *out, struct str rest)
{
	unsigned char c = (unsigned char)rest.ptr[0];
	size_t len = escape_wide(out, rest);

	if (len)
		return len;
	if (escapes[c])
		buf_printf(out, "\\%c", escapes[c]);
	else if (c < ' ' || c == 0x7f)
		buf_printf(out, "\\x%02X", c);
	else
		buf_putc(out, (char)c);
	return 1;
}

static void write_string(struct buf *out, struct str text)
{
	if (is_plain(text)) {
		buf_add_str(out, text);
		return;
	}
	buf_putc(out, '"');
	for (size_t i = 0; i < text.len;)
		i += write_character(out, str_from_offset(text, i));
	buf_putc(out, '"');
}

/* --- values --------------------------------------------------------------- */

static void write_real(struct buf *out, double real)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	struct str digits;
	size_t e;

	json_write_real(&text, real);
	digits = buf_str(&text);
	e = strcspn(digits.ptr, "e");
	buf_add(out, digits.ptr, e);
	if (!memchr(digits.ptr, '.', digits.len))
		buf_puts(out, ".0");
	buf_puts(out, digits.ptr + e);
}

/* Write a scalar, or an object or list that is empty. */
static void write_scalar(struct buf *out, const struct value *value)
{
	switch (value->type) {
	case VALUE_STRING: write_string(out, value_text(value)); break;
	case VALUE_REAL: write_real(out, value->real); break;
	default: json_write(out, value); break;
	}
}

static bool is_block(const struct value *value)
{
	return (value->type == VALUE_OBJECT && value->object.count) ||
	       (value->type == VALUE_LIST && value->list.count);
}

static void indent(struct buf *out, unsigned int depth)
{
	buf_printf(out, "%*s", (int)depth * 2, "");
}

static void write_block(struct buf *out, const struct value *value,
			unsigned int depth, bool begun);

/* What comes after "key:" on its line and those below. */
static void write_member_value(struct buf *out, const struct value *value,
			       unsigned int depth)
{
	if (is_block(value)) {
		buf_putc(out, '\n');
		write_block(out, value, depth + 1, false);
		return;
	}
	buf_putc(out, ' ');
	write_scalar(out, value);
	buf_putc(out, '\n');
}

static void write_member(struct buf *out, const struct member *member,
			 unsigned int depth)
{
	if (member->key_len > KEY_MAX / 6) { /* six bytes an escape */
		buf_puts(out, "? ");
		write_string(out, member_key(member));
		buf_putc(out, '\n');
		indent(out, depth);
	} else {
		write_string(out, member_key(member));
	}
	buf_putc(out, ':');
	write_member_value(out, member->value, depth);
}

/* A block in a list begins on the line of its dash. */
static void write_item(struct buf *out, const struct value *item,
		       unsigned int depth)
{
	buf_puts(out, "- ");
	if (is_block(item)) {
		write_block(out, item, depth + 1, true);
		return;
	}
	write_scalar(out, item);
	buf_putc(out, '\n');
}

/* @begun: the first line is indented already. Recursion is bounded by the
 * depth of what the daemon may answer. */
static void write_block(struct buf *out, const struct value *value,
			unsigned int depth, bool begun)
{
	bool list = value->type == VALUE_LIST;
	uint32_t count = list ? value->list.count : value->object.count;

	for (uint32_t i = 0; i < count; i++) {
		if (i || !begun)
			indent(out, depth);
		if (list)
			write_item(out, value->list.items[i], depth);
		else
			write_member(out, &value->object.members[i], depth);
	}
}

void render_yaml_bare(struct buf *out, const struct value *value)
{
	if (is_block(value)) {
		write_block(out, value, 0, false);
		return;
	}
	write_scalar(out, value);
	buf_putc(out, '\n');
}

bool render_yaml(struct rendering *rendering, const struct value *value)
{
	buf_puts(&rendering->text, WIRE_DUMP_COMMENT "\n");
	render_yaml_bare(&rendering->text, value);
	return true;
}
