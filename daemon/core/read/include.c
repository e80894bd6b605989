#include "read/include.h"

#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "read/hocon.h"
#include "read/reading.h"
#include "read/tree.h"
#include "read/versions.h"

enum form { FORM_NAME, FORM_FILE, FORM_URL, FORM_CLASSPATH };

/* An include as it is written. */
struct request {
	size_t offset; /* where it says it */
	struct str name;
	enum form form;
	bool required;
	bool lines; /* it stands on several */
};

static void skip(struct hocon *hocon, struct request *request)
{
	struct lexer *lexer = &hocon->lexer;

	for (;; lexer->at++) {
		switch (lexer->text[lexer->at]) {
		case '\n':
		case '\r': request->lines = true; break;
		case ' ':
		case '\t': break;
		default: return;
		}
	}
}

static bool expect(struct hocon *hocon, struct request *request, char c)
{
	struct lexer *lexer = &hocon->lexer;

	skip(hocon, request);
	if (lexer->text[lexer->at] != c)
		return hocon_fail(hocon, lexer->at,
				  c == '(' ? "expected '('" : "expected ')'");
	lexer->at++;
	return true;
}

/* name := '"' ... '"' */
static bool name(struct hocon *hocon, struct request *request)
{
	struct lexer *lexer = &hocon->lexer;

	skip(hocon, request);
	if (lexer_next(lexer) == TOKEN_FAILED)
		return false;
	request->offset = lexer->token.start;
	if (lexer->token.type != TOKEN_QUOTED)
		return hocon_fail(hocon, request->offset,
				  "expected a file name in quotes");
	request->name = lexer_text(lexer, lexer->token.start + 1,
				   lexer->token.end - 1, true);
	return true;
}

static bool word(struct hocon *hocon, struct request *request, struct str word)
{
	struct lexer *lexer = &hocon->lexer;
	struct str rest;

	skip(hocon, request);
	rest = (struct str){lexer->text + lexer->at, lexer->len - lexer->at};
	if (!str_starts(rest, word))
		return false;
	lexer->at += word.len;
	return true;
}

/* what := name | ('file' | 'url' | 'classpath') '(' name ')' */
static bool what(struct hocon *hocon, struct request *request)
{
	static const struct str forms[] = {
		[FORM_FILE] = STR("file"),
		[FORM_URL] = STR("url"),
		[FORM_CLASSPATH] = STR("classpath"),
	};

	for (size_t i = FORM_FILE; i < ARRAY_SIZE(forms); i++) {
		if (!word(hocon, request, forms[i]))
			continue;
		request->form = (enum form)i;
		return expect(hocon, request, '(') && name(hocon, request) &&
		       expect(hocon, request, ')');
	}
	return name(hocon, request);
}

/* include := 'include' (what | 'required' '(' what ')') */
static bool request_read(struct hocon *hocon, struct request *request)
{
	struct lexer *lexer = &hocon->lexer;
	size_t start = lexer->at;

	request->required = word(hocon, request, STR("required"));
	if (!request->required)
		return what(hocon, request);
	if (!expect(hocon, request, '(') || !what(hocon, request) ||
	    !expect(hocon, request, ')'))
		return false;
	return request->form == FORM_NAME ||
	       reading_departs(hocon->reading, lexer->source, start,
			       "required() around file() or url()");
}

/* The path in a file:// URL of this host. */
static const char *path_of_url(struct hocon *hocon, struct str url)
{
	_cleanup_(buf_deinit) struct buf path = BUF_INIT;

	url = str_from_offset(url, STR("file://").len);
	if (str_starts(url, STR("localhost/")))
		url = str_from_offset(url, STR("localhost").len);
	for (size_t i = 0; i < url.len; i++) {
		if (url.ptr[i] == '%' && i + 2 < url.len &&
		    str_hex_digit(url.ptr[i + 1]) >= 0 &&
		    str_hex_digit(url.ptr[i + 2]) >= 0) {
			buf_putc(&path,
				 (char)(str_hex_digit(url.ptr[i + 1]) << 4 |
					str_hex_digit(url.ptr[i + 2])));
			i += 2;
		} else {
			buf_putc(&path, url.ptr[i]);
		}
	}
	return arena_str(hocon->reading->arena, buf_str(&path)).ptr;
}

/* The path of @name, which is relative to the including file's folder. */
static const char *path_of_name(struct hocon *hocon, struct str name)
{
	const char *including = hocon->lexer.source->name;
	const char *slash = strrchr(including, '/');
	size_t folder = slash ? (size_t)(slash - including) + 1 : 0;
	char *path;

	if (str_starts(name, STR("/")))
		folder = 0;
	path = arena_alloc(hocon->reading->arena, folder + name.len + 1);
	memcpy(path, including, folder);
	if (name.len)
		memcpy(path + folder, name.ptr, name.len);
	return path;
}

/* file("...") is a file's name, whatever it looks like. */
static bool is_url(const struct request *request)
{
	static const struct str schemes[] = {STR("http://"), STR("https://"),
					     STR("file://")};

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (str_starts(request->name, schemes[i]))
			return request->form != FORM_FILE;
	return request->form == FORM_URL;
}

/* A file:// URL with a host in it, of which ClearML includes nothing. */
static bool is_elsewhere(const struct request *request)
{
	struct str rest = request->name;

	if (!is_url(request) || !str_starts(rest, STR("file://")))
		return false;
	rest = str_from_offset(rest, STR("file://").len);
	return !str_starts(rest, STR("/")) &&
	       !str_starts(rest, STR("localhost/"));
}

