#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "config/linear_pattern.h"

static bool compiles(const char *text)
{
	struct linear_pattern pattern = {.atoms = 0};

	return linear_pattern_add(&pattern, str_from(text));
}

static bool matches(const char *text, const char *key)
{
	struct linear_pattern pattern = {.atoms = 0};

	assert_true(linear_pattern_add(&pattern, str_from(text)));
	return linear_pattern_match(&pattern, str_from(key));
}

static const struct {
	const char *pattern, *key;
	bool match;
} cases[] = {
	{"host", "my_host", true},
	{"HOST", "my_host", true},
	{"^host", "my_host", false},
	{"^host", "hosts", true},
	{"host$", "hosts", false},
	{"^host$", "host", true},
	{"^$", "", true},
	{"^$", "a", false},
	{"a.c", "xabcx", true},
	{"a.c", "ac", false},
	{"a\\.c", "abc", false},
	{"a\\.c", "a.c", true},
	{"sign[a-z]*", "sig", false},
	{"^x[0-9]+$", "x12", true},
	{"^x[0-9]+$", "x", false},
	{"^x[^0-9]$", "xa", true},
	{"^x[^0-9]$", "x1", false},
	{"^colou?r$", "color", true},
	{"^colou?r$", "colouur", false},
	{"^a?b?c?$", "ac", true},
	{"^a?b?c?$", "ca", false},
	{"a.*z", "a----z", true},
	{"^a.*z$", "az-", false},
	{"^\\d+$", "123", true},
	{"^\\w+\\s\\w+$", "a b", true},
	{"^one$|two", "xtwox", true},
	{"^one$|two", "one", true},
	{"^one$|two", "ones", false},
	{"a$|b", "ac", false},
	{"^(aws|gcp)_key$", "gcp_key", true},
	{"^(aws|gcp)_key$", "aws_keys", false},
	{"(^|_)pin$", "pin", true},
	{"(^|_)pin$", "my_pin", true},
	{"(^|_)pin$", "spin", false},
	{"^a{2,3}$", "a", false},
	{"^a{2,3}$", "aaa", true},
	{"^a{2,3}$", "aaaa", false},
	{"^a{2}$", "aaa", false},
	{"^(ab){2,}$", "ababab", true},
	{"^(ab){2,}$", "ab", false},
	{"^(a?b){0,2}$", "bab", true},
	{"^(a|b)*c(d|e)+$", "ababcded", true},
	{"^((a|b){2}|c)+$", "abcba", true},
	{"^((a|b){2}|c)+$", "abcb", false},
	{"^[[:digit:]_]+$", "1_2", true},
	{"^[^[:alpha:]]$", "x", false},
	{"^\xc3\xa9?$", "", true},
	{"^(\xc3\xa9)+$", "\xc3\xa9\xc3\xa9", true},
	{"^^a$$", "a", true},
	{"a^b", "a^b", false},
	{"a$b", "ab", false},
	{"[]]", "]", true},
	{"[a-]", "-", true},
	{"", "anything", true},
};

static void it_says_what_the_expression_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (matches(cases[i].pattern, cases[i].key) != cases[i].match)
			fail_msg("%s of %s", cases[i].pattern, cases[i].key);
}

static void what_could_cost_more_is_no_pattern(void **state)
{
	static const char *const bad[] = {
		"(a*)*\\1",
		"[ab]*a[ab]{200}c",
		"a**",
		"*a",
		"^*",
		"[",
		"[a",
		"[z-a]",
		"[[:a:]]",
		"a\\",
		"\\1",
		"\\b",
		"(a",
		"a)",
		"()",
		"(){9}",
		"((a{8}){8}){8}",
		"a{0}",
		"a{2,1}",
		"a{,2}",
		"a{2",
		"a{64}",
		"a{x}",
		"(?:a)",
		"{",
		"a{99999999999999999999}",
		"[\xc3\xa9]",
	};
	char text[LINEAR_PATTERN_BYTES + 2];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(compiles(bad[i]));
	memset(text, 'a', sizeof(text));
	text[LINEAR_PATTERN_ATOMS + 1] = '\0';
	assert_false(compiles(text));
	text[LINEAR_PATTERN_ATOMS] = '\0';
	assert_true(matches(text, text));
	memset(text, '(', sizeof(text));
	memcpy(text + LINEAR_PATTERN_DEPTH, "a", 1);
	memset(text + LINEAR_PATTERN_DEPTH + 1, ')', LINEAR_PATTERN_DEPTH);
	text[2 * LINEAR_PATTERN_DEPTH + 1] = '\0';
	assert_true(matches(text, "a"));
	assert_false(compiles("(((((((((((((((((a)))))))))))))))))"));
}

