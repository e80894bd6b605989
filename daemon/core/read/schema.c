#include "read/schema.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "value/json_string.h"
#include "value/value.h"

static const struct schema_key keys[] = {
#include "clearml_keys.h"
};

static struct str path_at(const void *list, size_t i)
{
	return str_from(((const struct schema_key *)list)[i].path);
}

/* The first key that is not before @path. */
static const struct schema_key *lower_bound(struct str path)
{
	return keys + str_place(path, keys, ARRAY_SIZE(keys), path_at);
}

const struct schema_key *schema_find(struct str path)
{
	const struct schema_key *key = lower_bound(path);

	return key < keys + ARRAY_SIZE(keys) && str_is(path, key->path) ? key
									: NULL;
}

static bool is_below(const char *key, struct str path)
{
	return !path.len ||
	       (str_starts(str_from(key), path) && key[path.len] == '.');
}

const struct schema_key *schema_child(struct str path,
				      const struct schema_key *after)
{
	const struct schema_key *key = after ? after + 1 : lower_bound(path);
	size_t start = path.len ? path.len + 1 : 0;

	for (; key < keys + ARRAY_SIZE(keys); key++) {
		if (!str_starts(str_from(key->path), path))
			break;
		if (is_below(key->path, path) &&
		    !strchr(key->path + start, '.'))
			return key;
	}
	return NULL;
}

struct str schema_name(const struct schema_key *key)
{
	const char *dot = strrchr(key->path, '.');

	return str_from(dot ? dot + 1 : key->path);
}

/* --- types ---------------------------------------------------------------- */

/* One alternative of a type: name(inside) or name<inside>. */
struct alternative {
	const struct type *type;
	struct str inside;
};

struct type {
	const char *name;
	bool (*accepts)(struct str inside, const struct value *value);
	const char *one, *many; /* for people */
	const char *json; /* alternatives of a JSON Schema; %s: what @inside or
			   * the keys below say */
};

static bool is_any(struct str inside, const struct value *value)
{
	(void)inside;
	(void)value;
	return true;
}

/* Python takes every text but the empty one as true, "false" as well. */
static bool is_boolean(struct str inside, const struct value *value)
{
	bool truth;

	(void)inside;
	if (value->type == VALUE_INT)
		return str_is(value_text(value), "0") ||
		       str_is(value_text(value), "1");
	if (value->type == VALUE_STRING)
		return str_to_bool(value_text(value), &truth) && truth;
	return value->type == VALUE_BOOL;
}

static bool is_text(struct str inside, const struct value *value)
{
	(void)inside;
	return value->type == VALUE_STRING;
}

/* Its number, if it is one or its text says one. */
static bool to_number(const struct value *value, double *number)
{
	struct value read = {0};

	if (value->type == VALUE_REAL) {
		*number = value->real;
		return true;
	}
	if ((value->type != VALUE_INT && value->type != VALUE_STRING) ||
	    !value_set_real(&read, str_trim(value_text(value))))
		return false;
	*number = read.real;
	return true;
}

struct bounds {
	struct str least, most; /* empty: none */
};

/* LEAST..MOST; empty: there are none. */
static struct bounds bounds_of(struct str inside)
{
	const char *dots =
		inside.len ? memmem(inside.ptr, inside.len, "..", 2) : NULL;
	struct bounds bounds = {0};

	if (!dots)
		return bounds;
	bounds.least = (struct str){inside.ptr, (size_t)(dots - inside.ptr)};
	bounds.most = str_from_offset(inside, bounds.least.len + 2);
	return bounds;
}

/* Bounds are whole numbers; each ends where no digit follows. */
static bool is_within(struct str inside, double number)
{
	struct bounds bounds = bounds_of(inside);

	return (!bounds.least.len ||
		number >= (double)strtoll(bounds.least.ptr, NULL, 10)) &&
	       (!bounds.most.len ||
		number <= (double)strtoll(bounds.most.ptr, NULL, 10));
}

static bool is_number(struct str bounds, const struct value *value)
{
	double number;

	return to_number(value, &number) && is_within(bounds, number);
}

static bool is_integer(struct str bounds, const struct value *value)
{
	double number;

	return to_number(value, &number) && is_within(bounds, number) &&
	       number >= -1e15 && number <= 1e15 &&
	       number == (double)(long long)number;
}

static bool is_url(struct str inside, const struct value *value)
{
	static const char end[] = "://";
	struct str text;

	(void)inside;
	if (value->type != VALUE_STRING)
		return false;
	text = str_trim(value_text(value));
	return memmem(text.ptr, text.len, end, sizeof(end) - 1) != NULL;
}

