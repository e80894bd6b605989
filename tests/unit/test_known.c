#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "config/known.h"

static void add(struct known *known, const char *secret)
{
	known_add(known, str_from(secret));
}

static size_t at(const struct known *known, const char *text)
{
	return known_at(known, str_from(text));
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_set_knows_nothing),
		cmocka_unit_test(a_secret_is_found_where_it_begins),
		cmocka_unit_test(the_longest_is_found_whatever_came_first),
		cmocka_unit_test(a_secret_is_kept_once),
		cmocka_unit_test(thousands_are_all_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
