/*
 * HOCON as ClearML's own parser reads it (semantics.md, "Grammar" and on): what
 * is written here must come back as the same tree, there and in our reader.
 *
 * So every string is quoted, which also makes `${` and durations plain text,
 * and uses only the escapes that ClearML decodes; other control characters
 * stand for themselves. A tab is always escaped, because ClearML expands tabs
 * even inside quotes. Keys know no escapes at all.
 */

#include <stdio.h>

#include "render/render.h"
#include "value/json.h"
#include "value/path.h"
#include "value/value.h"
#include "wire.h"

/* ClearML's parser gives up between 30 and 60 levels, depending on how much
 * of Python's stack the program around it uses. */
#define CLEARML_DEPTH 30

struct hocon {
	struct rendering *rendering;
	struct buf *out;
	struct buf path; /* of the value being written, for warnings */
	unsigned int depth;
	unsigned int lists; /* of these, the lists around the value without an
			     * object between */
	bool flat;          /* all on one line */
	bool lost;          /* something was left out */
};

static void warn(struct hocon *hocon, const char *text)
{
	render_warn(hocon->rendering, buf_str(&hocon->path), text);
}

static void new_line(struct hocon *hocon)
{
	if (!hocon->flat)
		buf_printf(hocon->out, "\n%*s", (int)hocon->depth * 2, "");
}

static void enter(struct hocon *hocon)
{
	if (++hocon->depth == CLEARML_DEPTH + 1)
		warn(hocon, "nested so deep that ClearML may fail to read it");
}

/* --- strings and keys ----------------------------------------------------- */

static const char escapes[256] = {
	['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't', ['"'] = '"', ['\\'] = '\\',
};

static void write_string(struct buf *out, struct str text)
{
	char c;

	buf_putc(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		c = escapes[(unsigned char)text.ptr[i]];
		if (c)
			buf_putc(out, '\\');
		else
			c = text.ptr[i];
		buf_putc(out, c);
	}
	buf_putc(out, '"');
}

/* A letter first, and not the word that begins an include. */
static bool is_bare_key(struct str key)
{
	bool bare = key.len > 0;

	for (size_t i = 0; i < key.len; i++) {
		char c = key.ptr[i];
		bool letter = (c >= 'a' && c <= 'z') ||
			      (c >= 'A' && c <= 'Z') || c == '_';
		bool later = (c >= '0' && c <= '9') || c == '-';

		bare = bare && (letter || (later && i > 0));
	}
	return bare && !str_equal_nocase(key, STR("include"));
}

/* Between quotes ClearML takes backslashes in pairs with what follows, keeps
 * both as they are, and knows no way to write a quote, a line end or a tab. An
 * empty key makes it crash. */
static bool is_quotable_key(struct str key)
{
	bool open = false;
	char c;

	for (size_t i = 0; i < key.len; i++) {
		c = key.ptr[i];
		if (c == '"' || c == '\n' || c == '\r' || c == '\t')
			return false;
		open = c == '\\' && !open;
	}
	return key.len > 0 && !open;
}

static void write_key(struct buf *out, struct str key)
{
	const char *quote = is_bare_key(key) ? "" : "\"";

	buf_puts(out, quote);
	buf_add_str(out, key);
	buf_puts(out, quote);
}

/* --- values --------------------------------------------------------------- */

static void write_value(struct hocon *hocon, const struct value *value);

static void warn_about_item(struct hocon *hocon, const struct value *item)
{
	if (item->type == VALUE_STRING && !item->text.len)
		warn(hocon, "ClearML drops an empty string from a list");
	if (item->type == VALUE_NULL && hocon->lists > 1)
		warn(hocon, "ClearML cannot read null in a list in a list");
}

static void write_item(struct hocon *hocon, const struct value *list,
		       uint32_t index)
{
	size_t path = hocon->path.len;
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", index);
	path_add_key(&hocon->path, str_from(text));
	warn_about_item(hocon, list->list.items[index]);
	if (index)
		buf_putc(hocon->out, ',');
	new_line(hocon);
	write_value(hocon, list->list.items[index]);
	hocon->path.len = path;
}

static void write_list(struct hocon *hocon, const struct value *list)
{
	buf_putc(hocon->out, '[');
	enter(hocon);
	hocon->lists++;
	for (uint32_t i = 0; i < list->list.count; i++)
		write_item(hocon, list, i);
	hocon->lists--;
	hocon->depth--;
	if (list->list.count)
		new_line(hocon);
	buf_putc(hocon->out, ']');
}

/* `key {` rather than `key = {`: ClearML reads it half as deep again. */
static void write_member(struct hocon *hocon, const struct member *member)
{
	size_t path = hocon->path.len;

	path_add_key(&hocon->path, member_key(member));
	if (is_quotable_key(member_key(member))) {
		new_line(hocon);
		write_key(hocon->out, member_key(member));
		buf_puts(hocon->out,
			 member->value->type == VALUE_OBJECT ? " " : " = ");
		write_value(hocon, member->value);
	} else {
		warn(hocon, "left out: there is no way to write this key");
		hocon->lost = true;
	}
	hocon->path.len = path;
}

static void write_object(struct hocon *hocon, const struct value *object)
{
	unsigned int lists = hocon->lists;
	struct member *member;

	buf_putc(hocon->out, '{');
	enter(hocon);
	hocon->lists = 0;
	for (value_each (object, member)) {
		if (hocon->flat && member != object->object.members)
			buf_putc(hocon->out, ',');
		write_member(hocon, member);
	}
	hocon->lists = lists;
	hocon->depth--;
	if (object->object.count)
		new_line(hocon);
	buf_putc(hocon->out, '}');
}

/* Recursion is bounded by the depth of what the daemon may answer. */
static void write_value(struct hocon *hocon, const struct value *value)
{
	switch (value->type) {
	case VALUE_LIST: write_list(hocon, value); break;
	case VALUE_OBJECT: write_object(hocon, value); break;
	case VALUE_STRING: write_string(hocon->out, value_text(value)); break;
	default: json_write(hocon->out, value); break;
	}
}

bool render_hocon(struct rendering *rendering, const struct value *value)
{
	struct hocon hocon = {.rendering = rendering, .out = &rendering->text};
	struct member *member;

	buf_puts(hocon.out, WIRE_DUMP_COMMENT);
	if (value->type == VALUE_OBJECT) {
		for (value_each (value, member))
			write_member(&hocon, member);
	} else {
		warn(&hocon, "ClearML reads a file only when it is an object");
		new_line(&hocon);
		write_value(&hocon, value);
	}
	buf_putc(hocon.out, '\n');
	buf_deinit(&hocon.path);
	return true;
}

bool render_hocon_line(struct rendering *rendering, struct str path,
		       const struct value *value)
{
	struct hocon hocon = {
		.rendering = rendering, .out = &rendering->text, .flat = true};

	buf_add_str(&hocon.path, path);
	write_value(&hocon, value);
	buf_deinit(&hocon.path);
	return !hocon.lost;
}
