#include "read/hocon.h"

#include "base/arena.h"
#include "read/concat_parts.h"
#include "read/duration.h"
#include "read/include.h"
#include "read/key.h"
#include "read/reading.h"
#include "read/resolve.h"
#include "read/subst.h"
#include "read/tree.h"
#include "read/versions.h"

static bool read_parts(struct hocon *hocon, struct concat_parts *parts);
static bool fields(struct hocon *hocon, struct value *object);

bool hocon_fail(struct hocon *hocon, size_t offset, const char *what)
{
	return diag_at(hocon->reading->diag, hocon->lexer.source, offset, "%s",
		       what);
}

static unsigned int secrecy_below(const struct read_options *options,
				  unsigned int above, const struct path *path)
{
	for (size_t i = 0; path && i < path->count; i++)
		above = options->secrecy(above, path->items[i]);
	return above;
}

static unsigned int secrecy_of(const struct hocon *hocon,
			       const struct hocon_frame *frame)
{
	const struct read_options *options = hocon->reading->options;

	if (!frame)
		return secrecy_below(options, 0, hocon->scope);
	return secrecy_below(options, secrecy_of(hocon, frame->outer),
			     frame->path);
}

bool hocon_is_secret(const struct hocon *hocon)
{
	return hocon->reading->options->secrecy &&
	       secrecy_of(hocon, hocon->frame) & READ_SECRET;
}

