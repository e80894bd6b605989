#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/docs.h"
#include "../support/envs.h"
#include "../support/scratch.h"
#include "engine/login.h"
#include "settings/settings.h"

static void assert_text(const char *is, const char *should_be)
{
	if (!is != !should_be || (is && strcmp(is, should_be) != 0))
		fail_msg("%s instead of %s", is ? is : "nothing",
			 should_be ? should_be : "nothing");
}

/* The caller's. */
static struct login login_of(const char *json, const char *variables)
{
	_cleanup_(doc_unrefp) struct doc *doc = docs_read(json);
	_cleanup_(env_unrefp) struct env *env = envs_of(variables);
	struct login login;

	login_from_tree(&login, doc->root, env);
	return login;
}

static void what_the_tree_says_is_taken(void **state)
{
	_cleanup_(login_deinit) struct login login = login_of(
		"{\"api\":{\"api_server\":\" https://a \","
		"\"web_server\":\"https://w\",\"files_server\":\"https://f\","
		"\"credentials\":{\"access_key\":\"K\",\"secret_key\":\"S\"}}}",
		"");

	(void)state;
	assert_text(login.api_server, "https://a");
	assert_text(login.web_server, "https://w");
	assert_text(login.files_server, "https://f");
	assert_text(login.access_key, "K");
	assert_text(login.secret_key, "S");
	assert_text(login.token, NULL);
	assert_true(login.verify);
	assert_text(login.ca, NULL);
	assert_string_equal(login.key_layer, "file");
	assert_text(login.key_source, NULL);
	assert_null(login_lack(&login, false));
}

static void variables_win_over_the_tree(void **state)
{
	_cleanup_(login_deinit) struct login login =
		login_of("{\"api\":{\"api_server\":\"https://a\","
			 "\"credentials\":{\"access_key\":\"K\","
			 "\"secret_key\":\"S\"}}}",
			 "CLEARML_API_HOST= https://e/ |"
			 "CLEARML_WEB_HOST=https://ew|"
			 "TRAINS_FILES_HOST=https://ef|"
			 "CLEARML_API_ACCESS_KEY=EK|"
			 "TRAINS_API_SECRET_KEY=ES|CLEARML_AUTH_TOKEN=T");

	(void)state;
	assert_text(login.api_server, "https://e");
	assert_text(login.web_server, "https://ew");
	assert_text(login.files_server, "https://ef");
	assert_text(login.access_key, "EK");
	assert_text(login.secret_key, "ES");
	assert_text(login.token, "T");
	assert_string_equal(login.key_layer, "env-named");
	assert_text(login.key_source, "CLEARML_API_ACCESS_KEY");
}

static void blank_variables_count_as_unset(void **state)
{
	_cleanup_(login_deinit) struct login login =
		login_of("{\"api\":{\"api_server\":\"https://a\","
			 "\"credentials\":{\"access_key\":\"K\"}}}",
			 "CLEARML_API_HOST=|TRAINS_API_HOST= \t|"
			 "CLEARML_API_ACCESS_KEY= |"
			 "TRAINS_API_ACCESS_KEY=T|CLEARML_AUTH_TOKEN= ");

	(void)state;
	assert_text(login.api_server, "https://a");
	assert_text(login.access_key, "T");
	assert_text(login.key_source, "TRAINS_API_ACCESS_KEY");
	assert_text(login.token, NULL);
}

static void a_host_stands_at_two_paths(void **state)
{
	_cleanup_(login_deinit) struct login old = login_of(
		"{\"api\":{\"host\":\"https://h\",\"api_server\":\" \"}}", "");
	_cleanup_(login_deinit) struct login both =
		login_of("{\"api\":{\"host\":\"https://h\","
			 "\"api_server\":\"https://a\"}}",
			 "");

	(void)state;
	assert_text(old.api_server, "https://h");
	assert_text(both.api_server, "https://a");
}

static void slashes_at_the_end_of_hosts_go(void **state)
{
	_cleanup_(login_deinit) struct login login =
		login_of("{\"api\":{\"api_server\":\"https://a/x//\","
			 "\"web_server\":\"https://w/\","
			 "\"files_server\":\"///\"}}",
			 "");

	(void)state;
	assert_text(login.api_server, "https://a/x");
	assert_text(login.web_server, "https://w");
	assert_text(login.files_server, NULL);
}