static void several_are_one_until_there_is_no_room(void **state)
{
	struct linear_pattern pattern = {.atoms = 0};
	size_t count = 0;

	(void)state;
	assert_true(linear_pattern_add(&pattern, STR("^one$")));
	assert_true(linear_pattern_add(&pattern, STR("tw+o")));
	assert_false(linear_pattern_add(&pattern, STR("three(")));
	while (linear_pattern_add(&pattern, STR("abcdef*")))
		count++;
	assert_in_range(count, 5, 10);
	assert_true(linear_pattern_match(&pattern, STR("one")));
	assert_false(linear_pattern_match(&pattern, STR("ones")));
	assert_true(linear_pattern_match(&pattern, STR("xtwwox")));
	assert_true(linear_pattern_match(&pattern, STR("xabcdex")));
	assert_false(linear_pattern_match(&pattern, STR("three")));
}

/* --- beside the C library's ------------------------------------------------
 */

static void add_random_atom(struct buf *pattern, int depth);

static void add_random_atoms(struct buf *pattern, int depth)
{
	add_random_atom(pattern, depth);
	for (long n = random() % 4; n > 0; n--)
		add_random_atom(pattern, depth);
}

static void add_random_group(struct buf *pattern, int depth)
{
	buf_putc(pattern, '(');
	add_random_atoms(pattern, depth);
	if (random() % 2) {
		buf_putc(pattern, '|');
		add_random_atoms(pattern, depth);
	}
	buf_putc(pattern, ')');
}

static void add_random_atom(struct buf *pattern, int depth)
{
	static const char *const atoms[] = {"a",    "b",    "c",    ".",
					    "[ab]", "[^a]", "[a-c]"};
	static const char *const repeats[] = {"",  "",  "",    "",      "*",
					      "+", "?", "{2}", "{0,2}", "{1,}"};

	if (depth < 2 && random() % 4 == 0)
		add_random_group(pattern, depth + 1);
	else
		buf_puts(pattern, atoms[(size_t)random() % ARRAY_SIZE(atoms)]);
	buf_puts(pattern, repeats[(size_t)random() % ARRAY_SIZE(repeats)]);
}

static void add_random_alternative(struct buf *pattern)
{
	if (random() % 4 == 0)
		buf_putc(pattern, '^');
	add_random_atoms(pattern, 0);
	if (random() % 4 == 0)
		buf_putc(pattern, '$');
}

static void make_random_key(char *key, size_t most)
{
	size_t length = (size_t)random() % most;

	for (size_t i = 0; i < length; i++)
		key[i] = "abcdABCD"[random() % 8];
	key[length] = '\0';
}

static void it_agrees_with_regexec(void **state)
{
	(void)state;
	srandom(20261129);
	for (int round = 0; round < 3000; round++) {
		_cleanup_(buf_deinit) struct buf text = BUF_INIT;
		const char *pattern;
		char key[12];
		regex_t regex;

		add_random_alternative(&text);
		if (random() % 3 == 0) {
			buf_putc(&text, '|');
			add_random_alternative(&text);
		}
		pattern = buf_str(&text).ptr;
		assert_int_equal(regcomp(&regex, pattern,
					 REG_EXTENDED | REG_NOSUB | REG_ICASE),
				 0);
		for (int i = 0; i < 20 && compiles(pattern); i++) {
			make_random_key(key, sizeof(key));
			if (matches(pattern, key) !=
			    (regexec(&regex, key, 0, NULL, 0) == 0))
				fail_msg("%s of %s", pattern, key);
		}
		regfree(&regex);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_says_what_the_expression_says),
		cmocka_unit_test(what_could_cost_more_is_no_pattern),
		cmocka_unit_test(several_are_one_until_there_is_no_room),
		cmocka_unit_test(it_agrees_with_regexec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
