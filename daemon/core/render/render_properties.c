/*
 * `a.b.c = value` lines as Java's Properties.load reads them, whatever the
 * encoding it is told: what is not ASCII is \uXXXX, in UTF-16.
 *
 * A property is text: types are lost, null is the empty text, and an empty
 * object or list cannot be said.
 */

#include <stdio.h>

#include "render/render.h"
#include "value/json.h"
#include "value/path.h"
#include "value/value.h"

struct lines {
	struct rendering *rendering;
	struct buf path; /* of the value being written */
};

/* --- text ----------------------------------------------------------------- */

static const char escapes[256] = {
	['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['\f'] = 'f', ['\\'] = '\\',
};

/* Valid UTF-8 at @at; *len bytes. */
static uint32_t decode(const char *at, size_t *len)
{
	unsigned char c = (unsigned char)at[0];
	uint32_t code;

	*len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	code = *len == 1 ? c : c & (0xffu >> (*len + 1));
	for (size_t i = 1; i < *len; i++)
		code = code << 6 | ((unsigned char)at[i] & 0x3f);
	return code;
}

static void write_code(struct buf *out, uint32_t code)
{
	if (code >= ' ' && code < 0x7f) {
		buf_putc(out, (char)code);
	} else if (code < 0x10000) {
		buf_printf(out, "\\u%04X", code);
	} else {
		code -= 0x10000;
		buf_printf(out, "\\u%04X\\u%04X", 0xd800 + (code >> 10),
			   0xdc00 + (code & 0x3ff));
	}
}

/* The letter after the backslash, '\0' when there is none. @special:
 * characters that stand for themselves there. */
static char escape_of(char c, const char *special)
{
	if (c && strchr(special, c))
		return c;
	return escapes[(unsigned char)c];
}

static void write_text(struct buf *out, struct str text, const char *special)
{
	size_t len;
	char escape;

	for (size_t i = 0; i < text.len; i += len) {
		escape = escape_of(text.ptr[i], special);
		len = 1;
		if (escape)
			buf_printf(out, "\\%c", escape);
		else
			write_code(out, decode(text.ptr + i, &len));
	}
}

/* White space is eaten at the start of a value only. */
static void write_value_text(struct buf *out, struct str text)
{
	if (text.len && text.ptr[0] == ' ')
		buf_putc(out, '\\');
	write_text(out, text, "");
}

/* --- values --------------------------------------------------------------- */

static void write_scalar(struct buf *out, const struct value *value)
{
	if (value->type == VALUE_STRING)
		write_value_text(out, value_text(value));
	else if (value->type != VALUE_NULL)
		json_write(out, value);
}

static void write_line(struct lines *lines, const struct value *value)
{
	struct buf *out = &lines->rendering->text;

	write_text(out, buf_str(&lines->path), " :=#!");
	buf_puts(out, " = ");
	write_scalar(out, value);
	buf_putc(out, '\n');
}

static void write_node(struct lines *lines, const struct value *value);

static void write_child(struct lines *lines, struct str key,
			const struct value *value)
{
	size_t path = lines->path.len;

	path_add_key(&lines->path, key);
	write_node(lines, value);
	lines->path.len = path;
}

static void write_items(struct lines *lines, const struct value *list)
{
	char index[16];

	for (uint32_t i = 0; i < list->list.count; i++) {
		(void)snprintf(index, sizeof(index), "%u", i);
		write_child(lines, str_from(index), list->list.items[i]);
	}
}

static void write_members(struct lines *lines, const struct value *object)
{
	struct member *member;

	for (value_each (object, member))
		write_child(lines, member_key(member), member->value);
}

/* Recursion is bounded by the depth of what the daemon may answer. */
static void write_node(struct lines *lines, const struct value *value)
{
	bool object = value->type == VALUE_OBJECT;

	if (!object && value->type != VALUE_LIST)
		write_line(lines, value);
	else if (!(object ? value->object.count : value->list.count))
		render_warn(lines->rendering, buf_str(&lines->path),
			    "left out: a property cannot say that this is "
			    "empty");
	else if (object)
		write_members(lines, value);
	else
		write_items(lines, value);
}

bool render_properties(struct rendering *rendering, const struct value *value)
{
	struct lines lines = {.rendering = rendering};

	if (value->type != VALUE_OBJECT && value->type != VALUE_LIST) {
		rendering->refusal = "properties is for an object or a list, "
				     "whose keys become names";
		return false;
	}
	write_node(&lines, value);
	buf_deinit(&lines.path);
	return true;
}