/* The file that @request names; NULL, with the diag set, when it is none. */
static const char *path_of(struct hocon *hocon, const struct request *request)
{
	struct str name = request->name;

	if (str_has_nul(name)) {
		hocon_fail(hocon, request->offset, "no file has such a name");
		return NULL;
	}
	if (is_url(request) && str_starts(name, STR("file://")))
		return path_of_url(hocon, name);
	if (is_url(request)) {
		hocon_fail(hocon, request->offset,
			   "only files can be included, not what a URL names");
		return NULL;
	}
	return path_of_name(hocon, name);
}

/* Is @path one of the files that this text is included by? */
static bool is_open(const struct hocon *hocon, const char *path)
{
	for (; hocon; hocon = hocon->parent)
		if (!strcmp(hocon->lexer.source->name, path))
			return true;
	return false;
}

/* The keys that lead to where the include stands; NULL at the root, and in a
 * list, which no path leads into. */
static const struct path *scope_of(const struct hocon *hocon)
{
	const struct hocon_frame *frame;
	struct path *scope;
	size_t count = hocon->scope ? hocon->scope->count : 0, at;

	if (hocon->lists || (!hocon->frame && !hocon->scope))
		return NULL;
	for (frame = hocon->frame; frame; frame = frame->outer)
		count += frame->path->count;
	scope = arena_alloc(hocon->reading->arena, sizeof(*scope));
	scope->count = at = count;
	scope->items = arena_alloc(hocon->reading->arena,
				   count * sizeof(*scope->items));
	for (frame = hocon->frame; frame; frame = frame->outer) {
		at -= frame->path->count;
		memcpy(scope->items + at, frame->path->items,
		       frame->path->count * sizeof(*scope->items));
	}
	if (hocon->scope)
		memcpy(scope->items, hocon->scope->items,
		       at * sizeof(*scope->items));
	return scope;
}

/* Put its keys into the including text, with their last values. */
static bool put_members(struct hocon *hocon, struct value *object,
			const struct value *included, size_t first_subst)
{
	struct reading *reading = hocon->reading;
	struct member *member;
	struct str key;

	if (object == reading->root)
		versions_note(reading, object, first_subst, STR(""));
	for (value_each (included, member)) {
		key = member_key(member);
		if (!tree_put(reading, object, &(struct path){&key, 1},
			      tree_handed_out(reading, member->value)))
			return false;
	}
	return true;
}

static int open_kept(struct reading *reading, const char *path,
		     struct source *source)
{
	const struct doc *kept = reading->options->kept;

	for (size_t i = 1; i < kept->source_count; i++)
		if (!strcmp(kept->sources[i]->name, path))
			return source_from_text(source, reading->arena, path,
						kept->sources[i]->text,
						reading->diag);
	return SOURCE_E_MISSING;
}

/* Only a required file must be there and be readable. */
static int open_source(struct reading *reading, const struct request *request,
		       const char *path, struct source *source)
{
	if (reading->options->kept)
		return open_kept(reading, path, source);
	if (!request->required && access(path, R_OK) < 0)
		return SOURCE_E_MISSING;
	return source_from_file(source, reading->arena, path,
				reading->options->limits.bytes, reading->diag);
}

/* The specification would have looked for these, too. */
static void warn_of_suffix(struct hocon *hocon, const struct request *request,
			   const char *path)
{
	static const char *const suffixes[] = {".conf", ".json", ".properties"};

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		_cleanup_(mem_freep) char *other =
			mem_printf("%s%s", path, suffixes[i]);

		if (access(other, R_OK) < 0)
			continue;
		reading_warn(hocon->reading, hocon->lexer.source,
			     request->offset,
			     "nothing is included: ClearML looks for the file "
			     "of exactly this name");
		return;
	}
}

static bool include_file(struct hocon *hocon, const struct request *request,
			 const char *path, struct value *object)
{
	struct reading *reading = hocon->reading;
	size_t first = reading->subst_count;
	struct source *source = doc_add_source(reading->doc);
	struct value *included;
	int found;

	if (!source)
		return diag_at(reading->diag, hocon->lexer.source,
			       request->offset, "more than %d files",
			       DOC_SOURCES_MAX);
	found = open_source(reading, request, path, source);
	if (found == SOURCE_E_MISSING) {
		reading->doc->source_count--;
		warn_of_suffix(hocon, request, path);
		return !request->required ||
		       hocon_fail(hocon, request->offset,
				  "the required file is missing");
	}
	if (found)
		return false;
	included = hocon_read_included(hocon, reading->doc->source_count - 1,
				       scope_of(hocon));
	return included && put_members(hocon, object, included, first);
}

static bool elsewhere(struct hocon *hocon, const struct request *request)
{
	if (request->required)
		return hocon_fail(hocon, request->offset,
				  "the required file is one of another host");
	reading_warn(hocon->reading, hocon->lexer.source, request->offset,
		     "nothing is included: this is a file of another host");
	return true;
}

bool include_read(struct hocon *hocon, struct value *object)
{
	struct request request = {0};
	const char *path;

	if (!request_read(hocon, &request))
		return false;
	if (request.lines &&
	    !reading_departs(hocon->reading, hocon->lexer.source,
			     request.offset, "an include on several lines"))
		return false;
	if (request.form == FORM_CLASSPATH)
		return reading_departs(hocon->reading, hocon->lexer.source,
				       request.offset,
				       "classpath() means nothing here");
	if (is_elsewhere(&request))
		return elsewhere(hocon, &request);
	path = path_of(hocon, &request);
	if (!path)
		return false;
	if (is_open(hocon, path))
		return hocon_fail(
			hocon, request.offset,
			"this file is being read: it includes itself");
	doc_add_include(hocon->reading->doc, path);
	return include_file(hocon, &request, path, object);
}
