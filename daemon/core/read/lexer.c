#include "read/lexer.h"

#include <string.h>

#include "base/mem.h"
#include "read/reading.h"

#define INCLUDE STR("include")

/* What a byte may be. */
enum {
	BLANK = 1,  /* space, tab */
	TEXT = 2,   /* in unquoted text */
	KEY = 4,    /* in an unquoted key */
	QUOTED = 8, /* in a quoted string, standing for itself */
	DIGIT = 16,
	WORD = 32, /* a letter, digit, _ or $: goes on a keyword */
	ODD = 64,  /* begins white space that ClearML refuses, or text */
};

#define LETTER (TEXT | KEY | QUOTED | WORD)
#define SIGN   (TEXT | QUOTED)
#define HIGH   (TEXT | QUOTED)

/* NUL is an ordinary character, but also what ends the text: the loops over
 * the others stop at it, and look. */
static const unsigned char class_of[256] = {
	[0x01 ... 0x08] = SIGN,
	['\t'] = BLANK | QUOTED,
	['\n'] = 0,
	[0x0B ... 0x0C] = QUOTED | ODD,
	['\r'] = QUOTED,
	[0x0E ... 0x1B] = SIGN,
	[0x1C ... 0x1F] = QUOTED | ODD,
	[' '] = BLANK | QUOTED | KEY,
	['!'] = QUOTED,
	['"'] = 0,
	['#'] = QUOTED,
	['$'] = QUOTED | WORD,
	['%'] = SIGN,
	['&'] = QUOTED,
	['\''] = SIGN,
	['('] = SIGN,
	[')'] = SIGN,
	['*'] = QUOTED,
	['+'] = QUOTED,
	[','] = QUOTED,
	['-'] = SIGN | KEY,
	['.'] = SIGN | KEY,
	['/'] = SIGN | KEY,
	['0' ... '9'] = LETTER | DIGIT,
	[':'] = SIGN,
	[';'] = SIGN,
	['<'] = SIGN,
	['='] = QUOTED,
	['>'] = SIGN,
	['?'] = QUOTED,
	['@'] = QUOTED,
	['A' ... 'Z'] = LETTER,
	['['] = QUOTED,
	['\\'] = 0,
	[']'] = QUOTED,
	['^'] = QUOTED,
	['_'] = LETTER,
	['`'] = QUOTED,
	['a' ... 'z'] = LETTER,
	['{'] = QUOTED,
	['|'] = SIGN,
	['}'] = QUOTED,
	['~'] = SIGN,
	[0x7F] = SIGN,
	[0x80 ... 0xC1] = HIGH,
	[0xC2] = QUOTED | ODD,
	[0xC3 ... 0xE0] = HIGH,
	[0xE1 ... 0xE3] = QUOTED | ODD,
	[0xE4 ... 0xFF] = HIGH,
};

static inline bool is(char c, unsigned int classes)
{
	return class_of[(unsigned char)c] & classes;
}

bool lexer_is_hocon_key(char c)
{
	return (is(c, TEXT) || (c & 0x80)) && c != ':' && c != '.';
}

void lexer_init(struct lexer *lexer, struct reading *reading,
		struct source *source)
{
	struct str text = source->text;

	*lexer = (struct lexer){
		.reading = reading,
		.source = source,
		.text = text.ptr,
		.len = text.len,
		.has_tabs = memchr(text.ptr, '\t', text.len),
		.has_returns = memchr(text.ptr, '\r', text.len),
	};
}

/* Python's white space that is neither blank nor line end. U+0085 is none to
 * HOCON, but kept inside text all the same. */
size_t lexer_odd_space(const struct lexer *lexer, size_t at)
{
	static const struct {
		const char *first, *last;
		size_t size;
	} ranges[] = {
		{"\x0B", "\x0C", 1},
		{"\x1C", "\x1F", 1},
		{"\xC2\x85", "\xC2\x85", 2},
		{"\xC2\xA0", "\xC2\xA0", 2},
		{"\xE1\x9A\x80", "\xE1\x9A\x80", 3},
		{"\xE2\x80\x80", "\xE2\x80\x8A", 3},
		{"\xE2\x80\xA8", "\xE2\x80\xA9", 3},
		{"\xE2\x80\xAF", "\xE2\x80\xAF", 3},
		{"\xE2\x81\x9F", "\xE2\x81\x9F", 3},
		{"\xE3\x80\x80", "\xE3\x80\x80", 3},
	};
	const char *p = lexer->text + at;

	if (!is(*p, ODD))
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(ranges); i++)
		if (lexer->len - at >= ranges[i].size &&
		    memcmp(p, ranges[i].first, ranges[i].size) >= 0 &&
		    memcmp(p, ranges[i].last, ranges[i].size) <= 0)
			return ranges[i].size;
	return 0;
}

