#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "read/doc.h"
#include "read/lexer.h"
#include "read/reading.h"

/* One text and a lexer over it. */
struct words {
	struct doc *doc;
	struct read_options options;
	struct diag diag;
	struct reading reading;
	struct lexer lexer;
};

static void words_init(struct words *words, struct str text)
{
	struct source *source;

	*words = (struct words){.options = {.limits = READ_LIMITS_DEFAULT}};
	words->doc = doc_new();
	source = doc_add_source(words->doc);
	assert_int_equal(source_from_text(source, &words->doc->arena, "text",
					  text, &words->diag),
			 0);
	words->reading = (struct reading){
		.doc = words->doc,
		.arena = &words->doc->arena,
		.options = &words->options,
		.diag = &words->diag,
	};
	lexer_init(&words->lexer, &words->reading, source);
}

static void words_deinit(struct words *words)
{
	doc_unref(words->doc);
	diag_deinit(&words->diag);
}

/* The types of the words of @text, a letter each. */
static char *types_of(const char *text)
{
	static const char letters[] = {
		[TOKEN_END] = '.',           [TOKEN_LINE_END] = ';',
		[TOKEN_COMMA] = ',',         [TOKEN_OPEN_BRACE] = '{',
		[TOKEN_CLOSE_BRACE] = '}',   [TOKEN_OPEN_BRACKET] = '[',
		[TOKEN_CLOSE_BRACKET] = ']', [TOKEN_SUBST] = '$',
		[TOKEN_QUOTED] = 'q',        [TOKEN_TRIPLE] = 'Q',
		[TOKEN_TEXT] = 't',          [TOKEN_INTEGER] = 'i',
		[TOKEN_REAL] = 'r',          [TOKEN_TRUE] = 'T',
		[TOKEN_FALSE] = 'F',         [TOKEN_NULL] = 'N',
		[TOKEN_INCLUDE] = 'I',       [TOKEN_JOIN] = '\\',
		[TOKEN_BAD] = '!',           [TOKEN_FAILED] = '?',
	};
	_cleanup_(words_deinit) struct words words;
	_cleanup_(buf_deinit) struct buf out = BUF_INIT;
	enum token_type type;

	words_init(&words, str_from(text));
	do {
		type = lexer_next(&words.lexer);
		buf_putc(&out, letters[type]);
	} while (type != TOKEN_END && type != TOKEN_BAD &&
		 type != TOKEN_FAILED);
	return buf_take(&out);
}

static void assert_types(const char *text, const char *expected)
{
	_cleanup_(mem_freep) char *types = types_of(text);

	assert_string_equal(types, expected);
}

static void every_word_has_its_type(void **state)
{
	(void)state;
	assert_types("", ".");
	assert_types("{ } [ ] ,\r\n", "{}[],;;.");
	assert_types("\"q\" \"\"\"t\"\"\" x ${a} ${?b}", "qQt$$.");
	assert_types("TRUE false Null", "TFN.");
	assert_types("trues true_x nulls f", "tttt.");
	assert_types("x \\\n y", "t\\t.");
}

static void a_number_needs_an_end(void **state)
{
	(void)state;
	assert_types("1", "i.");
	assert_types("1 ", "t.");
	assert_types("1\n", "i;.");
	assert_types("-1.5e+3, +2]", "r,i].");
	assert_types("1 // c", "i.");
	assert_types("1 2,", "ti,.");
	assert_types("1.,", "t,.");
	assert_types("1e,", "t,.");
	assert_types(".5}", "r}.");
	assert_types("1/2", "t.");
}

static void an_include_needs_a_name(void **state)
{
	(void)state;
	assert_types("include \"x\"", "Iq.");
	assert_types("Include url", "It.");
	assert_types("include required", "It.");
	assert_types("include x", "tt.");
	assert_types("includes \"x\"", "tq.");
	assert_types("include urls", "tt.");
}

static void comments_are_no_words(void **state)
{
	(void)state;
	assert_types("# a\n// b\rx // c", ";;t.");
	assert_types("x//y # z", "t.");
}

