/* Typed getters over a socket pair: the answer is there before the question,
 * as the pair keeps it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clearconf.h"
#include "lib/handle.h"
#include "lib/json_text.h"

struct pair {
	struct clearconf *handle;
	int peer;
};

static int setup(void **state)
{
	static struct pair pair;
	int fds[2];

	assert_return_code(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	assert_int_equal(clearconf_new(&pair.handle), 0);
	pair.handle->fd = fds[0];
	pair.peer = fds[1];
	handle_set_state(pair.handle, HANDLE_IDLE);
	*state = &pair;
	return 0;
}

static int teardown(void **state)
{
	struct pair *pair = *state;

	clearconf_free(pair->handle);
	return close(pair->peer);
}

static struct clearconf *say(struct pair *pair, const char *message)
{
	size_t size = strlen(message) + 1;

	assert_int_equal(write(pair->peer, message, size), size);
	return pair->handle;
}

/* The handle, whose peer answers that this is the value. */
static struct clearconf *with(struct pair *pair, const char *value)
{
	char message[512];

	(void)snprintf(message, sizeof(message),
		       "{\"parameters\":{\"generation\":1,\"masked\":false,"
		       "\"value\":%s,\"state\":\"ready\"}}",
		       value);
	return say(pair, message);
}

static void assert_asked(struct pair *pair, const char *parameters)
{
	char bytes[512], expected[512];
	ssize_t n = read(pair->peer, bytes, sizeof(bytes));

	(void)snprintf(expected, sizeof(expected),
		       "{\"method\":\"io.clearconf.Get\",\"parameters\":%s}",
		       parameters);
	assert_int_equal(n, strlen(expected) + 1);
	assert_string_equal(bytes, expected);
}

static void a_path_is_asked_for_as_json(void **state)
{
	struct pair *pair = *state;
	const char *text;

	assert_int_equal(clearconf_get_string(with(pair, "\"x\""),
					      "a.\"b.\\u0041\"\n", &text),
			 0);
	assert_asked(pair, "{\"path\":\"a.\\\"b.\\\\u0041\\\"\\u000a\"}");
	assert_int_equal(clearconf_get_json(with(pair, "{}"), NULL, &text), 0);
	assert_asked(pair, "{\"path\":\"\"}");
}

static void a_workspace_goes_along_until_it_is_taken_back(void **state)
{
	struct pair *pair = *state;
	const char *text;

	assert_int_equal(clearconf_set_workspace(pair->handle, "a\"b"), 0);
	assert_int_equal(clearconf_get_text(with(pair, "1"), "a", &text), 0);
	assert_asked(pair, "{\"path\":\"a\",\"workspace\":\"a\\\"b\"}");
	assert_int_equal(clearconf_set_workspace(pair->handle, NULL), 0);
	assert_int_equal(clearconf_get_text(with(pair, "1"), "a", &text), 0);
	assert_asked(pair, "{\"path\":\"a\"}");
}

static void a_variable_names_it_for_who_does_not(void **state)
{
	struct pair *pair = *state;
	const char *text;

	assert_int_equal(setenv("CLEARCONF_WORKSPACE", "v", 1), 0);
	assert_int_equal(clearconf_get_text(with(pair, "1"), "a", &text), 0);
	assert_asked(pair, "{\"path\":\"a\",\"workspace\":\"v\"}");
	assert_int_equal(clearconf_set_workspace(pair->handle, "w"), 0);
	assert_int_equal(clearconf_get_text(with(pair, "1"), "a", &text), 0);
	assert_asked(pair, "{\"path\":\"a\",\"workspace\":\"w\"}");
	assert_int_equal(clearconf_set_workspace(pair->handle, NULL), 0);
	assert_int_equal(setenv("CLEARCONF_WORKSPACE", "", 1), 0);
	assert_int_equal(clearconf_get_text(with(pair, "1"), "a", &text), 0);
	assert_asked(pair, "{\"path\":\"a\"}");
	assert_int_equal(unsetenv("CLEARCONF_WORKSPACE"), 0);
}

