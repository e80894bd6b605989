#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

/* Standard error goes into a pipe while a test runs. */
static int read_end, real_stderr;
static char line[4096];

static int set_up(void **state)
{
	int ends[2];

	(void)state;
	if (pipe(ends) < 0)
		return -1;
	real_stderr = dup(STDERR_FILENO);
	read_end = ends[0];
	if (dup2(ends[1], STDERR_FILENO) < 0)
		return -1;
	log_set_level(LOG_LEVEL_INFO);
	return close(ends[1]);
}

static int tear_down(void **state)
{
	(void)state;
	(void)unsetenv("JOURNAL_STREAM");
	(void)dup2(real_stderr, STDERR_FILENO);
	(void)close(real_stderr);
	return close(read_end);
}

/* One write(2) is one read(2) here. */
static const char *logged(void)
{
	ssize_t len = read(read_end, line, sizeof(line) - 1);

	assert_true(len > 0);
	line[len] = '\0';
	return line;
}

static void an_event_is_one_line(void **state)
{
	(void)state;
	log_warning("vault-broken", LOG_TEXT("vault", "a1"), LOG_INT("line", 3),
		    LOG_INT("low", INT64_MIN));
	assert_string_equal(logged(),
			    "level=warning event=vault-broken vault=a1 line=3 "
			    "low=-9223372036854775808\n");
	log_error("alone");
	assert_string_equal(logged(), "level=error event=alone\n");
}

static void a_text_is_quoted_when_it_has_to_be(void **state)
{
	static const char *const texts[][2] = {
		{"plain/text-1.2:3", "plain/text-1.2:3"},
		{"\u00e9", "\u00e9"},
		{"", "\"\""},
		{"a b", "\"a b\""},
		{"a=b", "\"a=b\""},
		{"say \"a\"", "\"say \\\"a\\\"\""},
		{"a\\b", "\"a\\\\b\""},
		{"a\nevent=b", "\"a\\nevent=b\""},
		{"\r\t\x1b[0m\x7f", "\"\\x0d\\x09\\x1b[0m\\x7f\""},
	};
	char expected[128];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		log_info("e", LOG_TEXT("t", texts[i][0]));
		(void)snprintf(expected, sizeof(expected),
			       "level=info event=e t=%s\n", texts[i][1]);
		assert_string_equal(logged(), expected);
	}
}

static void less_than_the_level_is_silent(void **state)
{
	(void)state;
	log_debug("debug");
	log_set_level(LOG_LEVEL_ERROR);
	log_warning("warning");
	log_error("error");
	assert_string_equal(logged(), "level=error event=error\n");
	log_set_level(LOG_LEVEL_DEBUG);
	log_debug("debug");
	assert_string_equal(logged(), "level=debug event=debug\n");
}

static void the_journal_is_told_the_priority(void **state)
{
	char stream[64];
	struct stat st;

	(void)state;
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	(void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev,
		       (uintmax_t)st.st_ino);
	assert_int_equal(setenv("JOURNAL_STREAM", stream, 1), 0);
	log_set_level(LOG_LEVEL_DEBUG);
	log_error("e");
	assert_string_equal(logged(), "<3>level=error event=e\n");
	log_warning("e");
	assert_string_equal(logged(), "<4>level=warning event=e\n");
	log_info("e");
	assert_string_equal(logged(), "<6>level=info event=e\n");
	log_debug("e");
	assert_string_equal(logged(), "<7>level=debug event=e\n");
}

/* A terminal started by a service inherits the variable. */
static void another_stream_is_not_the_journal(void **state)
{
	(void)state;
	assert_int_equal(setenv("JOURNAL_STREAM", "1:2", 1), 0);
	log_error("e");
	assert_string_equal(logged(), "level=error event=e\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_event_is_one_line),
		TEST(a_text_is_quoted_when_it_has_to_be),
		TEST(less_than_the_level_is_silent),
		TEST(the_journal_is_told_the_priority),
		TEST(another_stream_is_not_the_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