/* Digits and a unit, or a number of bytes. */
static bool is_size(struct str inside, const struct value *value)
{
	struct str text;
	size_t digits = 0;

	if (is_integer(inside, value))
		return true;
	if (value->type != VALUE_STRING)
		return false;
	text = str_trim(value_text(value));
	while (digits < text.len &&
	       str_set_has("0123456789.", text.ptr[digits]))
		digits++;
	text = str_trim(str_from_offset(text, digits));
	return digits && text.len <= 3 && text.len &&
	       str_set_has("kKmMgGtTpPbB", text.ptr[0]);
}

static bool is_one_of(struct str words, const struct value *value)
{
	struct str word = words;

	if (value->type != VALUE_STRING)
		return false;
	while (words.len) {
		const char *comma = memchr(words.ptr, ',', words.len);

		word.ptr = words.ptr;
		word.len = comma ? (size_t)(comma - words.ptr) : words.len;
		if (str_equal_nocase(word, str_trim(value_text(value))))
			return true;
		words = str_from_offset(words, word.len + 1);
	}
	return false;
}

/* Python's logging takes names and numbers. */
static bool is_level(struct str inside, const struct value *value)
{
	(void)inside;
	return is_number((struct str){0}, value) ||
	       is_one_of(STR("NOTSET,DEBUG,INFO,WARN,WARNING,ERROR,CRITICAL,"
			     "FATAL"),
			 value);
}

static bool is_object(struct str inside, const struct value *value)
{
	(void)inside;
	return value->type == VALUE_OBJECT;
}

static bool is_accepted(struct str type, const struct value *value);

static bool is_list(struct str inside, const struct value *value)
{
	if (value->type != VALUE_LIST)
		return false;
	for (uint32_t i = 0; i < value->list.count; i++)
		if (!is_accepted(inside, value->list.items[i]))
			return false;
	return true;
}

#define JSON_DIGITS ",{\"type\":\"string\",\"pattern\":\"^[0-9.+-]+$\"}"

static const struct type types[] = {
	{"any", is_any, "anything", "", "true"},
	{"boolean", is_boolean, "true or false", "booleans",
	 "{\"type\":\"boolean\"},{\"enum\":[0,1]},{\"type\":\"string\","
	 "\"pattern\":\"^([Yy]|[Yy][Ee][Ss]|[Tt]|[Tt][Rr][Uu][Ee]|[Oo][Nn]|1)$"
	 "\"}"},
	{"integer", is_integer, "a whole number", "whole numbers",
	 "{\"type\":\"integer\"%s}" JSON_DIGITS},
	{"number", is_number, "a number", "numbers",
	 "{\"type\":\"number\"%s}" JSON_DIGITS},
	{"string", is_text, "text", "texts", "{\"type\":\"string\"}"},
	{"path", is_text, "a path", "paths", "{\"type\":\"string\"}"},
	{"url", is_url, "a URL, which begins with a scheme such as https://",
	 "URLs", "{\"type\":\"string\",\"pattern\":\"://\"}"},
	{"size", is_size, "a size such as 10GB", "sizes",
	 "{\"type\":\"integer\"},{\"type\":\"string\",\"pattern\":"
	 "\"^[0-9.]+ *[kKmMgGtTpPbB]?[iI]?[bB]?$\"}"},
	{"level", is_level, "a level of logging such as INFO", "levels",
	 "{\"type\":\"integer\"},{\"enum\":[\"NOTSET\",\"DEBUG\","
	 "\"INFO\",\"WARN\",\"WARNING\",\"ERROR\",\"CRITICAL\","
	 "\"FATAL\"]}"},
	{"one", is_one_of, "one of ", "", "{\"enum\":[%s]}"},
	{"list", is_list, "a list of ", "lists",
	 "{\"type\":\"array\",\"items\":%s}"},
	{"object", is_object, "a section", "sections",
	 "{\"type\":\"object\"%s}"},
};

/* Take the first alternative off @type. */
static struct alternative next_alternative(struct str *type)
{
	const char *bar = memchr(type->ptr, '|', type->len);
	struct str text = {type->ptr,
			   bar ? (size_t)(bar - type->ptr) : type->len};
	size_t name = 0;
	struct alternative found = {&types[0], {NULL, 0}};

	*type = str_from_offset(*type, text.len + 1);
	while (name < text.len && text.ptr[name] != '(' &&
	       text.ptr[name] != '<')
		name++;
	if (name < text.len)
		found.inside =
			(struct str){text.ptr + name + 1, text.len - name - 2};
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (str_is((struct str){text.ptr, name}, types[i].name))
			found.type = &types[i];
	return found;
}

static bool is_unset(const struct value *value)
{
	return value->type == VALUE_NULL || (value->type == VALUE_STRING &&
					     !str_trim(value_text(value)).len);
}

/* Would Python take it as the contrary of what it says? */
static bool is_false_as_text(const struct value *value)
{
	bool truth;

	return value->type == VALUE_STRING &&
	       str_to_bool(value_text(value), &truth) && !truth &&
	       !str_is(value_text(value), "0");
}

