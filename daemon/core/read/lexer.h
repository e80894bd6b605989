#ifndef READ_LEXER_H
#define READ_LEXER_H

/*
 * Lexer: the words of a HOCON text as ClearML's parser takes them.
 *
 * What a word is depends on where it stands, so there is one function for each
 * place: lexer_next for values, lexer_key for keys, lexer_skip for what may
 * lie between fields. Tokens are byte offsets into the source; lexer_text makes
 * a string of one, which is a slice of the source unless it has something to
 * decode. Blanks and comments before a token are skipped.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct reading;
struct source;

enum token_type {
	TOKEN_END,
	TOKEN_LINE_END,
	TOKEN_COMMA,
	TOKEN_OPEN_BRACE,
	TOKEN_CLOSE_BRACE,
	TOKEN_OPEN_BRACKET,
	TOKEN_CLOSE_BRACKET,
	TOKEN_SUBST,  /* ${...} */
	TOKEN_QUOTED, /* "..." */
	TOKEN_TRIPLE, /* """...""" */
	TOKEN_TEXT,   /* a run without blanks */
	TOKEN_INTEGER,
	TOKEN_REAL,
	TOKEN_TRUE,
	TOKEN_FALSE,
	TOKEN_NULL,
	TOKEN_INCLUDE, /* the word, with what makes it an include after it */
	TOKEN_JOIN,    /* backslash and line end: the value goes on */
	TOKEN_BAD,     /* cannot stand here; the value ends before it */
	TOKEN_FAILED,  /* the diag is set */
};

struct lexer_token {
	enum token_type type;
	size_t start, end; /* with quotes and braces, without blanks */
	bool escaped;      /* holds a backslash */
	bool commented;    /* a comment stands before it */
};

struct lexer {
	struct reading *reading;
	struct source *source;
	const char *text; /* a NUL follows the end */
	size_t at, len;
	struct lexer_token token;   /* the last one */
	bool has_tabs, has_returns; /* the text does, somewhere */
	size_t tab_at, tab_column;  /* how far columns have been counted */
	size_t before; /* columns that ClearML puts before the text */
};

void lexer_init(struct lexer *lexer, struct reading *reading,
		struct source *source);

/* Read the next word of a value into lexer->token. */
enum token_type lexer_next(struct lexer *lexer);

/* Blanks and comments; with @lines also line ends, with @commas both. The byte
 * after them, unconsumed; 0 at the end too, or when the diag is set. */
enum lexer_skip { LEXER_BLANKS, LEXER_LINES, LEXER_COMMAS };
char lexer_skip(struct lexer *lexer, enum lexer_skip what);

static inline bool lexer_at_end(const struct lexer *lexer)
{
	return lexer->at >= lexer->len;
}

/* A quoted key, or a run of the characters ClearML allows in one, which may be
 * empty; into lexer->token as TOKEN_QUOTED or TOKEN_TEXT. */
void lexer_key(struct lexer *lexer);

/* Is the include keyword next, with what makes it one? Consumes nothing. */
bool lexer_at_include(const struct lexer *lexer);

/* Like lexer_at_include, where line ends may come after the keyword. */
bool lexer_at_include_below(const struct lexer *lexer);

/* The blanks that follow the last token, consumed; tabs expanded. */
struct str lexer_blanks(struct lexer *lexer);

/* What [@start, @end) of the source means: tabs are spaces up to the next of
 * ClearML's 8-column stops, and with @decode escapes are decoded. */
struct str lexer_text(struct lexer *lexer, size_t start, size_t end,
		      bool decode);

/* Bytes of the white space other than space, tab and line ends at @at: HOCON
 * has it, ClearML refuses it. 0: none. */
size_t lexer_odd_space(const struct lexer *lexer, size_t at);

/* May the byte stand in a key without quotes, by the HOCON specification? */
bool lexer_is_hocon_key(char c);

/* One of the characters that end a key's element. */
static inline bool lexer_is_special(char c)
{
	switch (c) {
	case '$':
	case '}':
	case '[':
	case ']':
	case ':':
	case '=':
	case '+':
	case '#':
	case '`':
	case '^':
	case '?':
	case '!':
	case '@':
	case '*':
	case '&':
	case '.': return true;
	default: return false;
	}
}

#endif
