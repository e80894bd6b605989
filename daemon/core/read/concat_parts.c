#include "read/concat_parts.h"

#include <string.h>

#include "base/arena.h"
#include "read/concat.h"
#include "read/hocon.h"
#include "read/key.h"
#include "read/reading.h"
#include "read/subst.h"

struct concat_part *concat_parts_add(struct hocon *hocon,
				     struct concat_parts *parts,
				     enum concat_part_kind kind)
{
	struct concat_part *items;
	size_t cap = parts->cap;

	if (parts->count == cap) {
		items = arena_alloc(hocon->reading->arena,
				    2 * cap * sizeof(*items));
		memcpy(items, parts->items, cap * sizeof(*items));
		parts->items = items;
		parts->cap = 2 * cap;
	}
	parts->items[parts->count] = (struct concat_part){
		.kind = kind,
		.offset = (uint32_t)hocon->lexer.token.start,
	};
	return &parts->items[parts->count++];
}

void concat_parts_init(struct concat_parts *parts)
{
	parts->items = parts->first;
	parts->count = 0;
	parts->cap = PARTS_FIRST;
}

static struct str str_end(struct str text)
{
	return str_from_offset(text, text.len);
}

/* Words that follow each other in the source are one part. */
static bool extend_text(struct concat_parts *parts, struct str text)
{
	struct concat_part *last = parts->items + parts->count - 1;

	if (!parts->count || last->kind != PART_TEXT ||
	    str_end(last->text).ptr != last->blanks.ptr ||
	    str_end(last->blanks).ptr != text.ptr)
		return false;
	last->text.len += last->blanks.len + text.len;
	last->blanks = str_end(last->text);
	return true;
}

/* To the specification `//` begins a comment; a URL, for its colon, is an
 * error. */
static void warn_glued_comment(struct hocon *hocon)
{
	struct lexer_token token = hocon->lexer.token;
	const char *word = hocon->lexer.text + token.start;
	size_t len = token.end - token.start;
	const char *slashes = memmem(word, len, "//", 2);

	if (slashes && !memchr(word, ':', (size_t)(slashes - word)))
		reading_warn(hocon->reading, hocon->lexer.source,
			     token.start + (size_t)(slashes - word),
			     "ClearML reads this // as text, not as the "
			     "beginning of a comment");
}

/* Blanks of the text that goes on at the token. */
static void warn_tab_before(struct hocon *hocon)
{
	size_t at = hocon->lexer.token.start;

	while (at && str_set_has(" \t", hocon->lexer.text[at - 1])) {
		if (hocon->lexer.text[--at] != '\t')
			continue;
		reading_warn(hocon->reading, hocon->lexer.source, at,
			     "ClearML reads this tab as blanks");
		return;
	}
}

static bool is_triple(const struct concat_part *part)
{
	return part->kind == PART_VALUE && !part->text.ptr &&
	       part->value->type == VALUE_STRING;
}

/* What ClearML makes of the blanks between the last part and the token. */
static void warn_between(struct hocon *hocon, const struct concat_parts *parts)
{
	const struct concat_part *last = parts->items + parts->count - 1;
	size_t start = hocon->lexer.token.start;

	if (!parts->count || !start)
		return;
	if (is_triple(last) && str_set_has(" \t", hocon->lexer.text[start - 1]))
		reading_warn(hocon->reading, hocon->lexer.source, start - 1,
			     "ClearML drops the blanks after triple quotes");
	else if (hocon->lexer.has_tabs && last->kind != PART_VALUE)
		warn_tab_before(hocon);
}

/* text := word blanks? */
static bool text_part(struct hocon *hocon, struct concat_parts *parts)
{
	struct lexer_token token = hocon->lexer.token;
	struct str text =
		lexer_text(&hocon->lexer, token.start, token.end, true);
	struct concat_part *part;

	warn_glued_comment(hocon);
	if (!extend_text(parts, text)) {
		part = concat_parts_add(hocon, parts, PART_TEXT);
		part->text = text;
	}
	part = &parts->items[parts->count - 1];
	part->blanks = lexer_blanks(&hocon->lexer);
	return true;
}

/* Escapes of JSON that ClearML leaves as they are. */
static void warn_kept_escapes(struct hocon *hocon)
{
	struct lexer_token token = hocon->lexer.token;

	for (size_t at = token.start; at + 1 < token.end; at++) {
		if (hocon->lexer.text[at] != '\\')
			continue;
		if (str_set_has("/bfu", hocon->lexer.text[++at])) {
			reading_warn(hocon->reading, hocon->lexer.source,
				     at - 1,
				     "ClearML leaves this escape as it is "
				     "written");
			return;
		}
	}
}

