/* What the command of `exec` finds in its environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../support/docs.h"
#include "../support/scratch.h"
#include "exec/exec_daemon.h"
#include "exec/exec_env.h"

struct given {
	const char *tree, *status; /* JSON */
	bool live;
	const char *workspace;
	enum exec_login login;
};

#define AGENT "{\"status\":{\"mode\":\"agent\",\"workspaces\":[]}}"
#define SDK   "{\"status\":{\"mode\":\"sdk\",\"workspaces\":[]}}"

static char **make(const struct given *given)
{
	_cleanup_(doc_unrefp) struct doc *tree = docs_read(given->tree);
	_cleanup_(exec_daemon_deinit) struct exec_daemon daemon = {
		.doc = docs_read(given->status),
		.agent = strstr(given->status, "\"agent\"") != NULL,
	};
	struct exec_env_wish wish = {
		.tree = tree->root,
		.file = "/the/file",
		.daemon = &daemon,
		.live = given->live,
		.login = given->login,
		.workspace = given->workspace,
	};

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

/* Whether a child gets a variable that the file contradicts. */
static void assert_gets_worker_id(const struct given *given, bool gets)
{
	_cleanup_(exec_env_freep) char **env = NULL;

	assert_int_equal(setenv("CLEARML_WORKER_ID", "mine", 1), 0);
	env = make(given);
	assert_int_equal(unsetenv("CLEARML_WORKER_ID"), 0);
	assert_variable(env, "CLEARML_WORKER_ID", gets ? "mine" : NULL);
	assert_variable(env, "CLEARML_CONFIG_FILE", "/the/file");
	assert_variable(env, "CLEARML_AGENT_DISABLE_VAULT_SUPPORT",
			given->live ? NULL : "1");
}

static void only_a_whole_file_is_contradicted(void **state)
{
	static const char tree[] = "{\"agent\":{\"worker_id\":\"other\"}}";

	(void)state;
	assert_gets_worker_id(&(struct given){tree, AGENT}, false);
	assert_gets_worker_id(&(struct given){tree, SDK}, true);
	assert_gets_worker_id(&(struct given){tree, AGENT, .live = true}, true);
	assert_gets_worker_id(&(struct given){"{}", AGENT}, true);
}

static void a_live_one_keeps_its_own_switch(void **state)
{
	_cleanup_(exec_env_freep) char **env = NULL;

	(void)state;
	assert_int_equal(setenv("CLEARML_DISABLE_VAULT_SUPPORT", "0", 1), 0);
	env = make(&(struct given){"{}", AGENT, .live = true});
	assert_int_equal(unsetenv("CLEARML_DISABLE_VAULT_SUPPORT"), 0);
	assert_variable(env, "CLEARML_DISABLE_VAULT_SUPPORT", "0");
	assert_variable(env, "CLEARML_AGENT_DISABLE_VAULT_SUPPORT", NULL);
}

#define SECTION                                                                \
	"{\"sdk\":{\"apply_environment\":1},\"environment\":{"                 \
	"\"MINE\":\"new\",\"CLEARML_CONFIG_FILE\":\"/x\",\"\":\"x\","          \
	"\"N\":\"a\\u0000b\",\"R\":1.5,\"CLEARML_API_HOST\":\"http://x\","     \
	"\"CLEARML_AGENT__A\":\"1\"}}"

static void a_section_wins_but_not_over_file_and_login(void **state)
{
	_cleanup_(exec_env_freep) char **env = NULL;

	(void)state;
	assert_int_equal(setenv("MINE", "old", 1), 0);
	env = make(&(struct given){SECTION, SDK});
	assert_variable(env, "MINE", "new");
	assert_variable(env, "R", "1.5");
	assert_variable(env, "N", NULL);
	assert_variable(env, "CLEARML_CONFIG_FILE", "/the/file");
	assert_variable(env, "CLEARML_API_HOST", NULL);
	assert_variable(env, "CLEARML_AGENT__A", NULL);
	assert_int_equal(unsetenv("MINE"), 0);
}

#define NOTHINGS                                                               \
	"{\"sdk\":{\"apply_environment\":true},\"environment\":{"              \
	"\"NO\":false,\"ZERO\":0,\"NULL\":null,\"EMPTY\":\"\"}}"

static void what_is_false_becomes_text_as_the_mode_has_it(void **state)
{
	_cleanup_(exec_env_freep) char **agent = NULL, **sdk = NULL;

	(void)state;
	agent = make(&(struct given){NOTHINGS, AGENT});
	assert_variable(agent, "NO", "False");
	assert_variable(agent, "ZERO", "0");
	assert_variable(agent, "NULL", "");
	assert_variable(agent, "EMPTY", "");
	sdk = make(&(struct given){NOTHINGS, SDK});
	assert_variable(sdk, "NO", "");
	assert_variable(sdk, "ZERO", "");
}

#define LOGIN                                                                  \
	"{\"api\":{\"api_server\":\"http://a\",\"files_server\":\"http://f\"," \
	"\"credentials\":{\"access_key\":\"K\",\"secret_key\":\"S\"}}}"

static void an_agents_login_is_said_where_no_vault_has_a_say(void **state)
{
	_cleanup_(exec_env_freep) char **env = NULL;

	(void)state;
	env = make(&(struct given){LOGIN, AGENT, true, .login = LOGIN_ALL});
	assert_variable(env, "CLEARML_API_HOST", "http://a");
	assert_variable(env, "CLEARML_FILES_HOST", "http://f");
	assert_variable(env, "CLEARML_WEB_HOST", NULL);
	assert_variable(env, "CLEARML_API_HOST_VERIFY_CERT", "1");
	assert_variable(env, "CLEARML_API_ACCESS_KEY", "K");
	assert_variable(env, "CLEARML_API_SECRET_KEY", "S");
}

/* What the caller has by this name stays as it is, and these are not added. */
static void assert_leaves(const char *name, const char *absent,
			  const char *other)
{
	_cleanup_(exec_env_freep) char **env = NULL;

	assert_int_equal(setenv(name, "callers", 1), 0);
	env = make(&(struct given){LOGIN, AGENT, true, .login = LOGIN_ALL});
	assert_int_equal(unsetenv(name), 0);
	assert_variable(env, name, "callers");
	assert_variable(env, absent, NULL);
	assert_variable(env, other, NULL);
}

static void a_callers_login_stays_and_no_pair_is_mixed(void **state)
{
	(void)state;
	assert_leaves("CLEARML_API_ACCESS_KEY", "CLEARML_API_SECRET_KEY", "x");
	assert_leaves("TRAINS_API_SECRET_KEY", "CLEARML_API_SECRET_KEY",
		      "CLEARML_API_ACCESS_KEY");
	assert_leaves("CLEARML_AUTH_TOKEN", "CLEARML_API_SECRET_KEY",
		      "CLEARML_API_ACCESS_KEY");
	assert_leaves("TRAINS_API_HOST", "CLEARML_API_HOST", "x");
	assert_leaves("TRAINS_API_HOST_VERIFY_CERT",
		      "CLEARML_API_HOST_VERIFY_CERT", "x");
}

static void owners_do_not_get_the_agents_keys(void **state)
{
	_cleanup_(exec_env_freep) char **env = NULL;

	(void)state;
	env = make(&(struct given){LOGIN, AGENT, true, .login = LOGIN_HOST});
	assert_variable(env, "CLEARML_API_HOST", "http://a");
	assert_variable(env, "CLEARML_API_ACCESS_KEY", NULL);
	assert_variable(env, "CLEARML_API_SECRET_KEY", NULL);
}

static void assert_trust(const char *tree, const char *value)
{
	_cleanup_(exec_env_freep) char **env = NULL;

	env = make(&(struct given){tree, AGENT, true, .login = LOGIN_ALL});
	assert_variable(env, "CLEARML_API_HOST_VERIFY_CERT", value);
}

static void trust_is_that_of_the_file(void **state)
{
	(void)state;
	assert_trust("{\"api\":{\"verify_certificate\":true}}", "1");
	assert_trust("{\"api\":{\"verify_certificate\":false}}", "0");
	assert_trust("{\"api\":{\"verify_certificate\":\"/ca.pem\"}}", NULL);
}

static void a_live_ones_section_is_clearmls_to_apply(void **state)
{
	_cleanup_(exec_env_freep) char **env = NULL;

	(void)state;
	env = make(&(struct given){SECTION, AGENT, .live = true});
	assert_variable(env, "MINE", NULL);
}

static void a_token_is_not_for_another_workspace(void **state)
{
	_cleanup_(exec_env_freep) char **own = NULL;
	_cleanup_(exec_env_freep) char **other = NULL;

	(void)state;
	assert_int_equal(setenv("CLEARML_AUTH_TOKEN", "t", 1), 0);
	own = make(&(struct given){"{}", AGENT});
	other = make(&(struct given){"{}", AGENT, .workspace = "w"});
	assert_int_equal(unsetenv("CLEARML_AUTH_TOKEN"), 0);
	assert_variable(own, "CLEARML_AUTH_TOKEN", "t");
	assert_variable(other, "CLEARML_AUTH_TOKEN", NULL);
	assert_variable(own, "CLEARCONF_WORKSPACE", NULL);
	assert_variable(other, "CLEARCONF_WORKSPACE", "w");
}

/* --- defaults ------------------------------------------------------------- */

#define LAYERS(path)                                                           \
	"{\"status\":{\"mode\":\"agent\",\"workspaces\":[{\"layers\":["        \
	"{\"layer\":\"defaults\",\"source\":\"" path "\"}]}]}}"

static void assert_folder(const char *path, const char *status, bool stays)
{
	_cleanup_(exec_env_freep) char **env = NULL;

	assert_int_equal(setenv("CLEARML_CONFIG_PATH", path, 1), 0);
	env = make(&(struct given){"{}", status});
	assert_int_equal(unsetenv("CLEARML_CONFIG_PATH"), 0);
	assert_variable(env, "CLEARML_CONFIG_PATH", stays ? path : NULL);
}

static void a_folder_of_other_defaults_is_not_named(void **state)
{
	_cleanup_(mem_freep) char *status = NULL;

	(void)state;
	scratch_enter();
	scratch_folder("default");
	scratch_write("default/sdk.conf", "a: 1");
	scratch_write("default/README", "nothing");
	status = mem_printf(LAYERS("%s/default/sdk.conf"), scratch_root);
	assert_folder("/not/there", AGENT, true);
	assert_folder("", AGENT, true);
	assert_folder(scratch_root, AGENT, false);
	assert_folder(scratch_root, status, true);
	scratch_write("default/api.conf", "a: 1");
	assert_folder(scratch_root, status, false);
	scratch_leave();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_whole_file_is_contradicted),
		cmocka_unit_test(a_live_one_keeps_its_own_switch),
		cmocka_unit_test(what_is_false_becomes_text_as_the_mode_has_it),
		cmocka_unit_test(a_section_wins_but_not_over_file_and_login),
		cmocka_unit_test(
			an_agents_login_is_said_where_no_vault_has_a_say),
		cmocka_unit_test(a_callers_login_stays_and_no_pair_is_mixed),
		cmocka_unit_test(owners_do_not_get_the_agents_keys),
		cmocka_unit_test(trust_is_that_of_the_file),
		cmocka_unit_test(a_live_ones_section_is_clearmls_to_apply),
		cmocka_unit_test(a_token_is_not_for_another_workspace),
		cmocka_unit_test(a_folder_of_other_defaults_is_not_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
