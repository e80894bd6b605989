#include "read/key.h"

#include "base/buf.h"
#include "base/mem.h"
#include "read/lexer.h"
#include "read/reading.h"
#include "value/json.h"

static struct str without_quotes(struct str text)
{
	while (text.len && text.ptr[0] == '"')
		text = str_from_offset(text, 1);
	while (text.len && text.ptr[text.len - 1] == '"')
		text.len--;
	return text;
}

static struct str without_spaces(struct str text)
{
	while (text.len && text.ptr[0] == ' ')
		text = str_from_offset(text, 1);
	while (text.len && text.ptr[text.len - 1] == ' ')
		text.len--;
	return text;
}

static bool add_element(struct reading *reading, struct path *path,
			struct str element)
{
	/* The room doubles at powers of two, so no capacity need be kept. */
	size_t count = path->count;

	if (count == READING_PATH_MAX)
		return false;
	if (!(count & (count - 1)))
		path->items = arena_grow(
			reading->arena, path->items, count * sizeof(element),
			(count ? count * 2 : 1) * sizeof(element));
	path->items[path->count++] = element;
	return true;
}

/* Bytes of the element at the start of @text: a quoted one, or a run without
 * special characters; 0: neither. */
static size_t element_size(struct str text)
{
	const char *close;
	size_t size = 0;

	if (text.ptr[0] == '"') {
		close = memchr(text.ptr + 1, '"', text.len - 1);
		if (close && close > text.ptr + 1)
			return (size_t)(close - text.ptr) + 1;
	}
	while (size < text.len && !lexer_is_special(text.ptr[size]))
		size++;
	return size;
}

bool key_is_plain(struct str text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] == '"' || lexer_is_special(text.ptr[i]))
			return false;
	return text.len;
}

bool key_cut(struct reading *reading, struct str text, struct path *path)
{
	struct str element;
	size_t size;

	*path = (struct path){0};
	while (text.len) {
		size = element_size(text);
		element = (struct str){text.ptr, size};
		if (size &&
		    !add_element(reading, path, without_quotes(element)))
			return false;
		text = str_from_offset(text, size ? size : 1);
	}
	return true;
}

static bool fail(struct lexer *lexer, size_t offset, const char *what)
{
	return diag_at(lexer->reading->diag, lexer->source, offset, "%s", what);
}

static bool departs(struct lexer *lexer, const struct key *key)
{
	return reading_departs(lexer->reading, lexer->source, key->offset,
			       "a key with these characters, or in several "
			       "parts");
}

static void set_one(struct key *key, struct str element)
{
	key->few[0] = element;
	key->path = (struct path){key->few, 1};
}

/* What the specification makes of the parts of an element read so far. */
struct spec_key {
	struct lexer *lexer;
	struct key *key;
	struct buf element;
	bool quoted; /* so that it may be empty */
};

/* "..." by JSON's rules. */
static bool spec_quoted(struct spec_key *spec)
{
	struct lexer *lexer = spec->lexer;
	struct str rest = {lexer->text + lexer->at, lexer->len - lexer->at};
	const char *reason;
	size_t used;

	if (!json_read_string(rest, &spec->element, &used, &reason))
		return fail(lexer, lexer->at + used, reason);
	lexer->at += used;
	spec->quoted = true;
	return true;
}

static bool spec_end_element(struct spec_key *spec)
{
	struct reading *reading = spec->lexer->reading;
	struct str element = buf_str(&spec->element);

	if (!spec->quoted)
		element = without_spaces(element);
	else
		while (element.len && element.ptr[element.len - 1] == ' ')
			element.len--;
	if (!element.len && !spec->quoted)
		return fail(spec->lexer, spec->lexer->at,
			    "a part of this key is missing");
	if (!add_element(reading, &spec->key->path,
			 arena_str(reading->arena, element)))
		return fail(spec->lexer, spec->key->offset,
			    "this key has too many parts");
	spec->element.len = 0;
	spec->quoted = false;
	return true;
}

/* One part of a key; *more: there was one. */
static bool spec_part(struct spec_key *spec, bool *more)
{
	struct lexer *lexer = spec->lexer;
	const char *p = lexer->text + lexer->at;
	size_t odd = lexer_odd_space(lexer, lexer->at);
	bool comment = *p == '#' || (*p == '/' && p[1] == '/');

	*more = true;
	if (*p == '"')
		return spec_quoted(spec);
	if (*p == '.') {
		lexer->at++;
		return spec_end_element(spec);
	}
	if (odd || *p == ' ' || *p == '\t') {
		buf_putc(&spec->element, ' ');
		lexer->at += odd ? odd : 1;
	} else if (lexer_is_hocon_key(*p) && !comment) {
		buf_putc(&spec->element, *p);
		lexer->at++;
	} else {
		*more = false;
	}
	return true;
}

