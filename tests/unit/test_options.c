#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "settings/options.h"

#define ARGS_MAX 16

struct parsed {
	struct options options;
	bool go_on;
	int status;
	char *line; /* what the options borrow from */
	char *argv[ARGS_MAX];
};

static void parsed_deinit(struct parsed *parsed)
{
	mem_free(parsed->line);
}

/* @line: arguments separated by blanks; quiet. */
static void parse(struct parsed *parsed, const char *line)
{
	char *rest = NULL;
	int argc = 0, err = dup(STDERR_FILENO);
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	*parsed = (struct parsed){
		.status = -1,
		.line = mem_printf("clearconfd %s", line),
	};
	for (char *word = strtok_r(parsed->line, " ", &rest); word;
	     word = strtok_r(NULL, " ", &rest))
		parsed->argv[argc++] = word;
	assert_true(argc < ARGS_MAX);
	assert_true(dup2(nowhere, STDERR_FILENO) >= 0);
	optind = 0;
	parsed->go_on = options_parse(&parsed->options, argc, parsed->argv,
				      &parsed->status);
	(void)fflush(stderr);
	assert_true(dup2(err, STDERR_FILENO) >= 0);
	(void)close(err);
	(void)close(nowhere);
}

static void without_options_it_serves(void **state)
{
	_cleanup_(parsed_deinit) struct parsed p;

	(void)state;
	parse(&p, "");
	assert_true(p.go_on);
	assert_int_equal(p.options.action, ACTION_SERVE);
	assert_int_equal(p.options.instance, INSTANCE_AUTO);
	assert_false(p.options.offline);
	assert_null(p.options.config);
	assert_null(p.options.socket);
	assert_null(p.options.state_dir);
	assert_null(p.options.workspace);
	assert_null(p.options.mode);
	assert_null(p.options.log_level);
	assert_null(p.options.format);
}

static void each_option_goes_where_it_belongs(void **state)
{
	_cleanup_(parsed_deinit) struct parsed p;

	(void)state;
	parse(&p, "--config c --socket s --state=d --workspace w "
		  "--mode sdk --log-level debug --offline --user");
	assert_true(p.go_on);
	assert_string_equal(p.options.config, "c");
	assert_string_equal(p.options.socket, "s");
	assert_string_equal(p.options.state_dir, "d");
	assert_string_equal(p.options.workspace, "w");
	assert_string_equal(p.options.mode, "sdk");
	assert_string_equal(p.options.log_level, "debug");
	assert_true(p.options.offline);
	assert_int_equal(p.options.instance, INSTANCE_USER);
}

static void the_instance_is_what_was_said_last(void **state)
{
	_cleanup_(parsed_deinit) struct parsed system;
	_cleanup_(parsed_deinit) struct parsed both;

	(void)state;
	parse(&system, "--system");
	parse(&both, "--system --user");
	assert_int_equal(system.options.instance, INSTANCE_SYSTEM);
	assert_int_equal(both.options.instance, INSTANCE_USER);
}

static void only_check_takes_files(void **state)
{
	_cleanup_(parsed_deinit) struct parsed check;
	_cleanup_(parsed_deinit) struct parsed none;
	_cleanup_(parsed_deinit) struct parsed serve;
	_cleanup_(parsed_deinit) struct parsed print;

	(void)state;
	parse(&check, "a.conf --check -- --b.conf");
	parse(&none, "--check");
	parse(&serve, "a.conf");
	parse(&print, "--print a.conf");
	assert_true(check.go_on);
	assert_int_equal(check.options.action, ACTION_CHECK);
	assert_string_equal(check.options.files[0], "a.conf");
	assert_string_equal(check.options.files[1], "--b.conf");
	assert_null(check.options.files[2]);
	assert_true(none.go_on);
	assert_null(none.options.files[0]);
	assert_false(serve.go_on);
	assert_int_equal(serve.status, 2);
	assert_false(print.go_on);
	assert_int_equal(print.status, 2);
}

static void a_format_belongs_to_print(void **state)
{
	_cleanup_(parsed_deinit) struct parsed print;
	_cleanup_(parsed_deinit) struct parsed serve;
	_cleanup_(parsed_deinit) struct parsed check;

	(void)state;
	parse(&print, "--print --format hocon");
	parse(&serve, "--format json");
	parse(&check, "--check --format json");
	assert_true(print.go_on);
	assert_int_equal(print.options.action, ACTION_PRINT);
	assert_string_equal(print.options.format, "hocon");
	assert_false(serve.go_on);
	assert_int_equal(serve.status, 2);
	assert_false(check.go_on);
	assert_int_equal(check.status, 2);
}

static void what_is_no_option_is_wrong_usage(void **state)
{
	static const char *const lines[] = {
		"--nothing",        "-x",
		"--config",         "--offline=yes",
		"--socket",         "--mode bogus",
		"--log-level any",  "--check --print",
		"--schema --check",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		_cleanup_(parsed_deinit) struct parsed p;

		parse(&p, lines[i]);
		assert_false(p.go_on);
		assert_int_equal(p.status, 2);
	}
}

/* What options_parse writes to standard output for @line. */
static void capture(const char *line, char *text, size_t size)
{
	_cleanup_(parsed_deinit) struct parsed p;
	int out = dup(STDOUT_FILENO);
	FILE *file = tmpfile();
	size_t len;

	assert_non_null(file);
	(void)fflush(stdout);
	assert_true(dup2(fileno(file), STDOUT_FILENO) >= 0);
	parse(&p, line);
	(void)fflush(stdout);
	assert_true(dup2(out, STDOUT_FILENO) >= 0);
	(void)close(out);
	rewind(file);
	len = fread(text, 1, size - 1, file);
	text[len] = '\0';
	assert_int_equal(fclose(file), 0);
	assert_false(p.go_on);
	assert_int_equal(p.status, 0);
}

static void help_names_every_option(void **state)
{
	static const char *const names[] = {
		"--config",  "--socket", "--state",   "--workspace", "--mode",
		"--offline", "--system", "--user",    "--log-level", "--check",
		"--print",   "--format", "--version", "--help",
	};
	char text[4096];

	(void)state;
	capture("--help", text, sizeof(text));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strstr(text, names[i]))
			fail_msg("%s", names[i]);
}

static void version_is_one_line(void **state)
{
	char text[256];

	(void)state;
	capture("--version", text, sizeof(text));
	assert_string_equal(text, "clearconfd " CLEARCONF_VERSION "\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_options_it_serves),
		cmocka_unit_test(each_option_goes_where_it_belongs),
		cmocka_unit_test(the_instance_is_what_was_said_last),
		cmocka_unit_test(only_check_takes_files),
		cmocka_unit_test(a_format_belongs_to_print),
		cmocka_unit_test(what_is_no_option_is_wrong_usage),
		cmocka_unit_test(help_names_every_option),
		cmocka_unit_test(version_is_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