static void strings_are_decoded(void **state)
{
	static const struct {
		const char *json, *text;
	} cases[] = {
		{"\"\"", ""},
		{"\"plain \xC3\xA4\"", "plain \xC3\xA4"},
		{"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
		{"\"\\u0041\\u00e4\\u20AC\"", "A\xC3\xA4\xE2\x82\xAC"},
		{"\"\\ud83d\\ude00!\"", "\xF0\x9F\x98\x80!"},
		{"\"\\ud83d!\"", "\xEF\xBF\xBD!"},
		{"\"\\ud83d\\u0041\"", "\xEF\xBF\xBD"
				       "A"},
		{"\"\\ude00\"", "\xEF\xBF\xBD"},
	};
	const char *text;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
			clearconf_get_string(with(*state, cases[i].json), "a",
					     &text),
			0);
		assert_string_equal(text, cases[i].text);
	}
}

static void what_is_no_json_string_is_not_decoded(void **state)
{
	static const char *const cases[] = {
		"\"", "a", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\\""};
	char text[16];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memcpy(text, cases[i], strlen(cases[i]) + 1);
		assert_int_equal(json_text_decode(text, strlen(text)), -1);
	}
}

static void integers_have_64_bits(void **state)
{
	int64_t number = 7;

	assert_int_equal(clearconf_get_int(with(*state, "9223372036854775807"),
					   "a", &number),
			 0);
	assert_true(number == INT64_MAX);
	assert_int_equal(clearconf_get_int(with(*state, "-9223372036854775808"),
					   "a", &number),
			 0);
	assert_true(number == INT64_MIN);
}

static void a_larger_integer_is_an_error_and_a_text(void **state)
{
	struct pair *pair = *state;
	int64_t number = 7;
	const char *text;

	assert_int_equal(clearconf_get_int(with(pair, "9223372036854775808"),
					   "a.b", &number),
			 CLEARCONF_E_RANGE);
	assert_int_equal(number, 7);
	assert_string_equal(clearconf_strerror(pair->handle),
			    "the integer at 'a.b' has more than 64 bits: "
			    "clearconf_get_text gives all its digits");
	assert_int_equal(clearconf_get_text(with(pair, "9223372036854775808"),
					    "a.b", &text),
			 0);
	assert_string_equal(text, "9223372036854775808");
}

static void any_number_is_a_double_in_any_locale(void **state)
{
	double number;
	/* Where this machine has it; the test of the C locale is still one. */
	const char *german = setlocale(LC_NUMERIC, "de_DE.UTF-8");

	assert_int_equal(
		clearconf_get_double(with(*state, "1.5"), "a", &number), 0);
	assert_true(number == 1.5);
	assert_int_equal(
		clearconf_get_double(with(*state, "-12"), "a", &number), 0);
	assert_true(number == -12);
	assert_int_equal(
		clearconf_get_double(with(*state, "1e999"), "a", &number),
		CLEARCONF_E_RANGE);
	assert_true(number == -12);
	if (german)
		(void)setlocale(LC_NUMERIC, "C");
}

static void booleans_are_true_or_false(void **state)
{
	bool boolean = false;

	assert_int_equal(
		clearconf_get_bool(with(*state, "true"), "a", &boolean), 0);
	assert_true(boolean);
	assert_int_equal(
		clearconf_get_bool(with(*state, "false"), "a", &boolean), 0);
	assert_false(boolean);
}

static int get_as(struct clearconf *handle, char type)
{
	const char *text;
	int64_t number;
	double real;
	bool boolean;

	switch (type) {
	case 's': return clearconf_get_string(handle, "a", &text);
	case 't': return clearconf_get_text(handle, "a", &text);
	case 'i': return clearconf_get_int(handle, "a", &number);
	case 'd': return clearconf_get_double(handle, "a", &real);
	default: return clearconf_get_bool(handle, "a", &boolean);
	}
}

