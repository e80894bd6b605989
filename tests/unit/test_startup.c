#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/scratch.h"
#include "base/diag.h"
#include "base/log.h"
#include "base/mem.h"
#include "settings/options.h"
#include "settings/places.h"
#include "settings/settings.h"
#include "settings/startup.h"

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

/* With the instance's own file at own.conf in the scratch folder; the
 * caller's. */
static struct settings *start(const struct options *options, struct diag *diag)
{
	_cleanup_(mem_freep) char *own = mem_strdup(scratch_at("own.conf"));
	const struct places places = {.settings = own};

	return startup_settings(options, &places, diag);
}

static void assert_refused(const struct options *options, const char *source)
{
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;

	assert_null(start(options, &diag));
	assert_string_equal(diag.source, source);
}

static void an_absent_file_of_its_own_means_the_defaults(void **state)
{
	const struct options options = {0};
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(settings_freep) struct settings *settings =
		start(&options, &diag);

	(void)state;
	assert_non_null(settings);
	assert_null(settings->path);
	assert_int_equal(settings->limits.history, 64);
}

static void a_file_of_its_own_is_read(void **state)
{
	const struct options options = {0};
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(settings_freep) struct settings *settings = NULL;

	(void)state;
	scratch_write("own.conf", "[limits]\nhistory = 3\n");
	settings = start(&options, &diag);
	assert_non_null(settings);
	assert_int_equal(settings->limits.history, 3);
	assert_string_equal(settings->path, scratch_at("own.conf"));
}

static void a_broken_file_of_its_own_stops_the_start(void **state)
{
	const struct options options = {0};

	(void)state;
	scratch_write("own.conf", "[limits]\nhistory = x\n");
	assert_refused(&options, scratch_at("own.conf"));
	assert_int_equal(unlink("own.conf"), 0);
	scratch_folder("own.conf");
	assert_refused(&options, scratch_at("own.conf"));
}

/* A link to itself stands for a folder that may not be looked into: root may
 * look everywhere. */
static void a_file_that_cannot_be_looked_at_stops_the_start(void **state)
{
	const struct options options = {0};

	(void)state;
	scratch_link("own.conf", "own.conf");
	assert_refused(&options, scratch_at("own.conf"));
}

static void a_named_file_must_be_there(void **state)
{
	const struct options options = {.config = "named.conf"};
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(settings_freep) struct settings *settings = NULL;

	(void)state;
	scratch_write("own.conf", "[limits]\nhistory = 3\n");
	assert_refused(&options, "named.conf");
	scratch_write("named.conf", "[limits]\nhistory = 4\n");
	settings = start(&options, &diag);
	assert_non_null(settings);
	assert_int_equal(settings->limits.history, 4);
}

static void the_command_line_wins_over_the_file(void **state)
{
	const struct options options = {
		.socket = "/o.sock",
		.state_dir = "/o",
		.mode = "agent",
		.log_level = "debug",
	};
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(settings_freep) struct settings *settings = NULL;

	(void)state;
	scratch_write("own.conf", "[daemon]\nsocket = /f.sock\nmode = sdk\n"
				  "state_dir = /f\nlog_level = error\n");
	settings = start(&options, &diag);
	assert_non_null(settings);
	assert_string_equal(settings->socket, "/o.sock");
	assert_string_equal(settings->state_dir, "/o");
	assert_int_equal(settings->mode, MODE_AGENT);
	assert_int_equal(settings->log_level, LOG_LEVEL_DEBUG);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
	const struct CMUnitTest tests[] = {
		TEST(an_absent_file_of_its_own_means_the_defaults),
		TEST(a_file_of_its_own_is_read),
		TEST(a_broken_file_of_its_own_stops_the_start),
		TEST(a_file_that_cannot_be_looked_at_stops_the_start),
		TEST(a_named_file_must_be_there),
		TEST(the_command_line_wins_over_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