/* Where white space of the odd kinds may begin; false when the diag is set. */
static bool skip_odd(struct lexer *lexer)
{
	size_t at = lexer->at, odd;

	while ((odd = lexer_odd_space(lexer, at))) {
		if (!reading_departs(lexer->reading, lexer->source, at,
				     "an unusual white space character"))
			return false;
		at += odd;
		while (is(lexer->text[at], BLANK))
			at++;
	}
	lexer->at = at;
	return true;
}

/* At the first byte that is no blank; false when the diag is set. */
static inline bool skip_blanks(struct lexer *lexer)
{
	const char *p = lexer->text + lexer->at;

	while (*p == ' ' || *p == '\t')
		p++;
	lexer->at = (size_t)(p - lexer->text);
	return !is(*p, ODD) || skip_odd(lexer);
}

/* To the end of the line; LF is what most texts have. */
static void skip_comment(struct lexer *lexer)
{
	const char *start = lexer->text + lexer->at, *end, *cr;
	size_t left = lexer->len - lexer->at;

	end = memchr(start, '\n', left);
	if (!end)
		end = start + left;
	if (lexer->has_returns) {
		cr = memchr(start, '\r', (size_t)(end - start));
		end = cr ? cr : end;
	}
	lexer->at = (size_t)(end - lexer->text);
}

static bool at_comment(const struct lexer *lexer)
{
	const char *p = lexer->text + lexer->at;

	return *p == '#' || (*p == '/' && p[1] == '/');
}

char lexer_skip(struct lexer *lexer, enum lexer_skip what)
{
	char c;

	for (;;) {
		if (!skip_blanks(lexer))
			return 0;
		c = lexer->text[lexer->at];
		if (at_comment(lexer))
			skip_comment(lexer);
		else if ((what >= LEXER_LINES && (c == '\n' || c == '\r')) ||
			 (what == LEXER_COMMAS && c == ','))
			lexer->at++;
		else
			return c;
	}
}

/* Just after the character at @at, whose first byte may be any. */
static size_t after_character(const struct lexer *lexer, size_t at)
{
	at++;
	while (at < lexer->len &&
	       ((unsigned char)lexer->text[at] & 0xC0) == 0x80)
		at++;
	return at;
}

/* text := (character | backslash character)+ */
static enum token_type scan_text(struct lexer *lexer)
{
	const char *text = lexer->text;
	size_t at = lexer->at;

	for (;;) {
		while (is(text[at], TEXT))
			at++;
		if (text[at] == '\\' && at + 1 < lexer->len &&
		    text[at + 1] != '\n') {
			at = after_character(lexer, at + 1);
			lexer->token.escaped = true;
		} else if (at < lexer->len && (!text[at] || text[at] & 0x80) &&
			   !lexer_odd_space(lexer, at)) {
			at = after_character(lexer, at);
		} else {
			break;
		}
	}
	lexer->at = at;
	return at > lexer->token.start ? TOKEN_TEXT : TOKEN_BAD;
}

/* What must follow a number: `$ } ] , #`, a line end or //, after blanks; or
 * the very end. */
static bool ends_number(const struct lexer *lexer, size_t at)
{
	const char *p = lexer->text + at;
	size_t odd;

	if (at == lexer->len)
		return true;
	while (*p == ' ' || *p == '\t')
		p++;
	while ((odd = lexer_odd_space(lexer, (size_t)(p - lexer->text))))
		p += odd;
	if (*p == '/')
		return p[1] == '/';
	return *p == '\n' || *p == '\r' || *p == ',' || *p == '}' ||
	       *p == ']' || *p == '#' || *p == '$';
}

static size_t skip_digits(const char *text, size_t at)
{
	while (is(text[at], DIGIT))
		at++;
	return at;
}

/* number := [+-]? (\d*.\d+ | \d+(.\d+)?) ([eE][+-]?\d+)?, and an end after it;
 * TOKEN_BAD when there is none. */
static enum token_type scan_number(struct lexer *lexer)
{
	const char *text = lexer->text;
	size_t at = lexer->at, start, after;
	enum token_type type = TOKEN_INTEGER;