static void there_is_no_default_server(void **state)
{
	static const char *const trees[] = {
		"{}",
		"{\"api\":5}",
		"{\"api\":{\"api_server\":null}}",
		"{\"api\":{\"api_server\":[\"x\"]}}",
		"{\"api\":{\"api_server\":\"/\"}}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(trees); i++) {
		_cleanup_(login_deinit) struct login login =
			login_of(trees[i], "CLEARML_AUTH_TOKEN=T");

		assert_text(login.api_server, NULL);
		assert_non_null(login_lack(&login, false));
	}
}

static void without_any_tree_the_variables_are_left(void **state)
{
	_cleanup_(env_unrefp) struct env *env =
		envs_of("CLEARML_API_HOST=https://e");
	_cleanup_(login_deinit) struct login login;

	(void)state;
	login_from_tree(&login, NULL, env);
	assert_text(login.api_server, "https://e");
	assert_false(login_has_key(NULL));
	assert_null(login.key_layer);
}

static void a_login_needs_a_server_and_a_token_or_both_keys(void **state)
{
	static const struct {
		const char *variables;
		bool complete;
	} cases[] = {
		{"", false},
		{"CLEARML_API_HOST=http://h", false},
		{"CLEARML_API_HOST=http://h|CLEARML_API_ACCESS_KEY=k", false},
		{"CLEARML_API_HOST=http://h|CLEARML_API_SECRET_KEY=s", false},
		{"CLEARML_API_ACCESS_KEY=k|CLEARML_API_SECRET_KEY=s", false},
		{"CLEARML_API_HOST=http://h|CLEARML_API_ACCESS_KEY=k|"
		 "CLEARML_API_SECRET_KEY=s",
		 true},
		{"CLEARML_API_HOST=http://h|CLEARML_AUTH_TOKEN=t", true},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(login_deinit) struct login login =
			login_of("{}", cases[i].variables);

		assert_int_equal(!login_lack(&login, false), cases[i].complete);
	}
}

/* access_key = 123 in a clearml.conf is an integer. */
static void keys_of_digits_are_keys(void **state)
{
	_cleanup_(login_deinit) struct login login =
		login_of("{\"api\":{\"credentials\":{\"access_key\":123,"
			 "\"secret_key\":12345678901234567890123}}}",
			 "");

	(void)state;
	assert_text(login.access_key, "123");
	assert_text(login.secret_key, "12345678901234567890123");
}

static void a_tree_may_have_a_key(void **state)
{
	_cleanup_(doc_unrefp) struct doc *with =
		docs_read("{\"api\":{\"credentials\":{\"access_key\":\"K\"}}}");
	_cleanup_(doc_unrefp) struct doc *blank =
		docs_read("{\"api\":{\"credentials\":{\"access_key\":\" \"}}}");

	(void)state;
	assert_true(login_has_key(with->root));
	assert_false(login_has_key(blank->root));
}

static void verification_is_a_boolean_or_the_path_of_a_ca(void **state)
{
	static const struct {
		const char *json, *variables;
		bool verify;
		const char *ca;
	} cases[] = {
		{"", "", true, NULL},
		{"true", "", true, NULL},
		{"false", "", false, NULL},
		{"\"no\"", "", false, NULL},
		{"\" FALSE \"", "", false, NULL},
		{"\"1\"", "", true, NULL},
		{"0", "", false, NULL},
		{"\"/ca.pem\"", "", true, "/ca.pem"},
		{"\"\"", "", true, NULL},
		{"\"  \"", "", true, NULL},
		{"null", "", true, NULL},
		{"[false]", "", true, NULL},
		{"true", "CLEARML_API_HOST_VERIFY_CERT=0", false, NULL},
		{"false", "TRAINS_API_HOST_VERIFY_CERT=/x", true, "/x"},
		{"false", "CLEARML_API_HOST_VERIFY_CERT= ", false, NULL},
	};
	char json[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool has = *cases[i].json;

		(void)snprintf(json, sizeof(json), "{\"api\":{%s%s}}",
			       has ? "\"verify_certificate\":" : "",
			       cases[i].json);
		_cleanup_(login_deinit) struct login login =
			login_of(json, cases[i].variables);

		if (login.verify != cases[i].verify)
			fail_msg("%s %s", json, cases[i].variables);
		assert_text(login.ca, cases[i].ca);
	}
}

