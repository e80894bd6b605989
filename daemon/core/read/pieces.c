#include "read/pieces.h"

#include <string.h>

#include "base/arena.h"
#include "read/concat.h"
#include "read/hocon.h"
#include "read/key.h"
#include "read/reading.h"
#include "read/subst.h"

struct piece *pieces_add(struct hocon *hocon, struct pieces *pieces,
			 enum piece_kind kind)
{
	struct piece *items;
	size_t cap = pieces->cap;

	if (pieces->count == cap) {
		items = arena_alloc(hocon->reading->arena,
				    2 * cap * sizeof(*items));
		memcpy(items, pieces->items, cap * sizeof(*items));
		pieces->items = items;
		pieces->cap = 2 * cap;
	}
	pieces->items[pieces->count] = (struct piece){
		.kind = kind,
		.offset = (uint32_t)hocon->lexer.token.start,
	};
	return &pieces->items[pieces->count++];
}

void pieces_init(struct pieces *pieces)
{
	pieces->items = pieces->first;
	pieces->count = 0;
	pieces->cap = PIECES_FIRST;
}

static struct str str_end(struct str text)
{
	return str_from_offset(text, text.len);
}

/* Words that follow each other in the source are one piece. */
static bool extend_text(struct pieces *pieces, struct str text)
{
	struct piece *last = pieces->items + pieces->count - 1;

	if (!pieces->count || last->kind != PIECE_TEXT ||
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
	struct token token = hocon->lexer.token;
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

	while (at && strchr(" \t", hocon->lexer.text[at - 1])) {
		if (hocon->lexer.text[--at] != '\t')
			continue;
		reading_warn(hocon->reading, hocon->lexer.source, at,
			     "ClearML reads this tab as blanks");
		return;
	}
}

static bool is_triple(const struct piece *piece)
{
	return piece->kind == PIECE_VALUE && !piece->text.ptr &&
	       piece->value->type == VALUE_STRING;
}

/* What ClearML makes of the blanks between the last piece and the token. */
static void warn_between(struct hocon *hocon, const struct pieces *pieces)
{
	const struct piece *last = pieces->items + pieces->count - 1;
	size_t start = hocon->lexer.token.start;

	if (!pieces->count || !start)
		return;
	if (is_triple(last) && strchr(" \t", hocon->lexer.text[start - 1]))
		reading_warn(hocon->reading, hocon->lexer.source, start - 1,
			     "ClearML drops the blanks after triple quotes");
	else if (hocon->lexer.has_tabs && last->kind != PIECE_VALUE)
		warn_tab_before(hocon);
}

/* text := word blanks? */
static bool text_piece(struct hocon *hocon, struct pieces *pieces)
{
	struct token token = hocon->lexer.token;
	struct str text =
		lexer_text(&hocon->lexer, token.start, token.end, true);
	struct piece *piece;

	warn_glued_comment(hocon);
	if (!extend_text(pieces, text)) {
		piece = pieces_add(hocon, pieces, PIECE_TEXT);
		piece->text = text;
	}
	piece = &pieces->items[pieces->count - 1];
	piece->blanks = lexer_blanks(&hocon->lexer);
	return true;
}

/* Escapes of JSON that ClearML leaves as they are. */
static void warn_kept_escapes(struct hocon *hocon)
{
	struct token token = hocon->lexer.token;

	for (size_t at = token.start; at + 1 < token.end; at++) {
		if (hocon->lexer.text[at] != '\\')
			continue;
		if (strchr("/bfu", hocon->lexer.text[++at])) {
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
	struct token token = hocon->lexer.token;
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
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
			    text.ptr[i]))
			return false;
	return text.len;
}

/* quoted := '"' ... '"' blanks? */
static bool quoted_piece(struct hocon *hocon, struct pieces *pieces)
{
	struct token token = hocon->lexer.token;
	struct piece *piece = pieces_add(hocon, pieces, PIECE_QUOTED);

	if (token.escaped)
		warn_kept_escapes(hocon);
	if (hocon->lexer.has_tabs)
		warn_tab(hocon);
	piece->text =
		lexer_text(&hocon->lexer, token.start + 1, token.end - 1, true);
	if (is_shells(piece->text))
		reading_warn(hocon->reading, hocon->lexer.source, token.start,
			     "in quotes this is text: without them ${NAME} is "
			     "what the variable holds");
	piece->blanks = lexer_blanks(&hocon->lexer);
	return true;
}

struct piece *pieces_add_value(struct hocon *hocon, struct pieces *pieces,
			       struct value *value)
{
	struct piece *piece = pieces_add(hocon, pieces, PIECE_VALUE);

	piece->value = value;
	return piece;
}

static void set_string(struct value *value, struct str text)
{
	value->type = VALUE_STRING;
	value->text.ptr = text.ptr;
	value->text.len = (uint32_t)text.len;
}

/* triple := '"""' ... '"""': the blanks after it are lost */
static bool triple_piece(struct hocon *hocon, struct pieces *pieces)
{
	struct token token = hocon->lexer.token;
	struct value *value = hocon_value(hocon, VALUE_STRING, token.start);

	if (hocon->lexer.has_tabs)
		warn_tab(hocon);
	set_string(value, lexer_text(&hocon->lexer, token.start + 3,
				     token.end - 3, false));
	pieces_add_value(hocon, pieces, value);
	return true;
}

/* A scalar that is one word; the blanks after it are lost in text. */
static bool scalar_piece(struct hocon *hocon, struct pieces *pieces,
			 struct value *value)
{
	struct token token = hocon->lexer.token;
	struct piece *piece = pieces_add_value(hocon, pieces, value);

	piece->text = (struct str){hocon->lexer.text + token.start,
				   token.end - token.start};
	piece->blanks = lexer_blanks(&hocon->lexer);
	return true;
}

/* .5 and -.5, which are text to the specification. */
static bool is_bare_fraction(struct str literal)
{
	return str_starts(literal, STR(".")) || str_starts(literal, STR("-."));
}

static bool number_piece(struct hocon *hocon, struct pieces *pieces)
{
	struct token token = hocon->lexer.token;
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
	return scalar_piece(hocon, pieces, value);
}

static bool word_piece(struct hocon *hocon, struct pieces *pieces)
{
	struct token token = hocon->lexer.token;
	struct value *value = hocon_value(hocon, VALUE_NULL, token.start);

	if (token.type == TOKEN_NULL && hocon->lists > 1)
		reading_warn(hocon->reading, hocon->lexer.source, token.start,
			     "ClearML makes an internal object of a null in a "
			     "list within a list");
	if (token.type != TOKEN_NULL) {
		value->type = VALUE_BOOL;
		value->boolean = token.type == TOKEN_TRUE;
	}
	return scalar_piece(hocon, pieces, value);
}

/* A path of one element is its own text. */
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
static bool subst_piece(struct hocon *hocon, struct pieces *pieces)
{
	struct token token = hocon->lexer.token;
	struct piece *piece = pieces_add(hocon, pieces, PIECE_SUBST);
	size_t start = token.start + 2;
	struct subst *subst =
		subst_new(hocon->reading, hocon->source, token.start);

	subst->optional =
		hocon->lexer.text[start] == '?' && start + 2 < token.end;
	subst->text = lexer_text(&hocon->lexer, start + subst->optional,
				 token.end - 1, false);
	subst->scope = hocon->scope;
	subst->secret = hocon_is_secret(hocon);
	piece->subst = subst;
	if (!set_path(hocon, subst))
		return false;
	piece->blanks = lexer_blanks(&hocon->lexer);
	return true;
}

bool pieces_add_token(struct hocon *hocon, struct pieces *pieces)
{
	static bool (*const add[])(struct hocon *, struct pieces *) = {
		[TOKEN_SUBST] = subst_piece,    [TOKEN_QUOTED] = quoted_piece,
		[TOKEN_TRIPLE] = triple_piece,  [TOKEN_TEXT] = text_piece,
		[TOKEN_INTEGER] = number_piece, [TOKEN_REAL] = number_piece,
		[TOKEN_TRUE] = word_piece,      [TOKEN_FALSE] = word_piece,
		[TOKEN_NULL] = word_piece,
	};

	warn_between(hocon, pieces);
	return add[hocon->lexer.token.type](hocon, pieces);
}

static void on_inner(void *user, struct subst *subst)
{
	(void)user;
	subst->inner = true;
}

static struct value *delayed_of(struct hocon *hocon, struct pieces *pieces,
				size_t offset)
{
	size_t size = pieces->count * sizeof(struct piece);
	struct piece *items = arena_alloc(hocon->reading->arena, size);

	memcpy(items, pieces->items, size);
	for (size_t i = 0; i < pieces->count; i++)
		if (items[i].kind == PIECE_VALUE)
			subst_each(items[i].value, on_inner, NULL);
	return tree_new_delayed(hocon->reading, hocon->source, offset, items,
				pieces->count);
}

/* Blanks at the end of a value do not count. */
static void trim_last(struct piece *last)
{
	if (last->kind == PIECE_SUBST)
		return;
	last->blanks = (struct str){0};
	while (last->kind == PIECE_TEXT && last->text.len &&
	       last->text.ptr[last->text.len - 1] == ' ')
		last->text.len--;
}

/* `1.` alone is 1 to the specification. */
static void warn_of_point(struct hocon *hocon, const struct pieces *pieces)
{
	struct str text = pieces->items[0].text;
	struct value number;

	if (pieces->count > 1 || pieces->items[0].kind != PIECE_TEXT ||
	    text.len < 2 || !str_ends(text, STR(".")) ||
	    !value_set_real(&number, (struct str){text.ptr, text.len - 1}))
		return;
	reading_warn(hocon->reading, hocon->lexer.source,
		     pieces->items[0].offset,
		     "ClearML reads text here, for want of a digit after the "
		     "point");
}

/* The value that @pieces are; one without any is the empty string. */
struct value *pieces_value(struct hocon *hocon, struct pieces *pieces,
			   size_t offset)
{
	struct value place = {.source = (uint16_t)hocon->source};
	struct value *value;

	if (!pieces->count) {
		value = hocon_value(hocon, VALUE_STRING, offset);
		set_string(value, STR(""));
		return value;
	}
	offset = pieces->items[0].offset;
	trim_last(&pieces->items[pieces->count - 1]);
	for (size_t i = 0; i < pieces->count; i++)
		if (pieces->items[i].kind == PIECE_SUBST)
			return delayed_of(hocon, pieces, offset);
	place.offset = (uint32_t)offset;
	warn_of_point(hocon, pieces);
	return concat(hocon->reading, pieces->items, pieces->count, &place);
}