	at += text[at] == '+' || text[at] == '-';
	start = at;
	at = skip_digits(text, at);
	if (text[at] == '.' && is(text[at + 1], DIGIT)) {
		at = skip_digits(text, at + 1);
		type = TOKEN_REAL;
	}
	if (at == start)
		return TOKEN_BAD;
	if (text[at] == 'e' || text[at] == 'E') {
		after = at + 1 + (text[at + 1] == '+' || text[at + 1] == '-');
		if (!is(text[after], DIGIT))
			return TOKEN_BAD;
		at = skip_digits(text, after);
		type = TOKEN_REAL;
	}
	if (!ends_number(lexer, at))
		return TOKEN_BAD;
	lexer->at = at;
	return type;
}

/* Does @word stand here whole, in any case? */
static bool at_word(const struct lexer *lexer, size_t at, struct str word)
{
	struct str here = {lexer->text + at, word.len};

	return lexer->len - at >= word.len && str_equal_nocase(here, word) &&
	       !is(lexer->text[at + word.len], WORD);
}

static enum token_type scan_word(struct lexer *lexer, const char *name,
				 enum token_type type)
{
	struct str word = str_from(name);

	if (!at_word(lexer, lexer->at, word))
		return scan_text(lexer);
	lexer->at += word.len;
	return type;
}

/* What follows the word include when it includes: a quoted name, or one of
 * these; classpath is a key like any other unless a parenthesis follows. */
static bool at_include_form(const struct lexer *lexer, size_t at)
{
	static const struct str forms[] = {STR("url"), STR("file"),
					   STR("required")};
	struct str here = {lexer->text + at, lexer->len - at};

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (str_starts(here, forms[i]) &&
		    !is(here.ptr[forms[i].len], WORD))
			return true;
	return str_starts(here, STR("\"")) ||
	       str_starts(here, STR("classpath("));
}

bool lexer_at_include(const struct lexer *lexer)
{
	size_t at = lexer->at + INCLUDE.len;

	if (!at_word(lexer, lexer->at, INCLUDE))
		return false;
	while (is(lexer->text[at], BLANK))
		at++;
	return at_include_form(lexer, at);
}

/* To ClearML that is no include, and nothing else. */
bool lexer_at_include_below(const struct lexer *lexer)
{
	static const struct str forms[] = {STR("url("), STR("file("),
					   STR("required("), STR("\"")};
	size_t start = lexer->at + INCLUDE.len;
	struct str here = {lexer->text + start, lexer->len - start};
	size_t blanks = 0;

	if (!at_word(lexer, lexer->at, INCLUDE))
		return false;
	while (blanks < here.len && str_set_has(" \t\r\n", here.ptr[blanks]))
		blanks++;
	here = str_from_offset(here, blanks);
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (str_starts(here, forms[i]))
			return true;
	return false;
}

static enum token_type scan_include(struct lexer *lexer)
{
	if (!lexer_at_include(lexer))
		return scan_text(lexer);
	lexer->at += INCLUDE.len;
	return TOKEN_INCLUDE;
}

static enum token_type fail(struct lexer *lexer, const char *what)
{
	diag_at(lexer->reading->diag, lexer->source, lexer->token.start, "%s",
		what);
	return TOKEN_FAILED;
}

/* quoted := '"' (character | backslash character)* '"', on one line */
static enum token_type scan_quoted(struct lexer *lexer)
{
	const char *text = lexer->text;
	size_t at = lexer->at + 1;

	for (;;) {
		while (is(text[at], QUOTED) || (!text[at] && at < lexer->len))
			at++;
		if (text[at] != '\\' || at + 1 >= lexer->len ||
		    text[at + 1] == '\n')
			break;
		lexer->token.escaped = true;
		at += 2;
	}
	if (at >= lexer->len || text[at] != '"')
		return fail(lexer, "this string is not closed on its line");
	lexer->at = at + 1;
	return TOKEN_QUOTED;
}

/* triple := '"""' anything '"""' '"'*; without an end it is an empty string
 * and whatever follows, as everywhere. */
static enum token_type scan_triple(struct lexer *lexer)
{
	size_t at = lexer->at + 3;
	const char *end;

	if (lexer->len < at ||
	    memcmp(lexer->text + lexer->at, "\"\"\"", 3) != 0)
		return scan_quoted(lexer);
	end = memmem(lexer->text + at, lexer->len - at, "\"\"\"", 3);
	if (!end)
		return scan_quoted(lexer);
	at = (size_t)(end - lexer->text) + 3;
	while (at < lexer->len && lexer->text[at] == '"')
		at++;
	lexer->at = at;
	return TOKEN_TRIPLE;
}

