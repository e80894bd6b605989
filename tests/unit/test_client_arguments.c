/* Option tables: what fills which field, and what is wrong usage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "../support/quiet.h"
#include "call/arguments.h"
#include "text/exit_status.h"

struct fields {
	bool flag;
	const char *text, *number, *seconds, *mode, *format;
};

struct globals {
	bool flag;
	const char *text;
};

static const struct option_spec specs[] = {
	{"flag", 'f', OPTION_FLAG, offsetof(struct fields, flag), NULL, ""},
	{"text", 't', OPTION_TEXT, offsetof(struct fields, text), "X", ""},
	{"number", 'n', OPTION_NUMBER, offsetof(struct fields, number), "N",
	 ""},
	{"seconds", '\0', OPTION_SECONDS, offsetof(struct fields, seconds), "S",
	 ""},
	{"mode", '\0', OPTION_MODE, offsetof(struct fields, mode), "M", ""},
	{"format", '\0', OPTION_FORMAT, offsetof(struct fields, format), "F",
	 ""},
};

static const struct option_spec global_specs[] = {
	{"global", 'g', OPTION_FLAG, offsetof(struct globals, flag), NULL, ""},
	{"place", '\0', OPTION_TEXT, offsetof(struct globals, text), "X", ""},
};

static struct fields fields;
static struct globals globals;
static int first;

static int parse_words(const char **words, bool only_before)
{
	struct option_set sets[ARGUMENTS_SETS] = {
		{specs, sizeof(specs) / sizeof(specs[0]), &fields},
		{global_specs, 2, &globals},
	};
	struct arguments arguments = {sets, only_before, "clearconf test"};
	int argc = 0, status;

	while (words[argc])
		argc++;
	memset(&fields, 0, sizeof(fields));
	memset(&globals, 0, sizeof(globals));
	quiet_begin();
	status = arguments_parse(&arguments, argc, (char **)words, &first);
	quiet_end();
	return status;
}

#define PARSE(...)                                                             \
	parse_words((const char *[]){"test", __VA_ARGS__, NULL}, false)
#define PARSE_BEFORE(...)                                                      \
	parse_words((const char *[]){"test", __VA_ARGS__, NULL}, true)

static void options_fill_their_fields(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--flag", "--text=a b", "-n", "42", "--mode",
			       "0640", "--format", "hocon"),
			 EXIT_DONE);
	assert_true(fields.flag);
	assert_string_equal(fields.text, "a b");
	assert_string_equal(fields.number, "42");
	assert_string_equal(fields.mode, "0640");
	assert_string_equal(fields.format, "hocon");
	assert_null(fields.seconds);
	assert_int_equal(first, 9);
}

static void letters_may_be_joined(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-fgtx"), EXIT_DONE);
	assert_true(fields.flag);
	assert_true(globals.flag);
	assert_string_equal(fields.text, "x");
}

static void options_may_follow_other_words(void **state)
{
	(void)state;
	assert_int_equal(PARSE("word", "--place", "here", "-f"), EXIT_DONE);
	assert_true(fields.flag);
	assert_string_equal(globals.text, "here");
	assert_int_equal(first, 4);
}

static void before_a_command_they_may_not(void **state)
{
	(void)state;
	assert_int_equal(PARSE_BEFORE("-g", "word", "--nonsense"), EXIT_DONE);
	assert_true(globals.flag);
	assert_int_equal(first, 2);
}

static void two_dashes_end_the_options(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--", "-f"), EXIT_DONE);
	assert_false(fields.flag);
	assert_int_equal(first, 2);
}

static void what_is_unknown_or_incomplete_is_wrong_usage(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--nonsense"), EXIT_USAGE);
	assert_int_equal(PARSE("-z"), EXIT_USAGE);
	assert_int_equal(PARSE("--flag=x"), EXIT_USAGE);
	assert_int_equal(PARSE("--text"), EXIT_USAGE);
	assert_int_equal(PARSE("-t"), EXIT_USAGE);
	assert_int_equal(PARSE("-z-"), EXIT_USAGE);
}

static void arguments_are_checked_by_kind(void **state)
{
	static const char *const bad[][2] = {
		{"--number", ""},     {"--number", "-1"},  {"--number", "1x"},
		{"--number", "007"},  {"--mode", "0888"},  {"--mode", "01000"},
		{"--mode", ""},       {"--seconds", "x"},  {"--seconds", "-1"},
		{"--seconds", "inf"}, {"--seconds", ""},   {"--seconds", "1e9"},
		{"--seconds", "nan"}, {"--format", "pdf"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(PARSE(bad[i][0], bad[i][1]), EXIT_USAGE);
	assert_int_equal(PARSE("--number", "0", "--seconds", "0"), EXIT_DONE);
}

static void seconds_become_milliseconds(void **state)
{
	(void)state;
	assert_int_equal(arguments_milliseconds("1.5", 7), 1500);
	assert_int_equal(arguments_milliseconds("0", 7), 0);
	assert_int_equal(arguments_milliseconds(NULL, 7), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_fill_their_fields),
		cmocka_unit_test(letters_may_be_joined),
		cmocka_unit_test(options_may_follow_other_words),
		cmocka_unit_test(before_a_command_they_may_not),
		cmocka_unit_test(two_dashes_end_the_options),
		cmocka_unit_test(what_is_unknown_or_incomplete_is_wrong_usage),
		cmocka_unit_test(arguments_are_checked_by_kind),
		cmocka_unit_test(seconds_become_milliseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