static void what_cannot_stand_ends_the_value(void **state)
{
	(void)state;
	assert_types("a@", "t!");
	assert_types("=", "!");
	assert_types("$x", "!");
	assert_types("\"x", "?");
	assert_types("\"x\ny\"", "?");
	assert_types("${x", "?");
	assert_types("${}", "?");
	assert_types("a\\", "t!");
}

static void plain_text_is_a_slice_of_the_source(void **state)
{
	_cleanup_(words_deinit) struct words words;
	struct lexer *lexer = &words.lexer;
	struct str text;

	(void)state;
	words_init(&words, STR("  word  \"quoted\""));
	assert_int_equal(lexer_next(lexer), TOKEN_TEXT);
	text = lexer_text(lexer, lexer->token.start, lexer->token.end, true);
	assert_true(str_is(text, "word"));
	assert_ptr_equal(text.ptr, lexer->text + 2);
	assert_true(str_is(lexer_blanks(lexer), "  "));
	assert_int_equal(lexer_next(lexer), TOKEN_QUOTED);
	text = lexer_text(lexer, lexer->token.start + 1, lexer->token.end - 1,
			  true);
	assert_ptr_equal(text.ptr, lexer->text + 9);
}

static void escapes_are_clearmls(void **state)
{
	_cleanup_(words_deinit) struct words words;
	struct lexer *lexer = &words.lexer;
	struct str text;

	(void)state;
	words_init(&words, STR("a\\n\\t\\r\\\\\\=\\#\\!\\\"\\/\\u\\ b"));
	assert_int_equal(lexer_next(lexer), TOKEN_TEXT);
	text = lexer_text(lexer, lexer->token.start, lexer->token.end, true);
	assert_true(str_is(text, "a\n\t\r\\=#!\"\\/\\u\\ b"));
}

static void tabs_reach_the_next_stop(void **state)
{
	_cleanup_(words_deinit) struct words words;
	struct lexer *lexer = &words.lexer;

	(void)state;
	words_init(&words, STR("\xC3\xA9\t|\t|\n1234567\t|12345678\t|"));
	assert_true(str_is(lexer_text(lexer, 0, 6, false),
			   "\xC3\xA9       |       |"));
	assert_true(str_is(lexer_text(lexer, 7, 26, false),
			   "1234567 |12345678       |"));
	assert_true(str_is(lexer_text(lexer, 2, 4, false), "       |"));
}

static void a_key_is_what_clearml_takes_for_one(void **state)
{
	_cleanup_(words_deinit) struct words words;
	struct lexer *lexer = &words.lexer;

	(void)state;
	words_init(&words, STR("gr\xC3\xB6\xC3\x9F"
			       "e a/b-c_d.1\xC3\x97"));
	lexer_key(lexer);
	assert_int_equal(lexer->token.type, TOKEN_TEXT);
	assert_int_equal(lexer->token.end, lexer->len - 2);
}

static void odd_space_is_known(void **state)
{
	static const char *const odd[] = {
		"\v",       "\f",           "\x1C",         "\x1F",
		"\xC2\xA0", "\xE2\x80\x89", "\xE2\x80\xA8", "\xE3\x80\x80"};
	static const char *const not_odd[] = {
		" ", "\t", "\n", "\r", "x", "\xC2\xA1", "\xE2\x80\x8B"};
	_cleanup_(words_deinit) struct words words = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++) {
		words_deinit(&words);
		words_init(&words, str_from(odd[i]));
		assert_int_equal(lexer_odd_space(&words.lexer, 0),
				 strlen(odd[i]));
	}
	for (size_t i = 0; i < ARRAY_SIZE(not_odd); i++) {
		words_deinit(&words);
		words_init(&words, str_from(not_odd[i]));
		assert_int_equal(lexer_odd_space(&words.lexer, 0), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_word_has_its_type),
		cmocka_unit_test(a_number_needs_an_end),
		cmocka_unit_test(an_include_needs_a_name),
		cmocka_unit_test(comments_are_no_words),
		cmocka_unit_test(what_cannot_stand_ends_the_value),
		cmocka_unit_test(plain_text_is_a_slice_of_the_source),
		cmocka_unit_test(escapes_are_clearmls),
		cmocka_unit_test(tabs_reach_the_next_stop),
		cmocka_unit_test(a_key_is_what_clearml_takes_for_one),
		cmocka_unit_test(odd_space_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