struct value *hocon_value(struct hocon *hocon, enum value_type type,
			  size_t offset)
{
	return reading_value(hocon->reading, type, hocon->source, offset);
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

static bool object_part(struct hocon *hocon, struct concat_parts *parts)
{
	struct value *value =
		hocon_value(hocon, VALUE_OBJECT, hocon->lexer.token.start);

	concat_parts_add_value(hocon, parts, value);
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
	tree_list_add(hocon->reading, list, element);
}

/* element := part+ */
static bool element(struct hocon *hocon, struct value *list)
{
	struct concat_parts parts;
	struct value *value;
	size_t start = hocon->lexer.at;

	concat_parts_init(&parts);
	if (!read_parts(hocon, &parts))
		return false;
	if (!parts.count)
		return expected_close(hocon, "]", list->offset);
	value = concat_parts_value(hocon, &parts, start);
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
static bool list_part(struct hocon *hocon, struct concat_parts *parts)
{
	struct lexer *lexer = &hocon->lexer;
	struct value *list = hocon_value(hocon, VALUE_LIST, lexer->token.start);
	bool ok;

	concat_parts_add_value(hocon, parts, list);
	hocon->lists++;
	ok = reading_enter(hocon->reading, lexer->source, list->offset) &&
	     elements(hocon, list);
	reading_leave(hocon->reading);
	hocon->lists--;
	return ok;
}

static bool bad_part(struct hocon *hocon)
{
	struct lexer_token token = hocon->lexer.token;
	char c = hocon->lexer.text[token.start];

	return diag_at(hocon->reading->diag, hocon->lexer.source, token.start,
		       "'%c' cannot stand here without quotes%s", c,
		       c == '$' ? ": what a variable holds is ${NAME}" : "");
}

/* part := text | quoted | triple | number | true | false | null | subst
 *        | object | list | join; *more: the value may go on. */
static bool read_part(struct hocon *hocon, struct concat_parts *parts,
		      bool *more)
{
	struct lexer *lexer = &hocon->lexer;

	if (!reading_has_room(hocon->reading, lexer->source, lexer->at))
		return false;
	switch (lexer_next(lexer)) {
	case TOKEN_TEXT:
	case TOKEN_QUOTED:
	case TOKEN_TRIPLE:
	case TOKEN_INTEGER:
	case TOKEN_REAL:
	case TOKEN_TRUE:
	case TOKEN_FALSE:
	case TOKEN_NULL:
	case TOKEN_SUBST: return concat_parts_add_token(hocon, parts);
	case TOKEN_OPEN_BRACE: return object_part(hocon, parts);
	case TOKEN_OPEN_BRACKET: return list_part(hocon, parts);
	case TOKEN_JOIN: return true;
	case TOKEN_BAD: return bad_part(hocon);
	case TOKEN_FAILED: return false;
	case TOKEN_INCLUDE:
		return hocon_fail(hocon, lexer->token.start,
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

static bool read_parts(struct hocon *hocon, struct concat_parts *parts)
{
	bool more = true;

	while (more)
		if (!read_part(hocon, parts, &more))
			return false;
	return true;
}

/* YAML may have been meant (semantics.md, "Formats"): `key:`, line end, `a: b`
 * or `- a`.
 */
static void look_for_yaml(struct hocon *hocon, const struct concat_parts *parts,
			  size_t separator)
{
	const char *text = hocon->lexer.text;
	struct concat_part *first = parts->items;

	if (!parts->count || first->kind != PART_TEXT || hocon->braces ||
	    text[separator] != ':' ||
	    !memchr(text + separator, '\n', first->offset - separator))
		return;
	if (!memchr(first->text.ptr, ':', first->text.len) &&
	    !str_starts(first->text, STR("- ")))
		return;
	hocon->reading->doc->like_yaml = true;
	if (hocon->reading->options->may_include) /* a file: HOCON it is */
		reading_warn(hocon->reading, hocon->lexer.source, first->offset,
			     "this looks like YAML, but is read as HOCON: the "
			     "text after ':' is one string");
}

enum separator { SEPARATOR_NONE, SEPARATOR_ASSIGN, SEPARATOR_APPEND };

/* A value after '=', ':' or '+=', or an object right away. */
static bool field_value(struct hocon *hocon, struct concat_parts *parts,
			enum separator *kind)
{
	struct lexer *lexer = &hocon->lexer;
	char c = lexer_skip(lexer, LEXER_LINES);
	size_t separator = lexer->at;

	*kind = SEPARATOR_NONE;
	if (c == '{') {
		(void)lexer_next(lexer);
		if (!object_part(hocon, parts))
			return false;
		c = lexer_skip(lexer, LEXER_BLANKS);
		if (c != '{' && c != '$')
			return true;
		return reading_departs(hocon->reading, lexer->source, lexer->at,
				       "more after '}' of a key without '='") &&
		       read_parts(hocon, parts);
	}
	*kind = c == '+' && lexer->text[lexer->at + 1] == '='
			? SEPARATOR_APPEND
			: SEPARATOR_ASSIGN;
	if (c != '=' && c != ':' && *kind != SEPARATOR_APPEND)
		return hocon_fail(hocon, hocon->frame->offset,
				  "expected '=', ':' or '{' after this key");
	lexer->at += *kind == SEPARATOR_APPEND ? 2 : 1;
	(void)lexer_skip(lexer, LEXER_LINES);
	if (!read_parts(hocon, parts))
		return false;
	look_for_yaml(hocon, parts, separator);
	return true;
}

/* The ${?key} of a +=: ClearML looks the key, as written, up from the root. */
static struct subst *subst_of_key(struct hocon *hocon, const struct key *key)
{
	struct subst *subst =
		subst_new(hocon->reading, hocon->source, key->offset);
	size_t size = key->path.count * sizeof(struct str);

	subst->text = key->text;
	subst->path.count = key->path.count;
	subst->path.items = arena_alloc(hocon->reading->arena, size);
	memcpy(subst->path.items, key->path.items, size);
	subst->optional = true;
	return subst;
}

/* By the specification += adds one element to a list, whatever the value is. */
static void warn_of_append(struct hocon *hocon, const struct value *value)
{
	const char *what = "+= adds no element: ClearML puts this in the place "
			   "of what the key had";

	if (tree_is_delayed(value))
		what = "+= may add no element: ClearML takes this by what it "
		       "comes to";
	else if (value->type == VALUE_LIST)
		what = "+= does not add this list as an element: ClearML joins "
		       "it to the list that the key had";
	else if (value->type == VALUE_STRING)
		what = "+= adds no element: where ClearML takes it, it joins "
		       "texts by a blank";
	else if (value->type == VALUE_OBJECT)
		what = "+= adds no element: ClearML merges this into the "
		       "object that the key had, or replaces what is none";
	reading_warn(hocon->reading, hocon->lexer.source, value->offset, what);
}

/* `key += value` of lists and strings is `key = ${?key} value`. */
static struct value *appended(struct hocon *hocon, const struct key *key,
			      struct value *value)
{
	struct concat_parts parts;
	uint32_t offset = value->offset;

	warn_of_append(hocon, value);
	if (value->type != VALUE_LIST && value->type != VALUE_STRING)
		return value;
	concat_parts_init(&parts);
	concat_parts_add(hocon, &parts, PART_SUBST)->subst =
		subst_of_key(hocon, key);
	if (value->type == VALUE_STRING)
		concat_parts_add(hocon, &parts, PART_TEXT)->text = STR(" ");
	concat_parts_add_value(hocon, &parts, value);
	value = concat_parts_value(hocon, &parts, 0);
	tree_delayed(value)->append = true;
	value->offset = offset;
	return value;
}

/* The value of a field; an object right after the key is it as it stands. */
static struct value *value_of(struct hocon *hocon, struct concat_parts *parts,
			      bool at_once)
{
	if (at_once && parts->count == 1)
		return parts->items[0].value;
	return concat_parts_value(hocon, parts, hocon->lexer.at);
}

/* field := key (object | ('=' | ':' | '+=') value) */
static bool field(struct hocon *hocon, struct value *object)
{
	struct reading *reading = hocon->reading;
	struct hocon_frame frame = {.outer = hocon->frame};
	struct key key;
	struct concat_parts parts;
	struct value *value = NULL;
	size_t first = reading->subst_count;
	enum separator separator;

	concat_parts_init(&parts);
	if (!key_read(&hocon->lexer, &key))
		return false;
	frame.path = &key.path;
	frame.offset = key.offset;
	hocon->frame = &frame;
	reading->levels += key.path.count;
	if (field_value(hocon, &parts, &separator))
		value = value_of(hocon, &parts, separator == SEPARATOR_NONE);
	reading->levels -= key.path.count;
	hocon->frame = frame.outer;
	if (!value)
		return false;
	if (separator == SEPARATOR_APPEND)
		value = appended(hocon, &key, value);
	if (object == reading->root)
		versions_note(reading, object, first, key.path.items[0]);
	return tree_put(reading, object, &key.path, value);
}

static bool include(struct hocon *hocon, struct value *object)
{
	struct lexer *lexer = &hocon->lexer;

	if (!hocon->reading->options->may_include) {
		hocon->reading->refused = true;
		return hocon_fail(hocon, lexer->at,
				  "include is not allowed in a vault");
	}
	lexer->at += sizeof("include") - 1;
	return include_read(hocon, object);
}

static bool at_include(const struct lexer *lexer)
{
	return lexer_at_include(lexer) || lexer_at_include_below(lexer);
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
		ok = (c == 'i' || c == 'I') && at_include(lexer)
			     ? include(hocon, object)
			     : field(hocon, object);
	}
	return false;
}

/* A text may be a list as a whole only where it goes under a key. */
static struct value *list_text(struct hocon *hocon)
{
	struct lexer *lexer = &hocon->lexer;
	size_t start = lexer->at;
	struct concat_parts parts;

	if (!hocon->reading->options->under.len || hocon->parent) {
		hocon_fail(hocon, start,
			   "the whole must be an object, not a list");
		return NULL;
	}
	concat_parts_init(&parts);
	if (!read_parts(hocon, &parts))
		return NULL;
	(void)lexer_skip(lexer, LEXER_COMMAS);
	if (lexer_at_end(lexer))
		return concat_parts_value(hocon, &parts, start);
	hocon_fail(hocon, lexer->at, "expected nothing after the closing ']'");
	return NULL;
}

/* text := ('{' fields '}' | fields | list) (line end | ',')* */
static struct value *text(struct hocon *hocon)
{
	struct lexer *lexer = &hocon->lexer;
	char c = lexer_skip(lexer, LEXER_LINES);
	struct value *root = hocon_value(hocon, VALUE_OBJECT, lexer->at);

	hocon->braces = c == '{';
	if (!hocon->parent)
		hocon->reading->root = root;
	if (c == '[')
		return list_text(hocon);
	lexer->at += hocon->braces;
	if (!(hocon->braces ? object(hocon, root) : fields(hocon, root)))
		return NULL;
	(void)lexer_skip(lexer, LEXER_COMMAS);
	if (lexer_at_end(lexer))
		return root;
	hocon_fail(hocon, lexer->at,
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

/* value, with white space around it; nothing is left over, no comment either */
static struct value *whole_value(struct hocon *hocon)
{
	struct lexer *lexer = &hocon->lexer;
	struct str text = lexer->source->text, rest;
	struct concat_parts parts;

	concat_parts_init(&parts);
	lexer->at = (size_t)(str_trim(text).ptr - text.ptr);
	if (!read_parts(hocon, &parts) || lexer->token.commented)
		return NULL;
	rest = str_trim(str_from_offset(text, lexer->at));
	return rest.len ? NULL : concat_parts_value(hocon, &parts, 0);
}

/* It is resolved where it will stand, so that what is secret there stays
 * secret. */
bool hocon_read_value(struct reading *reading)
{
	struct hocon hocon = hocon_of(reading, 0);
	struct str nowhere = STR(""), under = reading->options->under;
	struct path path = {&nowhere, 1};
	struct value *value, *root;

	hocon.lexer.before = under.len + STR(": ").len;
	value = whole_value(&hocon);
	if (!value || (under.len && !key_cut(reading, under, &path)))
		return false;
	if (!path.count) /* a name that stands for no key */
		return false;
	root = hocon_value(&hocon, VALUE_OBJECT, 0);
	reading->doc->root = reading->root = root;
	versions_note(reading, root, 0, path.items[0]);
	if (!tree_put(reading, root, &path, value) || !resolve_all(reading))
		return false;
	value = root;
	for (size_t i = 0; i < path.count; i++)
		value = value_get(value, path.items[i]);
	reading->doc->root = value;
	return true;
}

static bool pass_mark(struct hocon *hocon)
{
	struct source *source = hocon->lexer.source;

	return !source->marked ||
	       reading_departs(hocon->reading, source, 0, "a byte order mark");
}

struct value *hocon_read_included(struct hocon *parent, size_t source,
				  const struct path *scope)
{
	struct hocon hocon = hocon_of(parent->reading, source);

	hocon.parent = parent;
	hocon.scope = scope;
	hocon.root = hocon_at_root(parent);
	hocon.braces = true; /* YAML is meant by a whole document, or not */
	return pass_mark(&hocon) ? text(&hocon) : NULL;
}

static bool read_whole(struct reading *reading)
{
	struct hocon hocon = hocon_of(reading, 0);

	hocon.root = true;
	if (!pass_mark(&hocon))
		return false;
	reading->doc->root = text(&hocon);
	return reading->doc->root;
}

static bool read_again(struct reading *reading)
{
	diag_list_deinit(&reading->doc->warnings);
	reading->doc->warnings = (struct diag_list){0};
	reading->doc->source_count = 1;
	reading->subst_count = reading->nodes = 0;
	reading->departed = reading->reordered = false;
	versions_start_over(reading);
	return read_whole(reading);
}

bool hocon_read(struct reading *reading)
{
	if (!read_whole(reading) || (reading->again && !read_again(reading)))
		return false;
	duration_warn(reading);
	return resolve_all(reading);
}