/* Declared workspaces. */

static int enter(void **state)
{
	(void)state;
	scratch_enter();
	scratch_folder("etc");
	scratch_folder("credentials");
	assert_int_equal(
		setenv("CREDENTIALS_DIRECTORY", scratch_at("credentials"), 1),
		0);
	return 0;
}

static int leave(void **state)
{
	(void)state;
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	scratch_leave();
	return 0;
}

/* From the only [workspace] of etc/s.conf, whose settings are @text. */
static bool declare(struct login *login, const char *text, struct diag *diag)
{
	_cleanup_(buf_deinit) struct buf file = BUF_INIT;
	_cleanup_(settings_freep) struct settings *settings = NULL;

	buf_printf(&file, "[workspace w]\n%s", text);
	scratch_write("etc/s.conf", buf_str(&file).ptr);
	settings = settings_load("etc/s.conf", diag);
	assert_non_null(settings);
	return login_from_settings(login, settings, settings->workspaces, diag);
}

static void assert_secret(const char *text, const char *secret)
{
	_cleanup_(login_deinit) struct login login = {0};
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;

	if (!declare(&login, text, &diag))
		fail_msg("%s: %s", diag.source, diag.text);
	assert_text(login.secret_key, secret);
}

static void assert_no_secret(const char *text, const char *file,
			     const char *reason)
{
	_cleanup_(login_deinit) struct login login = {0};
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;

	assert_false(declare(&login, text, &diag));
	assert_null(login.secret_key);
	assert_string_equal(diag.source, scratch_at(file));
	assert_non_null(strstr(diag.text, reason));
}

static void a_declared_workspace_is_what_its_section_says(void **state)
{
	_cleanup_(login_deinit) struct login login = {0};
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;

	(void)state;
	assert_int_equal(setenv("CLEARML_API_HOST", "https://env", 1), 0);
	scratch_write("etc/secret", "S\n");
	assert_true(
		declare(&login,
			"api_server = https://a//\nweb_server = https://w/\n"
			"files_server = https://f\naccess_key = K\n"
			"secret_key_file = secret\n"
			"verify_certificate = /ca\n",
			&diag));
	assert_int_equal(unsetenv("CLEARML_API_HOST"), 0);
	assert_text(login.api_server, "https://a");
	assert_text(login.web_server, "https://w");
	assert_text(login.files_server, "https://f");
	assert_text(login.access_key, "K");
	assert_text(login.secret_key, "S");
	assert_text(login.token, NULL);
	assert_true(login.verify);
	assert_text(login.ca, "/ca");
	assert_string_equal(login.key_layer, "workspace");
	assert_text(login.key_source, scratch_at("etc/s.conf"));
	assert_null(login_lack(&login, false));
}

static void a_declared_workspace_may_trust_any_certificate(void **state)
{
	_cleanup_(login_deinit) struct login login = {0};
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;

	(void)state;
	assert_true(declare(&login,
			    "api_server = http://a\nverify_certificate = no\n",
			    &diag));
	assert_false(login.verify);
	assert_text(login.ca, NULL);
	login_deinit(&login);
	assert_true(declare(&login,
			    "api_server = http://a\nverify_certificate =\n",
			    &diag));
	assert_true(login.verify);
	assert_text(login.ca, NULL);
}

static void a_declared_ca_lies_beside_the_settings(void **state)
{
	_cleanup_(login_deinit) struct login login = {0};
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;

	(void)state;
	assert_true(declare(
		&login, "api_server = http://a\nverify_certificate = ca.pem\n",
		&diag));
	assert_true(login.verify);
	assert_text(login.ca, scratch_at("etc/ca.pem"));
}

static void both_halves_may_stand_in_one_file(void **state)
{
	_cleanup_(login_deinit) struct login login = {0};
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;

	(void)state;
	scratch_write("etc/pair.conf",
		      "api { credentials { access_key: K, secret_key: S } }");
	assert_true(declare(
		&login, "api_server = http://a\ncredentials_file = pair.conf\n",
		&diag));
	assert_text(login.access_key, "K");
	assert_text(login.secret_key, "S");
	assert_text(login.key_source, scratch_at("etc/pair.conf"));
	login_deinit(&login);
	scratch_write("etc/pair.conf", "api.credentials.access_key: K");
	assert_false(declare(
		&login, "api_server = http://a\ncredentials_file = pair.conf\n",
		&diag));
	assert_non_null(strstr(diag.text, "no whole key pair"));
	assert_text(login.access_key, NULL);
}