/* key := element ('.' element)*; element := (quoted | unquoted)+ */
static bool spec_key(struct lexer *lexer, struct key *key)
{
	struct spec_key spec = {.lexer = lexer, .key = key};
	bool more = true, ok = true;

	lexer->at = key->offset;
	key->path = (struct path){0};
	while (ok && more)
		ok = spec_part(&spec, &more);
	ok = ok && spec_end_element(&spec);
	buf_deinit(&spec.element);
	return ok;
}

/* After a key of ClearML's: what may follow, or the end. */
static bool is_followed(struct lexer *lexer)
{
	char c = lexer_skip(lexer, LEXER_BLANKS);

	return c == '=' || c == ':' || c == '{' || c == '\n' || c == '\r' ||
	       c == '+' || lexer_at_end(lexer);
}

/* "..." alone is an element; with an escaped quote in it, several. */
static bool quoted_key(struct lexer *lexer, struct key *key)
{
	struct lexer_token token = lexer->token;
	struct str text = lexer_text(lexer, token.start, token.end, false);

	key->text = text;
	if (!token.escaped) {
		set_one(key, (struct str){text.ptr + 1, text.len - 2});
		return true;
	}
	if (!key_cut(lexer->reading, text, &key->path))
		return fail(lexer, key->offset, "this key has too many parts");
	return true;
}

static void warn_of_quoted(struct lexer *lexer, const struct key *key)
{
	struct lexer_token token = lexer->token;

	if (token.type != TOKEN_QUOTED)
		return;
	if (lexer->has_tabs &&
	    memchr(lexer->text + token.start, '\t', token.end - token.start))
		reading_warn(lexer->reading, lexer->source, key->offset,
			     "ClearML reads the tab in this key as blanks");
	if (token.escaped)
		reading_warn(lexer->reading, lexer->source, key->offset,
			     "ClearML leaves the escapes in this key as they "
			     "are written");
}

/* ClearML stumbles over a part that is nothing but quotes: `""`, and what is
 * left behind an escaped quote at the end of a key. */
static bool has_empty_part(const struct key *key)
{
	for (size_t i = 0; i < key->path.count; i++)
		if (!key->path.items[i].len)
			return true;
	return false;
}

/* A number that ends the line is a key by its value: 010 is 10. */
static bool number_key(struct lexer *lexer, struct key *key)
{
	struct reading *reading = lexer->reading;
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	struct lexer look = *lexer;
	struct value number;
	enum token_type type;
	struct str literal;

	look.at = key->offset;
	type = lexer_next(&look);
	literal = (struct str){look.text + look.token.start,
			       look.at - look.token.start};
	if (type == TOKEN_INTEGER) {
		value_set_int(&number, reading->arena, literal);
		set_one(key, value_text(&number));
	} else if (type == TOKEN_REAL && value_set_real(&number, literal)) {
		json_write_real(&text, number.real);
		set_one(key, arena_str(reading->arena, buf_str(&text)));
	} else {
		return false;
	}
	lexer->at = look.at;
	key->text = key->few[0];
	return true;
}

/* A word holds no other special character; false when it has more than a few
 * parts. */
static bool cut_at_dots(struct key *key)
{
	const char *at = key->text.ptr, *end = at + key->text.len, *dot;

	key->path = (struct path){key->few, 0};
	for (; at < end; at = dot + 1) {
		dot = memchr(at, '.', (size_t)(end - at));
		dot = dot ? dot : end;
		if (dot == at)
			continue;
		if (key->path.count == KEY_FEW)
			return false;
		key->few[key->path.count++] =
			(struct str){at, (size_t)(dot - at)};
	}
	return true;
}

static bool word_key(struct lexer *lexer, struct key *key)
{
	struct lexer_token token = lexer->token;
	struct str text = lexer_text(lexer, token.start, token.end, false);

	key->text = without_spaces(text);
	if (cut_at_dots(key) || key_cut(lexer->reading, key->text, &key->path))
		return true;
	return fail(lexer, key->offset, "this key has too many parts");
}

static bool may_be_number(const struct lexer *lexer)
{
	char c = lexer->text[lexer->at];

	return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.';
}

bool key_read(struct lexer *lexer, struct key *key)
{
	bool ok;

	/* Its few are not cleared: each field of a text has a key. */
	key->path = (struct path){0};
	key->text = (struct str){0};
	key->offset = lexer->at;
	if (may_be_number(lexer) && number_key(lexer, key))
		return true;
	lexer_key(lexer);
	if (lexer->token.type == TOKEN_FAILED)
		return false;
	ok = lexer->token.type == TOKEN_QUOTED ? quoted_key(lexer, key)
					       : word_key(lexer, key);
	if (!ok)
		return false;
	ok = is_followed(lexer);
	if (!ok && !lexer_is_hocon_key(lexer->text[lexer->at]) &&
	    !strchr("\".", lexer->text[lexer->at]))
		return fail(lexer, lexer->at, "expected a key, '=' or ':'");
	if (!ok || has_empty_part(key))
		return departs(lexer, key) && spec_key(lexer, key);
	if (!key->path.count || !key->text.len)
		return fail(lexer, key->offset, "a key is missing");
	warn_of_quoted(lexer, key);
	return true;
}
