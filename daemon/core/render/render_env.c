/*
 * CLEARML_AGENT__A__B=value lines for `docker --env-file`, which takes each
 * line as it is: no quotes, no escapes.
 *
 * ClearML and clearconfd read each value as HOCON (semantics.md, "Layers"): so
 * a string stands bare only when it is plainly a word, else between HOCON's
 * quotes, which also keep a line end out of the line. The name loses case, and
 * "__" stands between keys.
 */

#include "base/arena.h"
#include "base/mem.h"
#include "render/render.h"
#include "value/path.h"
#include "value/value.h"

#define PREFIX   "CLEARML_AGENT__"
#define LINE_MAX ((size_t)64 * 1024) /* docker gives up at a longer line */

struct lines {
	struct rendering *rendering;
	struct buf name;   /* of the variable, so far */
	struct buf path;   /* the same for warnings */
	const char *unfit; /* why the name cannot be one */
};

static void skip(struct lines *lines, const char *why)
{
	render_warn(lines->rendering, buf_str(&lines->path), why);
}

/* --- names ---------------------------------------------------------------- */

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
	       c == '-';
}

static bool is_spelled_out(struct str key)
{
	for (size_t i = 0; i < key.len; i++)
		if (!is_name_byte(key.ptr[i]))
			return false;
	return key.len > 0 && !memmem(key.ptr, key.len, "__", 2);
}

/* @first: it follows the prefix. @last: nothing follows it. */
static const char *what_is_unfit(struct str key, bool first, bool last)
{
	if (!is_spelled_out(key))
		return "left out: a variable cannot name this key (only a-z, "
		       "0-9, '-' and single '_')";
	if (!last && str_ends(key, STR("_")))
		return "left out: a variable cannot name a key that ends in "
		       "'_' and holds others";
	if (first && str_is(key, "include"))
		return "left out: ClearML takes this key for an include";
	return NULL;
}

static char upper(char c)
{
	if (c < 'a' || c > 'z')
		return c;
	return (char)(c - ('a' - 'A'));
}

static void add_name(struct buf *name, struct str key)
{
	for (size_t i = 0; i < key.len; i++)
		buf_putc(name, upper(key.ptr[i]));
}

/* --- values --------------------------------------------------------------- */

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word_byte(char c)
{
	return is_letter(c) || (c >= '0' && c <= '9') ||
	       str_set_has("_-./:", c);
}

/* Is it text to every reader of HOCON? `true.x` is not, to ClearML. */
static bool is_word(struct str text)
{
	static const char *const special[] = {"true", "false", "null",
					      "include"};
	struct str start;

	if (!text.len || !(is_letter(text.ptr[0]) || text.ptr[0] == '/'))
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!is_word_byte(text.ptr[i]))
			return false;
	for (size_t i = 0; i < ARRAY_SIZE(special); i++) {
		start = str_from(special[i]);
		if (text.len >= start.len &&
		    str_equal_nocase((struct str){text.ptr, start.len}, start))
			return false;
	}
	return !str_starts(text, STR("//"));
}

static const char *write_value(struct lines *lines, const struct value *value)
{
	struct buf *out = &lines->rendering->text;
	size_t start = out->len;

	if (value->type == VALUE_STRING &&
	    (!value->text.len || is_word(value_text(value))))
		buf_add_str(out, value_text(value));
	else if (!render_hocon_line(lines->rendering, buf_str(&lines->path),
				    value))
		return "left out: there is no way to write a key in it";
	if (memchr(out->data + start, '\0', out->len - start))
		return "left out: a variable cannot hold the character NUL";
	return NULL;
}

static void write_line(struct lines *lines, const struct value *value)
{
	struct buf *out = &lines->rendering->text;
	const char *why = lines->unfit;
	size_t start = out->len;

	if (!why) {
		buf_puts(out, PREFIX);
		buf_add_str(out, buf_str(&lines->name));
		buf_putc(out, '=');
		why = write_value(lines, value);
	}
	if (!why && out->len - start >= LINE_MAX)
		why = "left out: it is too long for a variable (64 KiB)";
	if (!why) {
		buf_putc(out, '\n');
		return;
	}
	out->len = start;
	skip(lines, why);
}

static bool is_leaf(const struct value *value)
{
	return value->type != VALUE_OBJECT || !value->object.count;
}

/* @last: nothing follows it in the name. */
static void enter(struct lines *lines, struct str key, bool last)
{
	bool first = lines->name.len == 0;

	path_add_key(&lines->path, key);
	if (!lines->unfit)
		lines->unfit = what_is_unfit(key, first, last);
	if (!first)
		buf_puts(&lines->name, "__");
	add_name(&lines->name, key);
}

static void write_members(struct lines *lines, const struct value *object);

static void write_node(struct lines *lines, const struct value *value)
{
	if (is_leaf(value) || lines->unfit)
		write_line(lines, value);
	else
		write_members(lines, value);
}

static void write_member(struct lines *lines, const struct member *member)
{
	size_t name = lines->name.len, path = lines->path.len;
	const char *unfit = lines->unfit;

	enter(lines, member_key(member), is_leaf(member->value));
	write_node(lines, member->value);
	lines->unfit = unfit;
	lines->name.len = name;
	lines->path.len = path;
}

/* Recursion is bounded by the depth of what the daemon may answer. */
static void write_members(struct lines *lines, const struct value *object)
{
	struct member *member;

	for (value_each (object, member))
		write_member(lines, member);
}

/* Only an object can hold what a variable says: "rules.0" would become one. */
static bool may_be_element(struct str key)
{
	for (size_t i = 0; i < key.len; i++)
		if (key.ptr[i] < '0' || key.ptr[i] > '9')
			return false;
	return key.len > 0;
}

/* Names begin with the keys that lead to @value. False: it has no name. */
static bool enter_path(struct lines *lines, const struct value *value)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	const char *at = lines->rendering->at;
	struct path_error error;
	struct path path;

	if (!at || !path_parse(&path, &arena, str_from(at), &error))
		return value->type == VALUE_OBJECT;
	for (size_t i = 0; i < path.count; i++) {
		enter(lines, path.items[i],
		      i + 1 == path.count && is_leaf(value));
		if (!lines->unfit && may_be_element(path.items[i]))
			lines->unfit = "left out: a variable cannot name an "
				       "element of a list";
	}
	return path.count || value->type == VALUE_OBJECT;
}

bool render_env(struct rendering *rendering, const struct value *value)
{
	struct lines lines = {.rendering = rendering};

	if (!enter_path(&lines, value)) {
		rendering->refusal = "env is for an object, whose keys become "
				     "names of variables";
		return false;
	}
	if (lines.name.len)
		write_node(&lines, value);
	else
		write_members(&lines, value);
	buf_deinit(&lines.name);
	buf_deinit(&lines.path);
	return true;
}