#define WITH_KEY "api_server = http://a\naccess_key = K\nsecret_key_file = "

static void a_secret_is_found_beside_the_settings(void **state)
{
	(void)state;
	scratch_write("etc/key", "SECRET");
	scratch_write("etc/lined", " SECRET \r\n\n");
	assert_secret(WITH_KEY "key\n", "SECRET");
	assert_secret(WITH_KEY "../etc/key\n", "SECRET");
	assert_secret(WITH_KEY "lined\n", "SECRET");
	assert_secret("api_server = http://a\nsecret_key_file =\n", NULL);
}

static void a_secret_may_have_an_absolute_path(void **state)
{
	char text[PATH_MAX + 64];

	(void)state;
	scratch_write("elsewhere", "SECRET");
	(void)snprintf(text, sizeof(text), WITH_KEY "%s\n",
		       scratch_at("elsewhere"));
	assert_secret(text, "SECRET");
}

static void a_credential_of_the_unit_comes_first(void **state)
{
	(void)state;
	scratch_write("etc/key", "BESIDE");
	assert_secret(WITH_KEY "key\n", "BESIDE");
	scratch_write("credentials/key", "PLAIN\n");
	assert_secret(WITH_KEY "key\n", "PLAIN");
	scratch_write("credentials/secret_key", "NAMED\n");
	assert_secret(WITH_KEY "key\n", "NAMED");
	assert_secret(WITH_KEY "./key\n", "BESIDE");
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	assert_secret(WITH_KEY "key\n", "BESIDE");
}

static void a_secret_that_is_not_there_is_said(void **state)
{
	(void)state;
	assert_no_secret(WITH_KEY "key\n", "etc/key", "not there");
	scratch_folder("etc/folder");
	assert_no_secret(WITH_KEY "folder\n", "etc/folder", "not there");
	scratch_write("etc/empty", " \n\t\n");
	assert_no_secret(WITH_KEY "empty\n", "etc/empty", "empty");
	scratch_write("etc/binary", "\xff\n");
	assert_no_secret(WITH_KEY "binary\n", "etc/binary", "UTF-8");
	scratch_write("credentials/blank", "");
	assert_no_secret(WITH_KEY "blank\n", "credentials/blank", "empty");
}

/* tree -> seconds before the end, seconds of life, method */
static const struct {
	const char *json, *variables;
	int64_t renew_ahead, token_life;
	const char *method;
} auth_settings[] = {
	{"{}", "", 0, 0, NULL},
	{"{\"api\":{\"auth\":{\"token_expiration_threshold_sec\":600,"
	 "\"request_token_expiration_sec\":\" 7200 \"},"
	 "\"http\":{\"default_method\":\"put\"}}}",
	 "", 600, 7200, "put"},
	{"{\"api\":{\"auth\":{\"req_token_expiration_sec\":60}}}", "", 0, 60,
	 NULL},
	{"{\"api\":{\"auth\":{\"token_expiration_threshold_sec\":-1,"
	 "\"request_token_expiration_sec\":null,"
	 "\"req_token_expiration_sec\":1.5}}}",
	 "", 0, 0, NULL},
	{"{\"api\":{\"auth\":{\"request_token_expiration_sec\":"
	 "123456789012345678901234567890,"
	 "\"token_expiration_threshold_sec\":\"6 min\"}}}",
	 "", 0, INT64_MAX, NULL},
	{"{\"api\":{\"http\":{\"default_method\":\"put\"}}}",
	 "CLEARML_API_DEFAULT_REQ_METHOD=POST", 0, 0, "POST"},
	{"{\"api\":{\"http\":{\"default_method\":\"put\"}}}",
	 "CLEARML_API_DEFAULT_REQ_METHOD= ", 0, 0, "put"},
};

static void settings_of_clearml_that_suit_a_daemon_are_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(auth_settings); i++) {
		_cleanup_(login_deinit) struct login login = login_of(
			auth_settings[i].json, auth_settings[i].variables);

		assert_int_equal(login.renew_ahead,
				 auth_settings[i].renew_ahead);
		assert_int_equal(login.token_life, auth_settings[i].token_life);
		assert_text(login.method, auth_settings[i].method);
	}
}

