/* Which variables an agent would apply over the file with another value. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "../support/docs.h"
#include "exec/exec_overrides.h"

static void set_variables(const char *const *variables)
{
	for (; *variables; variables += 2)
		assert_int_equal(setenv(variables[0], variables[1], 1), 0);
}

static void unset_variables(const char *const *variables)
{
	for (; *variables; variables += 2)
		assert_int_equal(unsetenv(variables[0]), 0);
}

/* With @variables set, NAME and VALUE in turn, those named in @expected would
 * change the tree, in that order. */
static void assert_found(const char *json, const char *const *variables,
			 const char *expected)
{
	_cleanup_(doc_unrefp) struct doc *doc = docs_read(json);
	_cleanup_(exec_overrides_freep) char **names = NULL;
	_cleanup_(buf_deinit) struct buf found = BUF_INIT;

	set_variables(variables);
	names = exec_overrides_find(doc->root);
	unset_variables(variables);
	for (char **at = names; *at; at++) {
		buf_puts(&found, found.len ? " " : "");
		buf_puts(&found, *at);
		assert_true(exec_overrides_has(names, str_from(*at)));
	}
	assert_string_equal(buf_str(&found).ptr, expected);
	assert_false(exec_overrides_has(names, STR("HOME")));
}

#define VARIABLES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void the_same_value_changes_nothing(void **state)
{
	(void)state;
	assert_found("{\"a\":{\"b\":5},\"agent\":{\"worker_id\":\"w\"},"
		     "\"api\":{\"api_server\":\"http://x\"}}",
		     VARIABLES("CLEARML_AGENT__A__B", "5", "CLEARML_WORKER_ID",
			       " w ", "CLEARML_API_HOST", "http://x"),
		     "");
}

static void what_a_vault_has_won_would_be_lost(void **state)
{
	(void)state;
	assert_found("{\"a\":{\"b\":\"5\",\"c\":[1]},"
		     "\"agent\":{\"snug\":{\"enabled\":true}}}",
		     VARIABLES("CLEARML_AGENT__A__B", "5",
			       "CLEARML_AGENT__A__C", "[1]",
			       "CLEARML_AGENT_SNUG_ENABLED", "no"),
		     "CLEARML_AGENT__A__B CLEARML_AGENT_SNUG_ENABLED");
}

static void a_value_that_the_file_lacks_is_added(void **state)
{
	(void)state;
	assert_found("{\"a\":{}}",
		     VARIABLES("CLEARML_AGENT__A__B", "5",
			       "CLEARML_API_ACCESS_KEY", "k",
			       "CLEARML_API_SECRET_KEY", "s"),
		     "");
}

static void an_object_counts_by_its_members(void **state)
{
	static const char tree[] = "{\"a\":{\"b\":1,\"c\":2}}";

	(void)state;
	assert_found(tree, VARIABLES("CLEARML_AGENT__A", "{ c: 2, d: 3 }"), "");
	assert_found(tree, VARIABLES("CLEARML_AGENT__A", "{ c: 3 }"),
		     "CLEARML_AGENT__A");
	assert_found(tree, VARIABLES("CLEARML_AGENT__A", "x"),
		     "CLEARML_AGENT__A");
	assert_found(tree, VARIABLES("CLEARML_AGENT__A__B__C", "1"),
		     "CLEARML_AGENT__A__B__C");
}

static void a_variable_may_name_another(void **state)
{
	(void)state;
	assert_found("{\"a\":\"me\"}",
		     VARIABLES("CLEARML_AGENT__A", "${NAMED}", "NAMED", "me"),
		     "");
	assert_found("{\"a\":\"you\"}",
		     VARIABLES("CLEARML_AGENT__A", "${NAMED}", "NAMED", "me"),
		     "CLEARML_AGENT__A");
}