/* A tab that is part of a string. */
static void warn_tab(struct hocon *hocon)
{
	struct lexer_token token = hocon->lexer.token;
	const char *tab = memchr(hocon->lexer.text + token.start, '\t',
				 token.end - token.start);

	if (tab)
		reading_warn(hocon->reading, hocon->lexer.source,
			     (size_t)(tab - hocon->lexer.text),
			     "ClearML reads this tab as blanks");
}

/* The whole string is "${NAME}" or "$NAME", which a shell would replace. */
static bool is_shells(struct str text)
{
	if (!str_starts(text, STR("$")))
		return false;
	text = str_from_offset(text, 1);
	if (str_starts(text, STR("{")) && str_ends(text, STR("}")))
		text = (struct str){text.ptr + 1, text.len - 2};
	for (size_t i = 0; i < text.len; i++)
		if (!str_set_has("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
				 text.ptr[i]))
			return false;
	return text.len;
}

/* quoted := '"' ... '"' blanks? */
static bool quoted_part(struct hocon *hocon, struct concat_parts *parts)
{
	struct lexer_token token = hocon->lexer.token;
	struct concat_part *part = concat_parts_add(hocon, parts, PART_QUOTED);

	if (token.escaped)
		warn_kept_escapes(hocon);
	if (hocon->lexer.has_tabs)
		warn_tab(hocon);
	part->text =
		lexer_text(&hocon->lexer, token.start + 1, token.end - 1, true);
	if (is_shells(part->text))
		reading_warn(hocon->reading, hocon->lexer.source, token.start,
			     "in quotes this is text: without them ${NAME} is "
			     "what the variable holds");
	part->blanks = lexer_blanks(&hocon->lexer);
	return true;
}

struct concat_part *concat_parts_add_value(struct hocon *hocon,
					   struct concat_parts *parts,
					   struct value *value)
{
	struct concat_part *part = concat_parts_add(hocon, parts, PART_VALUE);

	part->value = value;
	return part;
}

static void set_string(struct value *value, struct str text)
{
	value->type = VALUE_STRING;
	value->text.ptr = text.ptr;
	value->text.len = (uint32_t)text.len;
}

/* triple := '"""' ... '"""': the blanks after it are lost */
static bool triple_part(struct hocon *hocon, struct concat_parts *parts)
{
	struct lexer_token token = hocon->lexer.token;
	struct value *value = hocon_value(hocon, VALUE_STRING, token.start);

	if (hocon->lexer.has_tabs)
		warn_tab(hocon);
	set_string(value, lexer_text(&hocon->lexer, token.start + 3,
				     token.end - 3, false));
	concat_parts_add_value(hocon, parts, value);
	return true;
}

/* A scalar that is one word; the blanks after it are lost in text. */
static bool scalar_part(struct hocon *hocon, struct concat_parts *parts,
			struct value *value)
{
	struct lexer_token token = hocon->lexer.token;
	struct concat_part *part = concat_parts_add_value(hocon, parts, value);

	part->text = (struct str){hocon->lexer.text + token.start,
				  token.end - token.start};
	part->blanks = lexer_blanks(&hocon->lexer);
	return true;
}

/* Is it .5 or -.5, which are text to the specification? */
static bool is_bare_fraction(struct str literal)
{
	return str_starts(literal, STR(".")) || str_starts(literal, STR("-."));
}

static bool number_part(struct hocon *hocon, struct concat_parts *parts)
{
	struct lexer_token token = hocon->lexer.token;
	struct value *value = hocon_value(hocon, VALUE_INT, token.start);
	struct str literal = {hocon->lexer.text + token.start,
			      token.end - token.start};

	if (is_bare_fraction(literal))
		reading_warn(hocon->reading, hocon->lexer.source, token.start,
			     "ClearML reads a number here, without a digit "
			     "before the point");
	if (token.type == TOKEN_INTEGER) {
		value_set_int(value, hocon->reading->arena, literal);
	} else if (!value_set_real(value, literal)) {
		reading_warn(hocon->reading, hocon->lexer.source, token.start,
			     "too large for a number: its text is taken, where "
			     "ClearML takes infinity");
		set_string(value, literal);
	}
	return scalar_part(hocon, parts, value);
}

static bool word_part(struct hocon *hocon, struct concat_parts *parts)
{
	struct lexer_token token = hocon->lexer.token;
	struct value *value = hocon_value(hocon, VALUE_NULL, token.start);

	if (token.type == TOKEN_NULL && hocon->lists > 1)
		reading_warn(hocon->reading, hocon->lexer.source, token.start,
			     "ClearML makes an internal object of a null in a "
			     "list within a list");
	if (token.type != TOKEN_NULL) {
		value->type = VALUE_BOOL;
		value->boolean = token.type == TOKEN_TRUE;
	}
	return scalar_part(hocon, parts, value);
}

