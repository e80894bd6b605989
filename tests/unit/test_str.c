#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

/* Put after ASCII of every length up to LENGTHS: the fast path takes eight
 * bytes at a time. */
#define LENGTHS 18

static void assert_valid(struct str piece)
{
	char text[LENGTHS + 8] = "aaaaaaaaaaaaaaaaaaaaaaaaa";

	for (size_t before = 0; before < LENGTHS; before++) {
		struct str whole = {text, before + piece.len};

		memcpy(text + before, piece.ptr, piece.len);
		assert_int_equal(str_utf8_invalid(whole), whole.len);
		memset(text + before, 'a', piece.len);
	}
}

/* @piece has its fault at its very start. */
static void assert_invalid(struct str piece)
{
	char text[LENGTHS + 16] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

	for (size_t before = 0; before < LENGTHS; before++) {
		memcpy(text + before, piece.ptr, piece.len);
		assert_int_equal(str_utf8_invalid((struct str){
					 text, before + piece.len}),
				 before);
		assert_int_equal(str_utf8_invalid((struct str){
					 text, before + piece.len + 9}),
				 before);
		memset(text + before, 'a', piece.len);
	}
}

static void the_ends_of_each_length_are_valid(void **state)
{
	static const struct str valid[] = {
		STR(""),
		STR("\0"),
		STR("\x7F"),
		STR("\xC2\x80"),
		STR("\xDF\xBF"),
		STR("\xE0\xA0\x80"),
		STR("\xE0\xBF\xBF"),
		STR("\xE1\x80\x80"),
		STR("\xEC\xBF\xBF"),
		STR("\xED\x80\x80"),
		STR("\xED\x9F\xBF"), /* just below the surrogates */
		STR("\xEE\x80\x80"), /* just above them */
		STR("\xEF\xBF\xBF"),
		STR("\xF0\x90\x80\x80"),
		STR("\xF0\xBF\xBF\xBF"),
		STR("\xF1\x80\x80\x80"),
		STR("\xF3\xBF\xBF\xBF"),
		STR("\xF4\x80\x80\x80"),
		STR("\xF4\x8F\xBF\xBF"), /* U+10FFFF */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(valid); i++)
		assert_valid(valid[i]);
}

