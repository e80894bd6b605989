#include "read/hocon.h"

#include "base/arena.h"
#include "base/mem.h"
#include "read/concat.h"
#include "read/include.h"
#include "read/key.h"
#include "read/reading.h"
#include "read/resolve.h"
#include "read/subst.h"
#include "read/tree.h"

#define PIECES_FIRST 4

/* The pieces of the value being read. */
struct pieces {
	struct piece *items;
	size_t count, cap;
	struct piece first[PIECES_FIRST]; /* enough for most */
};

static struct value *value_of(struct hocon *hocon, struct pieces *pieces,
			      size_t offset);
static bool read_pieces(struct hocon *hocon, struct pieces *pieces);
static bool fields(struct hocon *hocon, struct value *object);

static bool fail(struct hocon *hocon, size_t offset, const char *what)
{
	return diag_at(hocon->reading->diag, hocon->lexer.source, offset, "%s",
		       what);
}

static struct value *new_value(struct hocon *hocon, enum value_type type,
			       size_t offset)
{
	return reading_value(hocon->reading, type, hocon->source, offset);
}

static struct piece *add_piece(struct hocon *hocon, struct pieces *pieces,
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

static void pieces_init(struct pieces *pieces)
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

/* text := word blanks? */
static bool text_piece(struct hocon *hocon, struct pieces *pieces)
{
	struct token token = hocon->lexer.token;
	struct str text =
		lexer_text(&hocon->lexer, token.start, token.end, true);
	struct piece *piece;

	if (!extend_text(pieces, text)) {
		piece = add_piece(hocon, pieces, PIECE_TEXT);
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

/* quoted := '"' ... '"' blanks? */
static bool quoted_piece(struct hocon *hocon, struct pieces *pieces)
{
	struct token token = hocon->lexer.token;
	struct piece *piece = add_piece(hocon, pieces, PIECE_QUOTED);

	if (token.escaped)
		warn_kept_escapes(hocon);
	piece->text =
		lexer_text(&hocon->lexer, token.start + 1, token.end - 1, true);
	piece->blanks = lexer_blanks(&hocon->lexer);
	return true;
}

static struct piece *value_piece(struct hocon *hocon, struct pieces *pieces,
				 struct value *value)
{
	struct piece *piece = add_piece(hocon, pieces, PIECE_VALUE);

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
	struct value *value = new_value(hocon, VALUE_STRING, token.start);

	set_string(value, lexer_text(&hocon->lexer, token.start + 3,
				     token.end - 3, false));
	value_piece(hocon, pieces, value);
	return true;
}

/* A scalar that is one word; the blanks after it are lost in text. */
static bool scalar_piece(struct hocon *hocon, struct pieces *pieces,
			 struct value *value)
{
	struct token token = hocon->lexer.token;
	struct piece *piece = value_piece(hocon, pieces, value);

	piece->text = (struct str){hocon->lexer.text + token.start,
				   token.end - token.start};
	piece->blanks = lexer_blanks(&hocon->lexer);
	return true;
}

static bool number_piece(struct hocon *hocon, struct pieces *pieces)
{
	struct token token = hocon->lexer.token;
	struct value *value = new_value(hocon, VALUE_INT, token.start);
	struct str literal = {hocon->lexer.text + token.start,
			      token.end - token.start};

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
	struct value *value = new_value(hocon, VALUE_NULL, token.start);

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
		return fail(hocon, offset, "this path has too many parts");
	return subst->path.count ||
	       fail(hocon, offset, "a path is missing here");
}

/* subst := '${' '?'? path '}' blanks? */
static bool subst_piece(struct hocon *hocon, struct pieces *pieces)
{
	struct token token = hocon->lexer.token;
	struct piece *piece = add_piece(hocon, pieces, PIECE_SUBST);
	size_t start = token.start + 2;
	struct subst *subst =
		subst_new(hocon->reading, hocon->source, token.start);

	subst->optional =
		hocon->lexer.text[start] == '?' && start + 2 < token.end;
	subst->text = lexer_text(&hocon->lexer, start + subst->optional,
				 token.end - 1, false);
	subst->scope = hocon->scope;
	piece->subst = subst;
	if (!set_path(hocon, subst))
		return false;
	subst->blanks = lexer_blanks(&hocon->lexer);
	return true;
}

static bool expected_close(struct hocon *hocon, const char *close, size_t open)
{
	struct lexer *lexer = &hocon->lexer;

	return diag_at(hocon->reading->diag, lexer->source, lexer->at,
		       "expected '%s' (to close '%c' at line %u)", close,
		       lexer->text[open], source_pos(lexer->source, open).line);
}

/* object := '{' fields '}' */
static bool object(struct hocon *hocon, struct value *object)
{
	struct lexer *lexer = &hocon->lexer;
	size_t open = object->offset;
	bool ok = reading_enter(hocon->reading, lexer->source, open) &&
		  fields(hocon, object);

	reading_leave(hocon->reading);
	if (!ok)
		return false;
	if (lexer->text[lexer->at] != '}')
		return expected_close(hocon, "}", open);
	lexer->at++;
	return true;
}

static bool object_piece(struct hocon *hocon, struct pieces *pieces)
{
	struct value *value =
		new_value(hocon, VALUE_OBJECT, hocon->lexer.token.start);

	value_piece(hocon, pieces, value);
	return object(hocon, value);
}

/* ClearML drops elements that are the empty string, also `""`. */
static void add_element(struct hocon *hocon, struct value *list,
			struct value *element)
{
	if (element->type == VALUE_STRING && !element->text.len) {
		reading_warn(hocon->reading, hocon->lexer.source,
			     element->offset,
			     "ClearML drops empty strings from lists");
		return;
	}
	if (tree_waits(element))
		list->flags |= TREE_DELAYED;
	value_list_add(list, hocon->reading->arena, element);
}

/* element := piece+ */
static bool element(struct hocon *hocon, struct value *list)
{
	struct pieces pieces;
	struct value *value;
	size_t start = hocon->lexer.at;

	pieces_init(&pieces);
	if (!read_pieces(hocon, &pieces))
		return false;
	if (!pieces.count)
		return expected_close(hocon, "]", list->offset);
	value = value_of(hocon, &pieces, start);
	if (!value)
		return false;
	add_element(hocon, list, value);
	return true;
}

/* elements := (element | line end | ',')* ']' */
static bool elements(struct hocon *hocon, struct value *list)
{
	struct lexer *lexer = &hocon->lexer;

	while (lexer_skip(lexer, LEXER_COMMAS) != ']') {
		if (lexer_at_end(lexer))
			return expected_close(hocon, "]", list->offset);
		if (!element(hocon, list))
			return false;
	}
	lexer->at++;
	return true;
}

/* list := '[' elements */
static bool list_piece(struct hocon *hocon, struct pieces *pieces)
{
	struct lexer *lexer = &hocon->lexer;
	struct value *list = new_value(hocon, VALUE_LIST, lexer->token.start);
	bool ok;

	value_piece(hocon, pieces, list);
	hocon->lists++;
	ok = reading_enter(hocon->reading, lexer->source, list->offset) &&
	     elements(hocon, list);
	reading_leave(hocon->reading);
	hocon->lists--;
	return ok;
}

static bool bad_piece(struct hocon *hocon)
{
	struct token token = hocon->lexer.token;

	return diag_at(hocon->reading->diag, hocon->lexer.source, token.start,
		       "'%c' cannot stand here without quotes",
		       hocon->lexer.text[token.start]);
}

/* piece := text | quoted | triple | number | true | false | null | subst
 *        | object | list | join; *more: the value may go on. */
static bool read_piece(struct hocon *hocon, struct pieces *pieces, bool *more)
{
	struct lexer *lexer = &hocon->lexer;

	switch (lexer_next(lexer)) {
	case TOKEN_TEXT: return text_piece(hocon, pieces);
	case TOKEN_QUOTED: return quoted_piece(hocon, pieces);
	case TOKEN_TRIPLE: return triple_piece(hocon, pieces);
	case TOKEN_INTEGER:
	case TOKEN_REAL: return number_piece(hocon, pieces);
	case TOKEN_TRUE:
	case TOKEN_FALSE:
	case TOKEN_NULL: return word_piece(hocon, pieces);
	case TOKEN_SUBST: return subst_piece(hocon, pieces);
	case TOKEN_OPEN_BRACE: return object_piece(hocon, pieces);
	case TOKEN_OPEN_BRACKET: return list_piece(hocon, pieces);
	case TOKEN_JOIN: return true;
	case TOKEN_BAD: return bad_piece(hocon);
	case TOKEN_FAILED: return false;
	case TOKEN_INCLUDE:
		return fail(hocon, lexer->token.start,
			    "an include cannot be a value");
	case TOKEN_END:
	case TOKEN_LINE_END:
	case TOKEN_COMMA:
	case TOKEN_CLOSE_BRACE:
	case TOKEN_CLOSE_BRACKET: break;
	}
	lexer->at = lexer->token.start;
	*more = false;
	return true;
}

static bool read_pieces(struct hocon *hocon, struct pieces *pieces)
{
	bool more = true;

	while (more)
		if (!read_piece(hocon, pieces, &more))
			return false;
	return true;
}

static struct value *delayed_of(struct hocon *hocon, struct pieces *pieces,
				size_t offset)
{
	struct value *value =
		tree_new_delayed(hocon->reading, hocon->source, offset);
	struct delayed *delayed = tree_delayed(value);
	size_t size = pieces->count * sizeof(struct piece);

	delayed->pieces = arena_alloc(hocon->reading->arena, size);
	memcpy(delayed->pieces, pieces->items, size);
	delayed->count = pieces->count;
	return value;
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

/* The value that @pieces are; one without any is the empty string. */
static struct value *value_of(struct hocon *hocon, struct pieces *pieces,
			      size_t offset)
{
	struct value place = {.source = (uint16_t)hocon->source};
	struct value *value;

	if (!pieces->count) {
		value = new_value(hocon, VALUE_STRING, offset);
		set_string(value, STR(""));
		return value;
	}
	offset = pieces->items[0].offset;
	trim_last(&pieces->items[pieces->count - 1]);
	for (size_t i = 0; i < pieces->count; i++)
		if (pieces->items[i].kind == PIECE_SUBST)
			return delayed_of(hocon, pieces, offset);
	place.offset = (uint32_t)offset;
	return concat(hocon->reading, pieces->items, pieces->count, &place);
}

/* YAML may have been meant (SEMANTICS A3): `key:`, line end, `a: b` or `- a`.
 */
static void look_for_yaml(struct hocon *hocon, const struct pieces *pieces,
			  size_t separator)
{
	const char *text = hocon->lexer.text;
	struct piece *first = pieces->items;

	if (!pieces->count || first->kind != PIECE_TEXT || hocon->braces ||
	    text[separator] != ':' ||
	    !memchr(text + separator, '\n', first->offset - separator))
		return;
	if (memchr(first->text.ptr, ':', first->text.len) ||
	    str_starts(first->text, STR("- ")))
		hocon->reading->like_yaml = true;
}

/* ('=' | ':' | '+=') value, or an object at once; *append: it was +=. */
static bool field_value(struct hocon *hocon, struct pieces *pieces,
			bool *append)
{
	struct lexer *lexer = &hocon->lexer;
	char c = lexer_skip(lexer, LEXER_LINES);
	size_t separator = lexer->at;

	*append = false;
	if (c == '{') {
		(void)lexer_next(lexer);
		if (!object_piece(hocon, pieces))
			return false;
		c = lexer_skip(lexer, LEXER_BLANKS);
		if (c != '{' && c != '$')
			return true;
		return reading_departs(hocon->reading, lexer->source, lexer->at,
				       "more after '}' of a key without '='") &&
		       read_pieces(hocon, pieces);
	}
	*append = c == '+' && lexer->text[lexer->at + 1] == '=';
	if (c != '=' && c != ':' && !*append)
		return fail(hocon, lexer->at,
			    "expected '=', ':' or '{' after a key");
	lexer->at += *append ? 2 : 1;
	(void)lexer_skip(lexer, LEXER_LINES);
	if (!read_pieces(hocon, pieces))
		return false;
	look_for_yaml(hocon, pieces, separator);
	return true;
}

/* `key += value` of lists and strings is `key = ${?key} value`, where ClearML
 * looks the key as written up from the root. */
static struct value *appended(struct hocon *hocon, const struct key *key,
			      struct value *value)
{
	struct pieces pieces;
	struct subst *subst;
	struct piece *piece;

	if (value->type != VALUE_LIST && value->type != VALUE_STRING)
		return value;
	subst = subst_new(hocon->reading, hocon->source, key->offset);
	subst->text = key->text;
	subst->path.count = key->path.count;
	subst->path.items = arena_alloc(hocon->reading->arena,
					key->path.count * sizeof(struct str));
	memcpy(subst->path.items, key->path.items,
	       key->path.count * sizeof(struct str));
	subst->optional = subst->append = true;
	pieces_init(&pieces);
	add_piece(hocon, &pieces, PIECE_SUBST)->subst = subst;
	if (value->type == VALUE_STRING) {
		piece = add_piece(hocon, &pieces, PIECE_TEXT);
		piece->text = STR(" ");
		subst->blanks = (struct str){0};
	}
	piece = value_piece(hocon, &pieces, value);
	value = delayed_of(hocon, &pieces, value->offset);
	tree_delayed(value)->append = true;
	return value;
}

/* What the document's root key held before @value comes to it: the whole key
 * or, for a dotted one, what will have to make room for an object. */
static struct value *earlier_of(struct hocon *hocon, struct value *object,
				const struct path *path, struct value *value)
{
	struct value *old = value_get(object, path->items[0]);

	if (!value_is(old, VALUE_OBJECT))
		return old;
	if (path->count > 1)
		return NULL;
	if (value->type != VALUE_OBJECT)
		return old;
	return tree_copy_objects(hocon->reading, old); /* it will change */
}

/* field := key (object | ('=' | ':' | '+=') value) */
static bool field(struct hocon *hocon, struct value *object)
{
	struct reading *reading = hocon->reading;
	struct hocon_frame frame = {.outer = hocon->frame};
	struct key key = {0};
	struct pieces pieces;
	struct value *value;
	size_t first = reading->subst_count;
	bool append, ok;

	pieces_init(&pieces);
	if (!key_read(&hocon->lexer, &key))
		return false;
	frame.path = &key.path;
	hocon->frame = &frame;
	reading->levels += key.path.count;
	ok = field_value(hocon, &pieces, &append);
	reading->levels -= key.path.count;
	hocon->frame = frame.outer;
	value = ok ? value_of(hocon, &pieces, hocon->lexer.at) : NULL;
	if (!value)
		return false;
	if (append)
		value = appended(hocon, &key, value);
	if (hocon_at_root(hocon) &&
	    subst_leads_to(reading, first, key.path.items[0]))
		subst_mark_self(reading, first, key.path.items[0],
				earlier_of(hocon, object, &key.path, value));
	return tree_put(reading, object, &key.path, value);
}

static bool include(struct hocon *hocon, struct value *object)
{
	struct lexer *lexer = &hocon->lexer;

	if (!hocon->reading->options->may_include)
		return fail(hocon, lexer->at,
			    "include is not allowed in a vault");
	lexer->at += sizeof("include") - 1;
	return include_read(hocon, object);
}

/* fields := (field | include | line end | ',')* */
static bool fields(struct hocon *hocon, struct value *object)
{
	struct lexer *lexer = &hocon->lexer;
	bool ok = true;
	char c;

	while (ok) {
		c = lexer_skip(lexer, LEXER_COMMAS);
		if (c == '}' || lexer_at_end(lexer))
			return true;
		ok = (c == 'i' || c == 'I') && lexer_at_include(lexer)
			     ? include(hocon, object)
			     : field(hocon, object);
	}
	return false;
}

/* text := ('{' fields '}' | fields) (line end | ',')* */
static struct value *text(struct hocon *hocon)
{
	struct lexer *lexer = &hocon->lexer;
	char c = lexer_skip(lexer, LEXER_LINES);
	struct value *root = new_value(hocon, VALUE_OBJECT, lexer->at);

	hocon->braces = c == '{';
	if (c == '[') {
		fail(hocon, lexer->at,
		     "the whole must be an object, not a list");
		return NULL;
	}
	lexer->at += hocon->braces;
	if (!(hocon->braces ? object(hocon, root) : fields(hocon, root)))
		return NULL;
	(void)lexer_skip(lexer, LEXER_COMMAS);
	if (lexer_at_end(lexer))
		return root;
	fail(hocon, lexer->at,
	     hocon->braces ? "expected nothing after the closing '}'"
			   : "this '}' closes nothing");
	return NULL;
}

static struct hocon hocon_of(struct reading *reading, size_t source)
{
	struct hocon hocon = {.reading = reading, .source = source};

	lexer_init(&hocon.lexer, reading, reading->doc->sources[source]);
	return hocon;
}

struct value *hocon_read_included(struct hocon *parent, size_t source,
				  const struct path *scope)
{
	struct hocon hocon = hocon_of(parent->reading, source);

	hocon.parent = parent;
	hocon.scope = scope;
	hocon.root = hocon_at_root(parent);
	hocon.braces = true; /* YAML is meant by a whole document, or not */
	return text(&hocon);
}

bool hocon_read(struct reading *reading)
{
	struct hocon hocon = hocon_of(reading, 0);

	hocon.root = true;
	reading->doc->root = text(&hocon);
	return reading->doc->root && resolve_all(reading);
}