/* subst := '${' '?'? [^}]+ '}' */
static enum token_type scan_subst(struct lexer *lexer)
{
	size_t at = lexer->at + 2;
	const char *end;

	if (lexer->text[lexer->at + 1] != '{') {
		lexer->at++;
		return TOKEN_BAD;
	}
	end = memchr(lexer->text + at, '}', lexer->len - at);
	if (!end)
		return fail(lexer, "expected '}' (to close this '${')");
	lexer->at = (size_t)(end - lexer->text) + 1;
	if (lexer->at == at + 1)
		return fail(lexer, "a path is missing between '${' and '}'");
	return TOKEN_SUBST;
}

static enum token_type one(struct lexer *lexer, enum token_type type)
{
	lexer->at++;
	return type;
}

static enum token_type number_or_text(struct lexer *lexer)
{
	enum token_type type = scan_number(lexer);

	return type == TOKEN_BAD ? scan_text(lexer) : type;
}

/* A backslash that a line end follows is a word of its own. */
static enum token_type join_or_text(struct lexer *lexer)
{
	if (lexer->text[lexer->at + 1] != '\n')
		return scan_text(lexer);
	lexer->at += 2;
	while (lexer->text[lexer->at] == '\n' || lexer->text[lexer->at] == '\r')
		lexer->at++;
	return TOKEN_JOIN;
}

static enum token_type scan(struct lexer *lexer)
{
	switch (lexer->text[lexer->at]) {
	case '\0': return lexer_at_end(lexer) ? TOKEN_END : scan_text(lexer);
	case '\n':
	case '\r': return one(lexer, TOKEN_LINE_END);
	case ',': return one(lexer, TOKEN_COMMA);
	case '{': return one(lexer, TOKEN_OPEN_BRACE);
	case '}': return one(lexer, TOKEN_CLOSE_BRACE);
	case '[': return one(lexer, TOKEN_OPEN_BRACKET);
	case ']': return one(lexer, TOKEN_CLOSE_BRACKET);
	case '"': return scan_triple(lexer);
	case '$': return scan_subst(lexer);
	case '\\': return join_or_text(lexer);
	case '+':
	case '-':
	case '.':
	case '0':
	case '1':
	case '2':
	case '3':
	case '4':
	case '5':
	case '6':
	case '7':
	case '8':
	case '9': return number_or_text(lexer);
	case 't':
	case 'T': return scan_word(lexer, "true", TOKEN_TRUE);
	case 'f':
	case 'F': return scan_word(lexer, "false", TOKEN_FALSE);
	case 'n':
	case 'N': return scan_word(lexer, "null", TOKEN_NULL);
	case 'i':
	case 'I': return scan_include(lexer);
	default: return scan_text(lexer);
	}
}

enum token_type lexer_next(struct lexer *lexer)
{
	if (!skip_blanks(lexer))
		return lexer->token.type = TOKEN_FAILED;
	lexer->token.commented = at_comment(lexer);
	if (lexer->token.commented)
		skip_comment(lexer);
	lexer->token.start = lexer->at;
	lexer->token.escaped = false;
	lexer->token.type = scan(lexer);
	lexer->token.end = lexer->at;
	return lexer->token.type;
}

/* Bytes of the character at @at when ClearML lets it stand in a key: its own
 * list, and the letters of Latin-1. */
static inline size_t key_character(const struct lexer *lexer, size_t at)
{
	const unsigned char *p = (const unsigned char *)lexer->text + at;

	if (class_of[*p] & (KEY | BLANK))
		return 1;
	return *p == 0xC3 && p[1] != 0x97 && p[1] != 0xB7 ? 2 : 0;
}

/* A number only makes a key when nothing but the line's end follows, so the
 * caller looks for it in the text. */
void lexer_key(struct lexer *lexer)
{
	size_t size;

	lexer->token.start = lexer->at;
	lexer->token.escaped = false;
	if (lexer->text[lexer->at] == '"') {
		lexer->token.type = scan_quoted(lexer);
	} else {
		while ((size = key_character(lexer, lexer->at)))
			lexer->at += size;
		lexer->token.type = TOKEN_TEXT;
	}
	lexer->token.end = lexer->at;
}

struct str lexer_blanks(struct lexer *lexer)
{
	size_t start = lexer->at;

	(void)skip_blanks(lexer); /* a failure comes again with the next word */
	return lexer_text(lexer, start, lexer->at, false);
}