static void what_unicode_excludes_is_invalid(void **state)
{
	static const struct str invalid[] = {
		STR("\x80"),
		STR("\xBF"),
		STR("\xC0\x80"), /* overlong NUL */
		STR("\xC1\xBF"),
		STR("\xE0\x80\x80"), /* overlong */
		STR("\xE0\x9F\xBF"),
		STR("\xED\xA0\x80"), /* surrogates */
		STR("\xED\xBF\xBF"),
		STR("\xF0\x80\x80\x80"), /* overlong */
		STR("\xF0\x8F\xBF\xBF"),
		STR("\xF4\x90\x80\x80"), /* above U+10FFFF */
		STR("\xF5\x80\x80\x80"),
		STR("\xF8\x88\x80\x80\x80"),
		STR("\xFE"),
		STR("\xFF"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(invalid); i++)
		assert_invalid(invalid[i]);
}

static void a_broken_sequence_is_found_where_it_begins(void **state)
{
	static const struct str invalid[] = {
		STR("\xC2"),         STR("\xC2\x7F"),         STR("\xC2\xC0"),
		STR("\xE1\x80"),     STR("\xE1\x80\x7F"),     STR("\xE1\x7F"),
		STR("\xE1\x80\xC0"), STR("\xF1\x80\x80"),     STR("\xF1\x80"),
		STR("\xF1"),         STR("\xF1\x80\x80\x7F"), STR("\xF1\xC0"),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(invalid); i++)
		assert_invalid(invalid[i]);
}

/* All of Unicode, encoded the long way round. */
static void every_code_point_but_surrogates_is_valid(void **state)
{
	(void)state;
	for (uint32_t c = 0x800; c < 0x10000; c++) {
		char text[] = {(char)(0xE0 | c >> 12),
			       (char)(0x80 | (c >> 6 & 0x3F)),
			       (char)(0x80 | (c & 0x3F))};
		size_t expected = c >= 0xD800 && c < 0xE000 ? 0 : 3;

		assert_int_equal(str_utf8_invalid((struct str){text, 3}),
				 expected);
	}
}

static void length_counts_characters(void **state)
{
	(void)state;
	assert_int_equal(str_utf8_length(STR("")), 0);
	assert_int_equal(str_utf8_length(STR("a\0b")), 3);
	assert_int_equal(str_utf8_length(STR("\u00e9\u20ac\U0001F600")), 3);
}

static void order_is_that_of_bytes(void **state)
{
	(void)state;
	assert_true(str_compare(STR("a"), STR("b")) < 0);
	assert_true(str_compare(STR("a"), STR("ab")) < 0);
	assert_true(str_compare(STR("ab"), STR("a")) > 0);
	assert_true(str_compare(STR("z"), STR("\u00e9")) < 0);
	assert_true(str_compare(STR("a\0b"), STR("a\0a")) > 0);
	assert_int_equal(str_compare(STR(""), (struct str){0}), 0);
}

static struct str word_at(const void *list, size_t i)
{
	return str_from(((const char *const *)list)[i]);
}

static void a_text_has_its_place_in_the_order(void **state)
{
	static const char *const words[] = {"", "b", "b", "d", "f"};

	(void)state;
	assert_int_equal(str_place(STR("b"), words, 0, word_at), 0);
	assert_int_equal(str_place(STR(""), words, 5, word_at), 0);
	assert_int_equal(str_place(STR("a"), words, 5, word_at), 1);
	assert_int_equal(str_place(STR("b"), words, 5, word_at), 1);
	assert_int_equal(str_place(STR("c"), words, 5, word_at), 3);
	assert_int_equal(str_place(STR("f"), words, 5, word_at), 4);
	assert_int_equal(str_place(STR("g"), words, 5, word_at), 5);
}

static void equality_needs_the_same_length(void **state)
{
	(void)state;
	assert_true(str_equal((struct str){0}, STR("")));
	assert_false(str_equal(STR("a"), STR("ab")));
	assert_false(str_equal(STR("a\0b"), STR("a\0c")));
	assert_true(str_is(STR("a"), "a"));
	assert_true(str_is(STR(""), NULL));
	assert_true(str_equal_nocase(STR("aBc"), STR("AbC")));
	assert_false(str_equal_nocase(STR("abc"), STR("ab")));
	assert_false(str_equal_nocase(STR("\u00e9"), STR("\u00c9")));
}

static void ends_are_compared_within_bounds(void **state)
{
	(void)state;
	assert_true(str_starts(STR("abc"), STR("ab")));
	assert_true(str_starts(STR("abc"), STR("")));
	assert_false(str_starts(STR("a"), STR("ab")));
	assert_true(str_ends(STR("a.conf"), STR(".conf")));
	assert_true(str_ends((struct str){0}, STR("")));
	assert_false(str_ends(STR("conf"), STR(".conf")));
}

static void an_offset_past_the_end_gives_nothing(void **state)
{
	struct str absent = str_from_offset((struct str){0}, 0);

	(void)state;
	assert_true(str_is(str_from_offset(STR("abc"), 1), "bc"));
	assert_true(str_is(str_from_offset(STR("abc"), 3), ""));
	assert_true(str_is(str_from_offset(STR("abc"), 4), ""));
	assert_true(str_is(str_from_offset(STR("abc"), SIZE_MAX), ""));
	assert_null(absent.ptr);
	assert_int_equal(str_from_offset((struct str){0}, 5).len, 0);
}

static void words_are_what_white_space_separates(void **state)
{
	struct str rest = STR(" one\ttwo \n three"), word;

	(void)state;
	assert_true(str_next_word(&rest, &word) && str_is(word, "one"));
	assert_true(str_next_word(&rest, &word) && str_is(word, "two"));
	assert_true(str_next_word(&rest, &word) && str_is(word, "three"));
	assert_false(str_next_word(&rest, &word));
	assert_false(str_next_word(&rest, &word));
	rest = (struct str){0};
	assert_false(str_next_word(&rest, &word));
}

static void trimming_takes_white_space_from_both_ends(void **state)
{
	(void)state;
	assert_true(str_is(str_trim(STR(" \t\r\n\v\fa b \n")), "a b"));
	assert_true(str_is(str_trim(STR(" \n ")), ""));
	assert_true(str_is(str_trim(STR("")), ""));
	assert_true(str_is(str_trim((struct str){0}), ""));
	assert_true(str_is(str_trim(STR("\u00a0a")), "\u00a0a"));
}

static void clearmls_booleans_are_known_in_any_case(void **state)
{
	static const char *const yes[] = {"y", "YES", "t", "True", "oN", "1"};
	static const char *const no[] = {"n", "NO", "f", "False", "ofF", "0"};
	bool value;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		value = false;
		assert_true(str_to_bool(str_from(yes[i]), &value));
		assert_true(value);
	}
	for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
		value = true;
		assert_true(str_to_bool(str_from(no[i]), &value));
		assert_false(value);
	}
}

