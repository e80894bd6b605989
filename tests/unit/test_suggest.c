#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/suggest.h"

static void assert_guess(const char *typed, const char *expected)
{
	static const char *const words[] = {"get", "watch", "status", "storage",
					    "a.long.word"};
	struct suggest near = SUGGEST_FOR(str_from(typed));
	_cleanup_(mem_freep) char *guess = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		suggest_offer(&near, words[i]);
	guess = suggest_text(&near, "");
	assert_string_equal(guess, expected);
}

static void what_is_nearly_a_word_is_guessed(void **state)
{
	(void)state;
	assert_guess("statsu", " (is 'status' meant?)");
	assert_guess("gett", " (is 'get' meant?)");
	assert_guess("WATHC", " (is 'watch' meant?)");
	assert_guess("storge", " (is 'storage' meant?)");
	assert_guess("along.wrd", " (is 'a.long.word' meant?)");
}

static void what_is_like_none_is_not(void **state)
{
	(void)state;
	assert_guess("", "");
	assert_guess("gat e", "");
	assert_guess("gxx", "");
	assert_guess("nothing", "");
	assert_guess("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		     "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_nearly_a_word_is_guessed),
		cmocka_unit_test(what_is_like_none_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