/* The text of a path with one element is that element. */
static bool set_path(struct hocon *hocon, struct subst *subst)
{
	size_t offset = subst->offset;

	if (key_is_plain(subst->text)) {
		subst->path = (struct path){&subst->text, 1};
		return true;
	}
	if (!key_cut(hocon->reading, subst->text, &subst->path))
		return hocon_fail(hocon, offset,
				  "this path has too many parts");
	return subst->path.count ||
	       hocon_fail(hocon, offset, "a path is missing here");
}

/* subst := '${' '?'? path '}' blanks? */
static bool subst_part(struct hocon *hocon, struct concat_parts *parts)
{
	struct lexer_token token = hocon->lexer.token;
	struct concat_part *part = concat_parts_add(hocon, parts, PART_SUBST);
	size_t start = token.start + 2;
	struct subst *subst =
		subst_new(hocon->reading, hocon->source, token.start);

	subst->optional =
		hocon->lexer.text[start] == '?' && start + 2 < token.end;
	subst->text = lexer_text(&hocon->lexer, start + subst->optional,
				 token.end - 1, false);
	subst->scope = hocon->scope;
	subst->secret = hocon_is_secret(hocon);
	part->subst = subst;
	if (!set_path(hocon, subst))
		return false;
	part->blanks = lexer_blanks(&hocon->lexer);
	return true;
}

bool concat_parts_add_token(struct hocon *hocon, struct concat_parts *parts)
{
	static bool (*const add[])(struct hocon *, struct concat_parts *) = {
		[TOKEN_SUBST] = subst_part,    [TOKEN_QUOTED] = quoted_part,
		[TOKEN_TRIPLE] = triple_part,  [TOKEN_TEXT] = text_part,
		[TOKEN_INTEGER] = number_part, [TOKEN_REAL] = number_part,
		[TOKEN_TRUE] = word_part,      [TOKEN_FALSE] = word_part,
		[TOKEN_NULL] = word_part,
	};

	warn_between(hocon, parts);
	return add[hocon->lexer.token.type](hocon, parts);
}

static void on_inner(void *user, struct subst *subst)
{
	(void)user;
	subst->inner = true;
}

static struct value *delayed_of(struct hocon *hocon, struct concat_parts *parts,
				size_t offset)
{
	size_t size = parts->count * sizeof(struct concat_part);
	struct concat_part *items = arena_alloc(hocon->reading->arena, size);

	memcpy(items, parts->items, size);
	for (size_t i = 0; i < parts->count; i++)
		if (items[i].kind == PART_VALUE)
			subst_each(items[i].value, on_inner, NULL);
	return tree_new_delayed(hocon->reading, hocon->source, offset, items,
				parts->count);
}

/* Blanks at the end of a value do not count. */
static void trim_last(struct concat_part *last)
{
	if (last->kind == PART_SUBST)
		return;
	last->blanks = (struct str){0};
	while (last->kind == PART_TEXT && last->text.len &&
	       last->text.ptr[last->text.len - 1] == ' ')
		last->text.len--;
}

/* `1.` alone is 1 to the specification. */
static void warn_of_point(struct hocon *hocon, const struct concat_parts *parts)
{
	struct str text = parts->items[0].text;
	struct value number;

	if (parts->count > 1 || parts->items[0].kind != PART_TEXT ||
	    text.len < 2 || !str_ends(text, STR(".")) ||
	    !value_set_real(&number, (struct str){text.ptr, text.len - 1}))
		return;
	reading_warn(hocon->reading, hocon->lexer.source,
		     parts->items[0].offset,
		     "ClearML reads text here, for want of a digit after the "
		     "point");
}

/* The value that @parts are; one without any is the empty string. */
struct value *concat_parts_value(struct hocon *hocon,
				 struct concat_parts *parts, size_t offset)
{
	struct value place = {.source = (uint16_t)hocon->source};
	struct value *value;

	if (!parts->count) {
		value = hocon_value(hocon, VALUE_STRING, offset);
		set_string(value, STR(""));
		return value;
	}
	offset = parts->items[0].offset;
	trim_last(&parts->items[parts->count - 1]);
	for (size_t i = 0; i < parts->count; i++)
		if (parts->items[i].kind == PART_SUBST)
			return delayed_of(hocon, parts, offset);
	place.offset = (uint32_t)offset;
	warn_of_point(hocon, parts);
	return concat(hocon->reading, parts->items, parts->count, &place);
}