static void equal_logins_reach_the_same_server_the_same_way(void **state)
{
	static const char *const others[] = {
		"CLEARML_API_HOST=h2",
		"CLEARML_WEB_HOST=w",
		"CLEARML_FILES_HOST=f",
		"CLEARML_API_ACCESS_KEY=k",
		"CLEARML_API_SECRET_KEY=s",
		"CLEARML_AUTH_TOKEN=t",
		"CLEARML_API_HOST_VERIFY_CERT=no",
		"CLEARML_API_HOST_VERIFY_CERT=/ca",
		"CLEARML_API_DEFAULT_REQ_METHOD=put",
	};
	const char *tree = "{\"api\":{\"api_server\":\"h\"}}";
	_cleanup_(login_deinit) struct login login = login_of(tree, "");
	_cleanup_(login_deinit) struct login again =
		login_of("{}", "TRAINS_API_HOST=h/");

	(void)state;
	assert_true(login_equal(&login, &login));
	assert_true(login_equal(&login, &again));
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		_cleanup_(login_deinit) struct login other =
			login_of(tree, others[i]);

		if (login_equal(&login, &other))
			fail_msg("%s", others[i]);
	}
}

static void assert_layer(const char *variables, const char *json)
{
	_cleanup_(login_deinit) struct login login = login_of("{}", variables);
	_cleanup_(buf_deinit) struct buf layer = BUF_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = NULL;

	login_write_layer(&login, &layer);
	doc = docs_read(buf_str(&layer).ptr);
	docs_assert_json(doc->root, json);
}

static void the_layer_is_what_a_file_would_say(void **state)
{
	(void)state;
	assert_layer("", "{\"api\":{}}");
	assert_layer("CLEARML_API_HOST=http://h",
		     "{\"api\":{\"api_server\":\"http://h\"}}");
	assert_layer("CLEARML_API_ACCESS_KEY=k\"\\",
		     "{\"api\":{\"credentials\":{"
		     "\"access_key\":\"k\\\"\\\\\"}}}");
	assert_layer("CLEARML_API_HOST=h|CLEARML_WEB_HOST=w|"
		     "CLEARML_FILES_HOST=f|CLEARML_API_ACCESS_KEY=k|"
		     "CLEARML_API_SECRET_KEY=s|CLEARML_AUTH_TOKEN=t",
		     "{\"api\":{\"api_server\":\"h\",\"web_server\":\"w\","
		     "\"files_server\":\"f\",\"credentials\":{"
		     "\"access_key\":\"k\",\"secret_key\":\"s\"}}}");
}

int main(void)
{
#define IN_SCRATCH(name) cmocka_unit_test_setup_teardown(name, enter, leave)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_tree_says_is_taken),
		cmocka_unit_test(variables_win_over_the_tree),
		cmocka_unit_test(blank_variables_count_as_unset),
		cmocka_unit_test(a_host_stands_at_two_paths),
		cmocka_unit_test(slashes_at_the_end_of_hosts_go),
		cmocka_unit_test(there_is_no_default_server),
		cmocka_unit_test(without_any_tree_the_variables_are_left),
		cmocka_unit_test(
			a_login_needs_a_server_and_a_token_or_both_keys),
		cmocka_unit_test(
			settings_of_clearml_that_suit_a_daemon_are_taken),
		cmocka_unit_test(keys_of_digits_are_keys),
		cmocka_unit_test(a_tree_may_have_a_key),
		cmocka_unit_test(verification_is_a_boolean_or_the_path_of_a_ca),
		IN_SCRATCH(a_declared_workspace_is_what_its_section_says),
		IN_SCRATCH(a_declared_workspace_may_trust_any_certificate),
		IN_SCRATCH(a_declared_ca_lies_beside_the_settings),
		IN_SCRATCH(both_halves_may_stand_in_one_file),
		IN_SCRATCH(a_secret_is_found_beside_the_settings),
		IN_SCRATCH(a_secret_may_have_an_absolute_path),
		IN_SCRATCH(a_credential_of_the_unit_comes_first),
		IN_SCRATCH(a_secret_that_is_not_there_is_said),
		cmocka_unit_test(
			equal_logins_reach_the_same_server_the_same_way),
		cmocka_unit_test(the_layer_is_what_a_file_would_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
