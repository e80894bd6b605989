#include "read/json.h"

#include "base/buf.h"
#include "base/mem.h"
#include "read/reading.h"
#include "value/json_string.h"

struct json {
	struct reading *reading;
	struct source *source;
	const char *text; /* a NUL follows the end */
	size_t at, len;
};

static bool fail(struct json *json, const char *what)
{
	return diag_at(json->reading->diag, json->source, json->at, "%s", what);
}

static void warn(struct json *json, size_t offset, const char *what)
{
	reading_warn(json->reading, json->source, offset, what);
}

static struct value *add_value(struct json *json, enum value_type type)
{
	return reading_value(json->reading, type, 0, json->at);
}

static char skip_space(struct json *json)
{
	const char *p = json->text + json->at;

	while (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')
		p++;
	json->at = (size_t)(p - json->text);
	return *p;
}

/* Bytes that a string may hold as they are. */
static bool is_plain(char c)
{
	return c != '"' && c != '\\' && (unsigned char)c >= ' ';
}

static bool has_unclearml_escape(struct str text)
{
	for (size_t i = 0; i + 1 < text.len; i++)
		if (text.ptr[i] == '\\' &&
		    !str_set_has("\\\"nrt", text.ptr[++i]))
			return true;
	return false;
}

/* A string with escapes: decoded into the arena. */
static bool escaped_string(struct json *json, struct str *string)
{
	_cleanup_(buf_deinit) struct buf decoded = BUF_INIT;
	struct str rest = {json->text + json->at, json->len - json->at};
	const char *reason;
	size_t used;

	if (!json_read_string(rest, &decoded, &used, &reason)) {
		json->at += used;
		return fail(json, reason);
	}
	if (has_unclearml_escape((struct str){rest.ptr, used}))
		warn(json, json->at,
		     "ClearML reads this as HOCON, and some of the escapes in "
		     "this string stay as they are written");
	*string = arena_str(json->reading->arena, buf_str(&decoded));
	json->at += used;
	return true;
}

/* string := '"' (character | escape)* '"' */
static bool read_string(struct json *json, struct str *string)
{
	size_t start = json->at + 1, end = start;

	while (is_plain(json->text[end]))
		end++;
	if (json->text[end] != '"')
		return escaped_string(json, string);
	*string = (struct str){json->text + start, end - start};
	json->at = end + 1;
	return true;
}

static size_t digits(const char *text)
{
	size_t n = 0;

	while (text[n] >= '0' && text[n] <= '9')
		n++;
	return n;
}

/* Bytes of the fraction and exponent at @p; 0: none, or not well-formed. */
static size_t fraction(const char *p)
{
	const char *start = p;
	size_t n;

	if (*p == '.') {
		n = digits(p + 1);
		p += n ? n + 1 : 0;
	}
	if (*p == 'e' || *p == 'E') {
		n = digits(p + 1 + (p[1] == '+' || p[1] == '-'));
		if (n)
			p += n + 1 + (p[1] == '+' || p[1] == '-');
	}
	return (size_t)(p - start);
}

/* number := '-'? ('0' | [1-9][0-9]*) ('.' [0-9]+)? ([eE] [+-]? [0-9]+)? */
static struct value *number(struct json *json)
{
	const char *start = json->text + json->at, *p = start + (*start == '-');
	size_t whole = *p == '0' ? 1 : digits(p), rest;
	struct value *value = add_value(json, VALUE_INT);
	struct str literal;

	rest = whole ? fraction(p + whole) : 0;
	p += whole + rest;
	if (!whole || digits(p) || *p == '.' || *p == 'e' || *p == 'E') {
		fail(json, "this is not a number of JSON's");
		return NULL;
	}
	literal = (struct str){start, (size_t)(p - start)};
	if (!rest) {
		value_set_int(value, json->reading->arena, literal);
	} else if (!value_set_real(value, literal)) {
		warn(json, json->at,
		     "too large for a number: its text is taken");
		value->type = VALUE_STRING;
		value->text.ptr = literal.ptr;
		value->text.len = (uint32_t)literal.len;
	}
	json->at += literal.len;
	return value;
}

static struct value *word(struct json *json)
{
	static const struct {
		struct str word;
		enum value_type type;
		bool boolean;
	} words[] = {
		{STR("null"), VALUE_NULL, false},
		{STR("true"), VALUE_BOOL, true},
		{STR("false"), VALUE_BOOL, false},
	};
	struct str rest = {json->text + json->at, json->len - json->at};
	struct value *value;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!str_starts(rest, words[i].word))
			continue;
		value = add_value(json, words[i].type);
		if (value->type == VALUE_BOOL)
			value->boolean = words[i].boolean;
		json->at += words[i].word.len;
		return value;
	}
	fail(json, json->at == json->len ? "the text ends where a value should "
					   "be"
					 : "expected a value");
	return NULL;
}