static bool is_accepted(struct str type, const struct value *value)
{
	struct alternative alternative;

	if (is_unset(value))
		return true;
	while (type.len) {
		alternative = next_alternative(&type);
		if (alternative.type->accepts == is_boolean &&
		    is_false_as_text(value))
			return false;
		if (alternative.type->accepts(alternative.inside, value))
			return true;
	}
	return false;
}

bool schema_accepts(const struct schema_key *key, const struct value *value)
{
	return is_accepted(str_from(key->type), value);
}

static void add_words(struct str words, struct buf *text)
{
	for (size_t i = 0; i < words.len; i++) {
		buf_putc(text, words.ptr[i]);
		if (words.ptr[i] == ',')
			buf_putc(text, ' ');
	}
}

static void add_bounds(struct str inside, struct buf *text)
{
	struct bounds bounds = bounds_of(inside);

	buf_printf(text, ", at least %.*s", STR_PRINT(bounds.least));
	if (bounds.most.len)
		buf_printf(text, " and at most %.*s", STR_PRINT(bounds.most));
}

void schema_add_wanted(const struct schema_key *key, struct buf *text)
{
	struct str type = str_from(key->type), inside;
	struct alternative alternative;

	for (const char *between = ""; type.len; between = " or ") {
		alternative = next_alternative(&type);
		inside = alternative.inside;
		buf_printf(text, "%s%s", between, alternative.type->one);
		if (alternative.type->accepts == is_one_of)
			add_words(inside, text);
		else if (alternative.type->accepts == is_list)
			buf_puts(text, next_alternative(&inside).type->many);
		else if (inside.len)
			add_bounds(inside, text);
	}
}

/* --- JSON Schema ---------------------------------------------------------- */

static void add_type(struct buf *json, struct str type, struct str path);

static void add_properties(struct buf *json, struct str path)
{
	const struct schema_key *key = schema_child(path, NULL);
	const char *between = "";

	if (!key)
		return;
	buf_puts(json, ",\"properties\":{");
	for (; key; key = schema_child(path, key), between = ",") {
		buf_puts(json, between);
		json_write_string(json, schema_name(key));
		buf_putc(json, ':');
		add_type(json, str_from(key->type), str_from(key->path));
		json->len--; /* the closing brace, for what else is known */
		if (*key->versions) {
			buf_puts(json, ",\"$comment\":");
			json_write_string(json, str_from(key->versions));
		}
		buf_putc(json, '}');
	}
	buf_putc(json, '}');
}

static void add_words_of(struct buf *json, struct str words)
{
	buf_putc(json, '"');
	for (size_t i = 0; i < words.len; i++) {
		if (words.ptr[i] == ',')
			buf_puts(json, "\",\"");
		else
			buf_putc(json, words.ptr[i]);
	}
	buf_putc(json, '"');
}

static void add_limits(struct buf *json, struct str inside)
{
	struct bounds bounds = bounds_of(inside);

	if (bounds.least.len)
		buf_printf(json, ",\"minimum\":%.*s", STR_PRINT(bounds.least));
	if (bounds.most.len)
		buf_printf(json, ",\"maximum\":%.*s", STR_PRINT(bounds.most));
}

/* What stands in place of %s in the type's schema. */
static void add_inside(struct buf *json, const struct alternative *alternative,
		       struct str path)
{
	_cleanup_(buf_deinit) struct buf element = BUF_INIT;

	if (alternative->type->accepts == is_one_of) {
		add_words_of(json, alternative->inside);
	} else if (alternative->type->accepts == is_list) {
		buf_printf(&element, "%.*s.[]", STR_PRINT(path));
		add_type(json, alternative->inside, buf_str(&element));
	} else if (alternative->type->accepts == is_object) {
		add_properties(json, path);
	} else {
		add_limits(json, alternative->inside);
	}
}

/* {"anyOf": [...]}: nothing set, or one of the alternatives. */
static void add_type(struct buf *json, struct str type, struct str path)
{
	struct alternative alternative;
	const char *place;

	buf_puts(json, "{\"anyOf\":[{\"enum\":[null,\"\"]}");
	while (type.len) {
		alternative = next_alternative(&type);
		place = strstr(alternative.type->json, "%s");
		buf_putc(json, ',');
		if (!place) {
			buf_puts(json, alternative.type->json);
			continue;
		}
		buf_add(json, alternative.type->json,
			(size_t)(place - alternative.type->json));
		add_inside(json, &alternative, path);
		buf_puts(json, place + 2);
	}
	buf_puts(json, "]}");
}

void schema_add_json(struct buf *json)
{
	buf_puts(json, "{\"$schema\":"
		       "\"https://json-schema.org/draft/2020-12/schema\","
		       "\"title\":\"ClearML configuration\","
		       "\"type\":\"object\"");
	add_properties(json, (struct str){"", 0});
	buf_puts(json, "}\n");
}
