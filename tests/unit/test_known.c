#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/mem.h"
#include "config/known.h"

static void add(struct known *known, const char *secret)
{
	assert_true(known_add(known, str_from(secret)));
}

static size_t at(const struct known *known, const char *text)
{
	struct str view = str_from(text);
	uint64_t budget = known_budget(view.len);

	return known_at(known, view, &budget);
}

static void an_empty_set_knows_nothing(void **state)
{
	struct known known = {0};

	(void)state;
	assert_int_equal(at(&known, ""), 0);
	assert_int_equal(at(&known, "abcdefghi"), 0);
	known_deinit(&known);
}

static void a_secret_is_found_where_it_begins(void **state)
{
	struct known known = {0};

	(void)state;
	add(&known, "abcdefgh");
	assert_int_equal(at(&known, "abcdefgh"), 8);
	assert_int_equal(at(&known, "abcdefghi"), 8);
	assert_int_equal(at(&known, "abcdefg"), 0);
	assert_int_equal(at(&known, "xabcdefgh"), 0);
	assert_int_equal(at(&known, "abcdefgH"), 0);
	known_deinit(&known);
	assert_int_equal(at(&known, "abcdefgh"), 0);
}

/* Also when the tree has grown since, in a copy, and of no others. */
static void the_bytes_that_secrets_begin_with_are_known(void **state)
{
	struct known known = {0}, copy;
	char secret[] = "abcdefg";
	const int step = 5;

	(void)state;
	for (int byte = 0; byte < 256; byte += step) {
		secret[0] = (char)byte;
		assert_true(known_add(&known, (struct str){secret, 7}));
	}
	known_copy(&copy, &known);
	for (int byte = 0; byte < 256; byte++) {
		secret[0] = (char)byte;
		assert_int_equal(known_may_begin(&copy, (char)byte),
				 byte % step == 0);
		assert_int_equal(known_has(&copy, (struct str){secret, 7}),
				 byte % step == 0);
	}
	known_deinit(&copy);
	known_deinit(&known);
	assert_false(known_may_begin(&known, '\5'));
}

static void the_longest_is_found_whatever_came_first(void **state)
{
	static const char *const secrets[] = {"abcdefgh", "abcdefghijkl",
					      "abcdefghij", "abcdefghXXXX"};
	struct known known;

	(void)state;
	for (size_t first = 0; first < 4; first++) {
		known = (struct known){0};
		for (size_t i = 0; i < 4; i++)
			add(&known, secrets[(first + i) % 4]);
		assert_int_equal(at(&known, "abcdefghijklm"), 12);
		assert_int_equal(at(&known, "abcdefghijkx"), 10);
		assert_int_equal(at(&known, "abcdefghix"), 8);
		assert_int_equal(at(&known, "abcdefghXXXXX"), 12);
		known_deinit(&known);
	}
}

static void a_secret_is_kept_once(void **state)
{
	struct known known = {0};

	(void)state;
	for (int i = 0; i < 100; i++) {
		add(&known, "abcdefgh");
		add(&known, "abcdefghi");
	}
	assert_int_equal(known.count, 2);
	known_deinit(&known);
}

static void thousands_are_all_found(void **state)
{
	struct known known = {0};
	char secret[32];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(secret, sizeof(secret), "%08d-%d", i, i);
		add(&known, secret);
	}
	assert_int_equal(known.count, 5000);
	for (int i = 0; i < 5000; i++) {
		(void)snprintf(secret, sizeof(secret), "%08d-%dx", i, i);
		assert_int_equal(at(&known, secret), strlen(secret) - 1);
		secret[9] = '-';
		assert_int_equal(at(&known, secret), 0);
	}
	known_deinit(&known);
}

/* What is the same in many is kept once. */
static void secrets_with_a_common_beginning_cost_their_differences(void **state)
{
	static char secret[1024];
	struct known known = {0};

	(void)state;
	memset(secret, 'a', sizeof(secret));
	for (int i = 0; i < 20000; i++) {
		(void)snprintf(secret + 1000, 24, "%05d", i);
		add(&known, secret);
	}
	assert_int_equal(known.count, 20000);
	assert_in_range(known.byte_count, 1000, 200000);
	assert_true(known_has(&known, str_from(secret)));
	secret[1004] = 'x';
	assert_int_equal(at(&known, secret), 0);
	known_deinit(&known);
}

static void a_prefix_of_another_is_one_of_its_own(void **state)
{
	struct known known = {0};

	(void)state;
	add(&known, "abcdefghijkl");
	assert_false(known_has(&known, STR("abcdefgh")));
	assert_int_equal(at(&known, "abcdefghi"), 0);
	add(&known, "abcdefgh");
	assert_true(known_has(&known, STR("abcdefgh")));
	assert_true(known_has(&known, STR("abcdefghijkl")));
	assert_int_equal(at(&known, "abcdefghi"), 8);
	known_deinit(&known);
}

static void a_copy_has_a_life_of_its_own(void **state)
{
	struct known known = {0}, copy;

	(void)state;
	add(&known, "abcdefgh");
	known_copy(&copy, &known);
	add(&known, "ijklmnop");
	assert_false(known_has(&copy, STR("ijklmnop")));
	known_deinit(&known);
	assert_int_equal(at(&copy, "abcdefgh"), 8);
	add(&copy, "abcdefXX");
	assert_int_equal(at(&copy, "abcdefXX"), 8);
	known_deinit(&copy);
	known_copy(&copy, &known);
	assert_int_equal(at(&copy, "abcdefgh"), 0);
	known_deinit(&copy);
}

/* Each place of the text looks like the secret for long. */
static void a_search_ends_with_its_budget(void **state)
{
	static char secret[4096], text[65536];
	struct known known = {0};
	struct str view = {text, sizeof(text)};
	uint64_t budget = known_budget(sizeof(text));
	size_t calls = 0, found;

	(void)state;
	memset(secret, 'a', sizeof(secret) - 1);
	memset(text, 'a', sizeof(text));
	secret[sizeof(secret) - 2] = 'b';
	add(&known, secret);
	do {
		found = known_at(&known, str_from_offset(view, calls), &budget);
		calls++;
	} while (!found && calls < sizeof(text));
	assert_int_equal(budget, 0);
	assert_int_equal(found, sizeof(text) - calls + 1);
	assert_in_range(calls, 2, sizeof(text) / 32);
	known_deinit(&known);
}

static void what_has_no_room_is_not_taken(void **state)
{
	_cleanup_(mem_freep) char *large = mem_alloc(KNOWN_BYTES_MAX);
	struct known known = {0};

	(void)state;
	memset(large, 'x', KNOWN_BYTES_MAX);
	add(&known, "abcdefgh");
	assert_false(known_add(&known, (struct str){large, KNOWN_BYTES_MAX}));
	assert_int_equal(at(&known, "abcdefgh"), 8);
	assert_int_equal(known.count, 1);
	known_deinit(&known);
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