static void other_words_are_no_booleans(void **state)
{
	static const struct str words[] = {
		STR(""),        STR("2"),     STR("tru"),
		STR("truee"),   STR(" true"), STR("01"),
		STR("enabled"), STR("1\0"),   {NULL, 0},
	};
	bool value = true;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		assert_false(str_to_bool(words[i], &value));
	assert_true(value);
}

static void hashes_see_every_byte_and_the_length(void **state)
{
	char text[33] = "abcdefghijklmnopqrstuvwxyz012345";
	uint32_t hash;

	(void)state;
	for (size_t len = 1; len <= 32; len++) {
		struct str view = {text, len};

		hash = str_hash(view);
		assert_int_equal(str_hash(view), hash);
		assert_int_not_equal(str_hash((struct str){text, len - 1}),
				     hash);
		for (size_t i = 0; i < len; i++) {
			text[i] ^= 1;
			assert_int_not_equal(str_hash(view), hash);
			text[i] ^= 1;
		}
	}
	assert_int_not_equal(str_hash(STR("a")), str_hash(STR("a\0")));
	assert_int_equal(str_hash(STR("")), str_hash((struct str){0}));
}

/* The tables use the low bits: no slot of 1024 may get more than a few of
 * 1024 like-named keys (expected maximum about 6). */
/* It lies in files: another version has to find the same. */
static void a_fold_is_the_same_for_ever(void **state)
{
	(void)state;
	assert_true(str_fold(STR(""), 1) == UINT64_C(0xd6e8feb86659fd93));
	assert_true(str_fold(STR("a: 1\n"), 1) == UINT64_C(0xb5ca327f1403c2e5));
	assert_true(str_fold(STR("0123456789abcdef"), 7) ==
		    UINT64_C(0xed2a6f1adf8855c7));
}

static void hashes_spread_keys_that_look_alike(void **state)
{
	unsigned char load[1024] = {0};
	char key[] = "agent.key.0000";
	size_t slot;

	(void)state;
	for (int i = 0; i < 1024; i++) {
		for (int k = 0, n = i; k < 4; k++, n /= 10)
			key[13 - k] = (char)('0' + n % 10);
		slot = str_hash(str_from(key)) % ARRAY_SIZE(load);
		load[slot]++;
		assert_true(load[slot] < 20);
	}
}

/* --- keys that somebody has chosen so that they collide ---------------------
 */

#define CHOSEN 512u
#define SLOTS  (2 * CHOSEN) /* as an object's table has */
#define WORD   24

struct chosen {
	char keys[CHOSEN][WORD];
};

static const char *program;

/* What it takes to put them into a table of open addressing. */
static unsigned int count_steps(const struct chosen *chosen)
{
	bool taken[SLOTS] = {false};
	unsigned int steps = 0;

	for (size_t i = 0; i < CHOSEN; i++) {
		uint32_t at = str_hash(str_from(chosen->keys[i])) % SLOTS;

		for (steps++; taken[at]; steps++)
			at = (at + 1) % SLOTS;
		taken[at] = true;
	}
	return steps;
}

/* By the hash of this process. */
static void choose(struct chosen *chosen)
{
	char key[WORD] = "";
	size_t count = 0;

	for (unsigned int i = 0; count < CHOSEN; i++) {
		(void)snprintf(key, sizeof(key), "key-%u", i);
		if (str_hash(str_from(key)) % SLOTS == 0)
			memcpy(chosen->keys[count++], key, sizeof(key));
	}
}

/* The exit status of another process that is given them: 0, it takes hardly
 * more steps than they are many. */