/* Which types take which value; the others say what it is. */
static void types_are_not_bent(void **state)
{
	static const struct {
		const char *json, *takers, *kind;
	} cases[] = {
		{"{}", "", "an object"},
		{"[1]", "", "a list"},
		{"\"1\"", "st", "a string"},
		{"\"true\"", "st", "a string"},
		{"true", "tb", "a boolean"},
		{"1", "tid", "an integer"},
		{"1.0", "td", "a number with a fraction or an exponent"},
		{"1e3", "td", "a number with a fraction or an exponent"},
	};
	struct pair *pair = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (const char *type = "stidb"; *type; type++) {
			int r = get_as(with(pair, cases[i].json), *type);
			bool takes = strchr(cases[i].takers, *type);

			assert_int_equal(r, takes ? 0 : CLEARCONF_E_TYPE);
			if (!takes)
				assert_non_null(
					strstr(clearconf_strerror(pair->handle),
					       cases[i].kind));
		}
}

static void null_is_absent_but_for_json(void **state)
{
	const char *text = "default";

	for (const char *type = "stidb"; *type; type++)
		assert_int_equal(get_as(with(*state, "null"), *type),
				 CLEARCONF_E_ABSENT);
	assert_int_equal(clearconf_get_json(with(*state, "null"), "a", &text),
			 0);
	assert_string_equal(text, "null");
}

static void a_string_with_a_nul_is_no_c_string(void **state)
{
	const char *text = "default";

	assert_int_equal(
		clearconf_get_string(with(*state, "\"a\\u0000b\""), "a", &text),
		CLEARCONF_E_RANGE);
	assert_string_equal(text, "default");
	assert_int_equal(
		clearconf_get_json(with(*state, "\"a\\u0000b\""), "a", &text),
		0);
	assert_string_equal(text, "\"a\\u0000b\"");
}

static void a_mask_is_never_a_value(void **state)
{
	static const char *const masked[] = {
		"{\"parameters\":{\"masked\":true,\"value\":\"****\"}}",
		"{\"parameters\":{\"masked\":true,\"value\":\"https://****@h\"}"
		"}",
	};
	struct pair *pair = *state;
	const char *text = "default";

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(clearconf_get_string(say(pair, masked[i]),
						      "a.b", &text),
				 CLEARCONF_E_DENIED);
		assert_string_equal(text, "default");
	}
	assert_string_equal(clearconf_strerror(pair->handle),
			    "there is a secret at 'a.b': this needs the right "
			    "'secrets'");
	assert_int_equal(
		clearconf_get_string(say(pair, "{\"parameters\":{\"masked\":"
					       "true,\"value\":\"x\"}}"),
				     "a", &text),
		0);
	assert_string_equal(text, "x");
	assert_int_equal(
		clearconf_get_string(with(pair, "\"****\""), "a", &text), 0);
	assert_string_equal(text, "****");
}

static void errors_of_the_daemon_are_outcomes(void **state)
{
	static const struct {
		const char *error;
		int outcome;
	} cases[] = {
		{"io.clearconf.PathNotFound", CLEARCONF_E_ABSENT},
		{"io.clearconf.AccessDenied", CLEARCONF_E_DENIED},
		{"io.clearconf.InvalidPath", CLEARCONF_E_ERROR},
		{"io.clearconf.UnknownWorkspace", CLEARCONF_E_ERROR},
	};
	char message[128];
	const char *text = "default";

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		(void)snprintf(message, sizeof(message), "{\"error\":\"%s\"}",
			       cases[i].error);
		assert_int_equal(
			clearconf_get_string(say(*state, message), "a", &text),
			cases[i].outcome);
		assert_string_equal(text, "default");
	}
}

static void an_answer_without_a_value_is_no_answer(void **state)
{
	const char *text;

	assert_int_equal(clearconf_get_json(say(*state, "{}"), "a", &text),
			 -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(a_path_is_asked_for_as_json),
		TEST(a_workspace_goes_along_until_it_is_taken_back),
		TEST(a_variable_names_it_for_who_does_not),
		TEST(strings_are_decoded),
		TEST(what_is_no_json_string_is_not_decoded),
		TEST(integers_have_64_bits),
		TEST(a_larger_integer_is_an_error_and_a_text),
		TEST(any_number_is_a_double_in_any_locale),
		TEST(booleans_are_true_or_false),
		TEST(types_are_not_bent),
		TEST(null_is_absent_but_for_json),
		TEST(a_string_with_a_nul_is_no_c_string),
		TEST(a_mask_is_never_a_value),
		TEST(errors_of_the_daemon_are_outcomes),
		TEST(an_answer_without_a_value_is_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
