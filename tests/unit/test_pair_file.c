#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../support/scratch.h"
#include "base/diag.h"
#include "base/mem.h"
#include "state/pair_file.h"

static int enter(void **state)
{
	(void)state;
	scratch_enter();
	return 0;
}

static int leave(void **state)
{
	(void)state;
	scratch_leave();
	return 0;
}

static void assert_pair(const char *name, const char *key, const char *secret)
{
	const char *path = scratch_at(name);
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(pair_deinit) struct pair pair = {0};

	assert_true(pair_file_read(&pair, path, &diag));
	assert_string_equal(pair.access_key, key);
	assert_string_equal(pair.secret_key, secret);
}

static void a_pair_is_read_as_it_is_printed(void **state)
{
	(void)state;
	scratch_write("a.conf", "api {\n  credentials {\n"
				"    access_key: \"K\"\n"
				"    secret_key: \"S$\"\n  }\n}\n");
	scratch_write("b.json",
		      "{\"api\":{\"credentials\":"
		      "{\"access_key\":\"K\",\"secret_key\":\"S\"}}}");
	scratch_write("c.conf", "api.credentials { access_key: 123, "
				"secret_key: 456 }");
	assert_pair("a.conf", "K", "S$");
	assert_pair("b.json", "K", "S");
	assert_pair("c.conf", "123", "456");
}

/* Whatever the suffix of the file says, and whatever is in the pair. */
static void what_is_written_is_read_again(void **state)
{
	static const char *const names[] = {"p.conf", "p.json", "p.yaml", "p"};
	const struct pair pair = {(char *)"K\"1", (char *)"s: #$\\{x} 'y'"};
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	(void)state;
	pair_file_write(&text, &pair);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		scratch_write(names[i], buf_str(&text).ptr);
		assert_pair(names[i], pair.access_key, pair.secret_key);
	}
}

static void a_half_with_a_control_in_it_is_none(void **state)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	struct pair pair;

	(void)state;
	scratch_write("x.json", "{\"api\":{\"credentials\":{"
				"\"access_key\":\"K\","
				"\"secret_key\":\"S\\u0000T\"}}}");
	assert_false(pair_file_read(&pair, scratch_at("x.json"), &diag));
	assert_null(pair.secret_key);
}

static void half_a_pair_is_none(void **state)
{
	static const struct {
		const char *text, *problem;
	} cases[] = {
		{"api.credentials.access_key: K", "no whole key pair"},
		{"api.credentials { access_key: K, secret_key: \"\" }",
		 "no whole key pair"},
		{"api.credentials { access_key: [K], secret_key: S }",
		 "no whole key pair"},
		{"access_key: K, secret_key: S", "no whole key pair"},
		{"api { credentials {", "expected"},
		{"", "no whole key pair"},
	};
	const char *path = scratch_at("x");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
		struct pair pair;

		scratch_write("x", cases[i].text);
		assert_false(pair_file_read(&pair, path, &diag));
		assert_null(pair.access_key);
		assert_non_null(strstr(diag.text, cases[i].problem));
	}
}

static void assert_obstacle(const char *name, const char *obstacle)
{
	const char *path = scratch_at(name);
	_cleanup_(mem_freep) char *found = pair_file_obstacle(path);

	if (!obstacle) {
		assert_null(found);
		return;
	}
	assert_non_null(found);
	assert_non_null(strstr(found, obstacle));
}

static void a_file_that_holds_a_pair_alone_can_be_replaced(void **state)
{
	char twice[PATH_MAX];

	(void)state;
	scratch_write("good",
		      "api.credentials { access_key: K, secret_key: S }");
	scratch_write("more", "api { host: h, credentials { access_key: K, "
			      "secret_key: S } }");
	scratch_write("most", "api.credentials { access_key: K, secret_key: S, "
			      "more: 1 }");
	scratch_link("good", "link");
	assert_obstacle("good", NULL);
	assert_obstacle("more", "would be lost");
	assert_obstacle("most", "would be lost");
	assert_obstacle("link", "symbolic link");
	assert_obstacle("none", "No such file");
	(void)snprintf(twice, sizeof(twice), "%s", scratch_at("twice"));
	assert_int_equal(link(scratch_at("good"), twice), 0);
	assert_obstacle("good", "several names");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_pair_is_read_as_it_is_printed),
		TEST(what_is_written_is_read_again),
		TEST(half_a_pair_is_none),
		TEST(a_half_with_a_control_in_it_is_none),
		TEST(a_file_that_holds_a_pair_alone_can_be_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