static int ask_another(const struct chosen *chosen)
{
	FILE *file = tmpfile();
	int status;
	pid_t pid;

	assert_non_null(file);
	assert_int_equal(fwrite(chosen, sizeof(*chosen), 1, file), 1);
	rewind(file);
	pid = fork();
	if (pid == 0) {
		(void)dup2(fileno(file), STDIN_FILENO);
		(void)execl(program, program, "count", (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(fclose(file), 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int answer(void)
{
	struct chosen chosen;

	if (fread(&chosen, sizeof(chosen), 1, stdin) != 1)
		return 2;
	return count_steps(&chosen) < 4 * CHOSEN ? 0 : 1;
}

static void keys_that_collide_here_do_not_elsewhere(void **state)
{
	struct chosen chosen;

	(void)state;
	choose(&chosen);
	assert_int_equal(count_steps(&chosen), CHOSEN * (CHOSEN + 1) / 2);
	assert_int_equal(ask_another(&chosen), 0);
}

/* Nine times the one or the other. */
static void spell(char key[WORD], const char *const pair[2], size_t choice)
{
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	for (size_t bit = 0; bit < 9; bit++)
		buf_puts(&text, pair[choice >> bit & 1]);
	memcpy(key, buf_str(&text).ptr, text.len + 1);
}

/* What collides by hashes that add up bytes or words, or take turns with them.
 */
static void keys_that_are_alike_do_not_collide(void **state)
{
	static const char *const pairs[][2] = {
		{"Aa", "BB"}, {"ab", "ba"}, {"0", "1"}, {"\x80", "\x01"}};

	(void)state;
	for (size_t p = 0; p < ARRAY_SIZE(pairs); p++) {
		struct chosen chosen = {.keys = {{'\0'}}};

		for (size_t i = 0; i < CHOSEN; i++)
			spell(chosen.keys[i], pairs[p], i);
		assert_in_range(count_steps(&chosen), CHOSEN, 4 * CHOSEN);
	}
}

static void numbers_are_digits_alone(void **state)
{
	static const char *const wrong[] = {
		"",    " 1",  "1 ",  "+1",       "-1",
		"1.0", "0x1", "1e1", "\xd9\xa1", "1000000000000000000",
	};
	int64_t number;

	(void)state;
	assert_true(str_to_number(STR("0"), &number));
	assert_int_equal(number, 0);
	assert_true(str_to_number(STR("0042"), &number));
	assert_int_equal(number, 42);
	assert_true(str_to_number(STR("999999999999999999"), &number));
	assert_int_equal(number, INT64_C(999999999999999999));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_false(str_to_number(str_from(wrong[i]), &number));
}

static void hexadecimal_digits_are_bytes(void **state)
{
	static const char *const wrong[] = {"",     "0",    "00f", "00ff0",
					    "00fg", "0x0f", "00 f"};
	unsigned char bytes[2] = {1, 1};

	(void)state;
	assert_true(str_read_hex(STR("00fF"), bytes, 2));
	assert_int_equal(bytes[0], 0);
	assert_int_equal(bytes[1], 255);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_false(str_read_hex(str_from(wrong[i]), bytes, 2));
	for (int c = -128; c < 128; c++)
		assert_int_equal(str_hex_digit((char)c) >= 0,
				 c > 0 && strchr("0123456789abcdefABCDEF", c));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_ends_of_each_length_are_valid),
		cmocka_unit_test(what_unicode_excludes_is_invalid),
		cmocka_unit_test(hexadecimal_digits_are_bytes),
		cmocka_unit_test(a_broken_sequence_is_found_where_it_begins),
		cmocka_unit_test(every_code_point_but_surrogates_is_valid),
		cmocka_unit_test(length_counts_characters),
		cmocka_unit_test(order_is_that_of_bytes),
		cmocka_unit_test(a_text_has_its_place_in_the_order),
		cmocka_unit_test(equality_needs_the_same_length),
		cmocka_unit_test(ends_are_compared_within_bounds),
		cmocka_unit_test(an_offset_past_the_end_gives_nothing),
		cmocka_unit_test(words_are_what_white_space_separates),
		cmocka_unit_test(trimming_takes_white_space_from_both_ends),
		cmocka_unit_test(clearmls_booleans_are_known_in_any_case),
		cmocka_unit_test(other_words_are_no_booleans),
		cmocka_unit_test(hashes_see_every_byte_and_the_length),
		cmocka_unit_test(a_fold_is_the_same_for_ever),
		cmocka_unit_test(hashes_spread_keys_that_look_alike),
		cmocka_unit_test(keys_that_collide_here_do_not_elsewhere),
		cmocka_unit_test(keys_that_are_alike_do_not_collide),
		cmocka_unit_test(numbers_are_digits_alone),
	};

	program = argv[0];
	if (argc > 1)
		return answer();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