static void host_and_keys_go_together(void **state)
{
	static const char *const login[] = {
		"CLEARML_API_HOST",
		"http://x", /* as the file has it */
		"CLEARML_API_ACCESS_KEY",
		"k",
		"TRAINS_API_SECRET_KEY",
		"s",
		"CLEARML_WEB_HOST",
		"http://w",
		NULL,
	};

	(void)state;
	assert_found("{\"api\":{\"api_server\":\"http://x\","
		     "\"web_server\":\"http://w\",\"credentials\":"
		     "{\"access_key\":\"other\",\"secret_key\":\"s\"}}}",
		     login,
		     "CLEARML_API_HOST TRAINS_API_HOST CLEARML_API_ACCESS_KEY "
		     "TRAINS_API_ACCESS_KEY CLEARML_API_SECRET_KEY "
		     "TRAINS_API_SECRET_KEY");
}

static void a_third_partys_stays(void **state)
{
	(void)state;
	assert_found("{\"agent\":{\"cuda_version\":\"11\"},\"sdk\":{\"aws\":"
		     "{\"s3\":{\"key\":\"x\",\"secret\":\"y\"}},\"google\":"
		     "{\"storage\":{\"credentials_json\":\"z\"}}}}",
		     VARIABLES("CUDA_VERSION", "12", "AWS_ACCESS_KEY_ID", "k",
			       "AWS_SECRET_ACCESS_KEY", "s",
			       "GOOGLE_APPLICATION_CREDENTIALS", "/j"),
		     "CLEARML_CUDA_VERSION TRAINS_CUDA_VERSION");
}

/* --- Azure ---------------------------------------------------------------- */

static void assert_spared(const char *json, const char *const *variables,
			  const char *expected)
{
	_cleanup_(doc_unrefp) struct doc *doc = docs_read(json);

	set_variables(variables);
	exec_overrides_spare(doc->root);
	unset_variables(variables);
	docs_assert_json(doc->root, expected);
}

#define CONTAINERS(items)                                                      \
	"{\"sdk\":{\"azure\":{\"storage\":{\"containers\":[" items "]}}}}"
#define MINE   "{\"account_name\":\"n\",\"account_key\":\"k\"}"
#define OTHERS "{\"account_name\":\"o\",\"account_key\":\"k\"}"
#define HALF   "{\"account_name\":\"n\",\"account_key\":null}"

static void the_container_of_the_environment_is_left_to_the_agent(void **state)
{
	const char *const *variables = VARIABLES("AZURE_STORAGE_ACCOUNT", "n",
						 "AZURE_STORAGE_KEY", "k");

	(void)state;
	assert_spared(CONTAINERS(OTHERS "," MINE), variables,
		      CONTAINERS(OTHERS));
	assert_spared(CONTAINERS(MINE), variables, CONTAINERS());
	assert_spared(CONTAINERS(MINE "," OTHERS), variables,
		      CONTAINERS(MINE "," OTHERS));
	assert_spared(CONTAINERS(), variables, CONTAINERS());
	assert_spared("{\"sdk\":{\"azure\":1}}", variables,
		      "{\"sdk\":{\"azure\":1}}");
	assert_spared(CONTAINERS(HALF), VARIABLES("AZURE_STORAGE_ACCOUNT", "n"),
		      CONTAINERS());
	assert_spared(CONTAINERS(MINE), VARIABLES("AZURE_STORAGE_ACCOUNT", "n"),
		      CONTAINERS(MINE));
	assert_spared(CONTAINERS(MINE), VARIABLES("UNUSED", ""),
		      CONTAINERS(MINE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_value_changes_nothing),
		cmocka_unit_test(what_a_vault_has_won_would_be_lost),
		cmocka_unit_test(a_value_that_the_file_lacks_is_added),
		cmocka_unit_test(an_object_counts_by_its_members),
		cmocka_unit_test(a_variable_may_name_another),
		cmocka_unit_test(host_and_keys_go_together),
		cmocka_unit_test(a_third_partys_stays),
		cmocka_unit_test(
			the_container_of_the_environment_is_left_to_the_agent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
