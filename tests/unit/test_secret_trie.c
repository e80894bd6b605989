#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/mem.h"
#include "config/secret_trie.h"

static void add(struct secret_trie *trie, const char *secret)
{
	assert_true(secret_trie_add(trie, str_from(secret)));
}

static size_t at(const struct secret_trie *trie, const char *text)
{
	struct str view = str_from(text);
	uint64_t budget = secret_trie_budget(view.len);

	return secret_trie_at(trie, view, &budget);
}

static void an_empty_set_knows_nothing(void **state)
{
	struct secret_trie trie = {0};

	(void)state;
	assert_int_equal(at(&trie, ""), 0);
	assert_int_equal(at(&trie, "abcdefghi"), 0);
	secret_trie_deinit(&trie);
}

static void a_secret_is_found_where_it_begins(void **state)
{
	struct secret_trie trie = {0};

	(void)state;
	add(&trie, "abcdefgh");
	assert_int_equal(at(&trie, "abcdefgh"), 8);
	assert_int_equal(at(&trie, "abcdefghi"), 8);
	assert_int_equal(at(&trie, "abcdefg"), 0);
	assert_int_equal(at(&trie, "xabcdefgh"), 0);
	assert_int_equal(at(&trie, "abcdefgH"), 0);
	secret_trie_deinit(&trie);
	assert_int_equal(at(&trie, "abcdefgh"), 0);
}

/* Also when the tree has grown since, in a copy, and of no others. */
static void the_bytes_that_secrets_begin_with_are_known(void **state)
{
	struct secret_trie trie = {0}, copy;
	char secret[] = "abcdefg";
	const int step = 5;

	(void)state;
	for (int byte = 0; byte < 256; byte += step) {
		secret[0] = (char)byte;
		assert_true(secret_trie_add(&trie, (struct str){secret, 7}));
	}
	secret_trie_copy(&copy, &trie);
	for (int byte = 0; byte < 256; byte++) {
		secret[0] = (char)byte;
		assert_int_equal(secret_trie_may_begin(&copy, (char)byte),
				 byte % step == 0);
		assert_int_equal(
			secret_trie_has(&copy, (struct str){secret, 7}),
			byte % step == 0);
	}
	secret_trie_deinit(&copy);
	secret_trie_deinit(&trie);
	assert_false(secret_trie_may_begin(&trie, '\5'));
}

static void the_longest_is_found_whatever_came_first(void **state)
{
	static const char *const secrets[] = {"abcdefgh", "abcdefghijkl",
					      "abcdefghij", "abcdefghXXXX"};
	struct secret_trie trie;

	(void)state;
	for (size_t first = 0; first < 4; first++) {
		trie = (struct secret_trie){0};
		for (size_t i = 0; i < 4; i++)
			add(&trie, secrets[(first + i) % 4]);
		assert_int_equal(at(&trie, "abcdefghijklm"), 12);
		assert_int_equal(at(&trie, "abcdefghijkx"), 10);
		assert_int_equal(at(&trie, "abcdefghix"), 8);
		assert_int_equal(at(&trie, "abcdefghXXXXX"), 12);
		secret_trie_deinit(&trie);
	}
}

static void a_secret_is_kept_once(void **state)
{
	struct secret_trie trie = {0};

	(void)state;
	for (int i = 0; i < 100; i++) {
		add(&trie, "abcdefgh");
		add(&trie, "abcdefghi");
	}
	assert_int_equal(trie.count, 2);
	secret_trie_deinit(&trie);
}

static void thousands_are_all_found(void **state)
{
	struct secret_trie trie = {0};
	char secret[32];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(secret, sizeof(secret), "%08d-%d", i, i);
		add(&trie, secret);
	}
	assert_int_equal(trie.count, 5000);
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(secret, sizeof(secret), "%08d-%dx", i, i);
		assert_int_equal(at(&trie, secret), strlen(secret) - 1);
		secret[9] = '-';
		assert_int_equal(at(&trie, secret), 0);
	}
	secret_trie_deinit(&trie);
}