static struct value *read_value(struct json *json);

enum after { AFTER_COMMA, AFTER_CLOSE, AFTER_FAILED };

/* Consume what follows a member or an element. */
static enum after after_item(struct json *json, char close, size_t open)
{
	char c = skip_space(json);

	if (c == ',' || c == close) {
		json->at++;
		return c == ',' ? AFTER_COMMA : AFTER_CLOSE;
	}
	diag_at(json->reading->diag, json->source, json->at,
		"expected ',' or '%c' (to close '%c' at line %u)", close,
		json->text[open], source_pos(json->source, open).line);
	return AFTER_FAILED;
}

/* member := string ':' value */
static bool member(struct json *json, struct value *object)
{
	size_t start;
	struct value **slot, *value;
	struct str key;

	if (skip_space(json) != '"')
		return fail(json, "expected a key in quotes");
	start = json->at;
	if (!read_string(json, &key))
		return false;
	if (skip_space(json) != ':')
		return fail(json, "expected ':' after the key");
	json->at++;
	value = read_value(json);
	if (!value)
		return false;
	slot = value_object_slot(object, json->reading->arena, key);
	if (*slot)
		warn(json, start, "this key was given before: the last holds");
	*slot = value;
	return true;
}

/* object := '{' (member (',' member)*)? '}' */
static bool members(struct json *json, struct value *object)
{
	size_t open = json->at++;
	enum after after;

	if (skip_space(json) == '}') {
		json->at++;
		return true;
	}
	do {
		if (!member(json, object))
			return false;
		after = after_item(json, '}', open);
	} while (after == AFTER_COMMA);
	return after == AFTER_CLOSE;
}

static bool element(struct json *json, struct value *list)
{
	struct value *value = read_value(json);

	if (!value)
		return false;
	if (value->type == VALUE_STRING && !value->text.len)
		warn(json, value->offset,
		     "ClearML drops empty strings from lists");
	value_list_add(list, json->reading->arena, value);
	return true;
}

/* list := '[' (value (',' value)*)? ']' */
static bool elements(struct json *json, struct value *list)
{
	size_t open = json->at++;
	enum after after;

	if (skip_space(json) == ']') {
		json->at++;
		return true;
	}
	do {
		if (!element(json, list))
			return false;
		after = after_item(json, ']', open);
	} while (after == AFTER_COMMA);
	return after == AFTER_CLOSE;
}

static struct value *nested(struct json *json, enum value_type type)
{
	struct value *value = add_value(json, type);
	bool ok = reading_enter(json->reading, json->source, json->at) &&
		  (type == VALUE_LIST ? elements(json, value)
				      : members(json, value));

	reading_leave(json->reading);
	return ok ? value : NULL;
}

static struct value *string(struct json *json)
{
	struct value *value = add_value(json, VALUE_STRING);
	struct str text = {0};

	if (!read_string(json, &text))
		return NULL;
	value->text.ptr = text.ptr;
	value->text.len = (uint32_t)text.len;
	return value;
}

/* value := object | list | string | number | true | false | null */
static struct value *read_value(struct json *json)
{
	char c = skip_space(json);

	if (!reading_has_room(json->reading, json->source, json->at))
		return NULL;
	if (c == '"')
		return string(json);
	if (c == '{')
		return nested(json, VALUE_OBJECT);
	if (c == '[')
		return nested(json, VALUE_LIST);
	if (c == '-' || (c >= '0' && c <= '9'))
		return number(json);
	return word(json);
}

bool json_read(struct reading *reading)
{
	struct source *source = reading->doc->sources[0];
	struct json json = {
		.reading = reading,
		.source = source,
		.text = source->text.ptr,
		.len = source->text.len,
	};

	reading->doc->root = read_value(&json);
	if (!reading->doc->root)
		return false;
	(void)skip_space(&json);
	if (json.at != json.len)
		return fail(&json, "expected nothing after the value");
	return true;
}
