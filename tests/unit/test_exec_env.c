/* What the command of `exec` finds in its environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../support/docs.h"
#include "base/env.h"
#include "exec_env.h"
#include "read/variables.h"

static char **make(const struct doc *doc, bool other_workspace)
{
	struct exec_env_wish wish = {doc->root, "/the/file", other_workspace};

	return exec_env_make(&wish);
}

static void assert_variable(char **env, const char *name, const char *value)
{
	const char *found = exec_env_get(env, str_from(name));

	if (!value)
		assert_null(found);
	else
		assert_string_equal(found ? found : "(not set)", value);
}

/* One of the named variables, set alone, is one that took part. */
static void assert_took_part(const char *name)
{
	struct env_variable variable = {str_from(name), STR("1")};
	struct env *env = env_new(&variable, 1);
	struct variables variables;

	variables_named(&variables, env);
	assert_int_equal(variables.count, 1);
	variables_deinit(&variables);
	(void)env_unref(env);
}

static void what_the_daemon_reads_is_taken_away(void **state)
{
	static const char *const names[] = {
		"CLEARML_API_HOST",
		"CLEARML_API_ACCESS_KEY",
		"CLEARML_API_SECRET_KEY",
		"TRAINS_FILES_HOST",
		"TRAINS_WEB_HOST",
		"CLEARML_WORKER_ID",
		"TRAINS_WORKER_NAME",
		"CUDA_VERSION",
		"CUDNN_VERSION",
		"CLEARML_AGENT_CRASH_ON_EXCEPTION",
		"CLEARML_AGENT_SNUG_ENABLED",
		"CLEARML_AGENT_SNUG_REPORT_USAGE_EVENTS",
		"CLEARML_AGENT_SNUG_REPORT_TASK_METRICS",
		"CLEARML_AGENT_SNUG_CALL_HISTORY",
		"CLEARML_AGENT_SNUG_APP_MODE",
		"AWS_ACCESS_KEY_ID",
		"AWS_SECRET_ACCESS_KEY",
		"AWS_DEFAULT_REGION",
		"GOOGLE_APPLICATION_CREDENTIALS",
	};
	_cleanup_(doc_unrefp) struct doc *doc = docs_read("{}");
	_cleanup_(exec_env_freep) char **env = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_took_part(names[i]);
		assert_int_equal(setenv(names[i], "1", 1), 0);
	}
	env = make(doc, false);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_variable(env, names[i], NULL);
		assert_int_equal(unsetenv(names[i]), 0);
	}
}

static void a_section_wins_but_over_the_way_to_the_file(void **state)
{
	_cleanup_(doc_unrefp) struct doc *doc =
		docs_read("{\"sdk\":{\"apply_environment\":1},\"environment\":{"
			  "\"MINE\":\"new\",\"CLEARML_CONFIG_FILE\":\"/x\","
			  "\"\":\"x\",\"N\":\"a\\u0000b\",\"R\":1.5}}");
	_cleanup_(exec_env_freep) char **env = NULL;

	(void)state;
	assert_int_equal(setenv("MINE", "old", 1), 0);
	env = make(doc, false);
	assert_variable(env, "MINE", "new");
	assert_variable(env, "R", "1.5");
	assert_variable(env, "N", NULL);
	assert_variable(env, "CLEARML_CONFIG_FILE", "/the/file");
	assert_int_equal(unsetenv("MINE"), 0);
}

static void a_prefix_of_a_name_is_another_name(void **state)
{
	_cleanup_(doc_unrefp) struct doc *doc = docs_read("{}");
	_cleanup_(exec_env_freep) char **env = NULL;

	(void)state;
	assert_int_equal(setenv("CLEARML_AGENT_", "kept", 1), 0);
	assert_int_equal(setenv("CLEARML_API_HOST_NAME", "kept", 1), 0);
	assert_int_equal(setenv("CLEARML_AGENT__", "gone", 1), 0);
	env = make(doc, true);
	assert_variable(env, "CLEARML_AGENT_", "kept");
	assert_variable(env, "CLEARML_API_HOST_NAME", "kept");
	assert_variable(env, "CLEARML_AGENT__", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_daemon_reads_is_taken_away),
		cmocka_unit_test(a_section_wins_but_over_the_way_to_the_file),
		cmocka_unit_test(a_prefix_of_a_name_is_another_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