/* What is the same in many is kept once. */
static void secrets_with_a_common_beginning_cost_their_differences(void **state)
{
	static char secret[1024];
	struct secret_trie trie = {0};

	(void)state;
	memset(secret, 'a', sizeof(secret));
	for (int i = 0; i < 20000; i++) {
		(void)snprintf(secret + 1000, 24, "%05d", i);
		add(&trie, secret);
	}
	assert_int_equal(trie.count, 20000);
	assert_in_range(trie.byte_count, 1000, 200000);
	assert_true(secret_trie_has(&trie, str_from(secret)));
	secret[1004] = 'x';
	assert_int_equal(at(&trie, secret), 0);
	secret_trie_deinit(&trie);
}

static void a_prefix_of_another_is_one_of_its_own(void **state)
{
	struct secret_trie trie = {0};

	(void)state;
	add(&trie, "abcdefghijkl");
	assert_false(secret_trie_has(&trie, STR("abcdefgh")));
	assert_int_equal(at(&trie, "abcdefghi"), 0);
	add(&trie, "abcdefgh");
	assert_true(secret_trie_has(&trie, STR("abcdefgh")));
	assert_true(secret_trie_has(&trie, STR("abcdefghijkl")));
	assert_int_equal(at(&trie, "abcdefghi"), 8);
	secret_trie_deinit(&trie);
}

static void a_copy_has_a_life_of_its_own(void **state)
{
	struct secret_trie trie = {0}, copy;

	(void)state;
	add(&trie, "abcdefgh");
	secret_trie_copy(&copy, &trie);
	add(&trie, "ijklmnop");
	assert_false(secret_trie_has(&copy, STR("ijklmnop")));
	secret_trie_deinit(&trie);
	assert_int_equal(at(&copy, "abcdefgh"), 8);
	add(&copy, "abcdefXX");
	assert_int_equal(at(&copy, "abcdefXX"), 8);
	secret_trie_deinit(&copy);
	secret_trie_copy(&copy, &trie);
	assert_int_equal(at(&copy, "abcdefgh"), 0);
	secret_trie_deinit(&copy);
}

/* Each place of the text looks like the secret for long. */
static void a_search_ends_with_its_budget(void **state)
{
	static char secret[4096], text[65536];
	struct secret_trie trie = {0};
	struct str view = {text, sizeof(text)};
	uint64_t budget = secret_trie_budget(sizeof(text));
	size_t calls = 0, found;

	(void)state;
	memset(secret, 'a', sizeof(secret) - 1);
	memset(text, 'a', sizeof(text));
	secret[sizeof(secret) - 2] = 'b';
	add(&trie, secret);
	do {
		found = secret_trie_at(&trie, str_from_offset(view, calls),
				       &budget);
		calls++;
	} while (!found && calls < sizeof(text));
	assert_int_equal(budget, 0);
	assert_int_equal(found, sizeof(text) - calls + 1);
	assert_in_range(calls, 2, sizeof(text) / 32);
	secret_trie_deinit(&trie);
}

static void what_has_no_room_is_not_taken(void **state)
{
	_cleanup_(mem_freep) char *large = mem_alloc(SECRET_TRIE_BYTES_MAX);
	struct secret_trie trie = {0};

	(void)state;
	memset(large, 'x', SECRET_TRIE_BYTES_MAX);
	add(&trie, "abcdefgh");
	assert_false(secret_trie_add(
		&trie, (struct str){large, SECRET_TRIE_BYTES_MAX}));
	assert_int_equal(at(&trie, "abcdefgh"), 8);
	assert_int_equal(trie.count, 1);
	secret_trie_deinit(&trie);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_set_knows_nothing),
		cmocka_unit_test(a_secret_is_found_where_it_begins),
		cmocka_unit_test(the_bytes_that_secrets_begin_with_are_known),
		cmocka_unit_test(the_longest_is_found_whatever_came_first),
		cmocka_unit_test(a_secret_is_kept_once),
		cmocka_unit_test(thousands_are_all_found),
		cmocka_unit_test(
			secrets_with_a_common_beginning_cost_their_differences),
		cmocka_unit_test(a_prefix_of_another_is_one_of_its_own),
		cmocka_unit_test(a_copy_has_a_life_of_its_own),
		cmocka_unit_test(a_search_ends_with_its_budget),
		cmocka_unit_test(what_has_no_room_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
