#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/explaining.h"
#include "base/log.h"
#include "config/lock.h"

#define AGENT true
#define SDK   false

/* Of @texts in a mode; @more is locked too, @variables are the agent's. */
static struct snapshot *snapshot_of(bool agent, const struct text *texts,
				    const char *variables, const char *more)
{
	struct secrets *secrets = secrets_new(NULL);
	struct snapshot *snapshot =
		agent ? agent_snapshot(texts, secrets, variables)
		      : sdk_snapshot(texts, secrets);

	snapshot->locks = locks_new(agent, more);
	secrets_free(secrets);
	return snapshot;
}

static void assert_shown(struct snapshot *snapshot, enum projection projection,
			 const char *expected)
{
	struct snapshot *shown = snapshot_project(snapshot, projection);

	docs_assert_json(shown->root, expected);
	assert_true(str_is(rendition_json(shown->plain), expected));
	snapshot_unref(shown);
}

/* The snapshot is unrefed. */
static void check_merged(struct snapshot *snapshot, const char *expected)
{
	assert_shown(snapshot, PROJECTION_MERGED, expected);
	snapshot_unref(snapshot);
}

static void a_vault_changes_nothing_about_the_login(void **state)
{
	const struct text texts[] = {
		{LAYER_FILE, "f",
		 "api { api_server = a, web_server = w, "
		 "credentials { access_key = k, secret_key = s } }"},
		{LAYER_VAULT, "v",
		 "api { api_server = other, files_server = \"s3://b\", host = "
		 "other, verify_certificate = false, http.retries.total = 1, "
		 "credentials.access_key = other }, x = 1"},
		{0},
	};

	(void)state;
	check_merged(snapshot_of(SDK, texts, "", NULL),
		     "{\"api\":{\"api_server\":\"a\",\"web_server\":\"w\","
		     "\"credentials\":{\"access_key\":\"k\","
		     "\"secret_key\":\"s\"},\"files_server\":\"s3://b\"},"
		     "\"x\":1}");
}

static void what_nothing_below_has_is_absent(void **state)
{
	const struct text texts[] = {
		{LAYER_VAULT, "v", "api.api_server = other, x = 1"},
		{LAYER_VAULT, "w", "api.credentials.access_key = other"},
		{0},
	};

	(void)state;
	check_merged(snapshot_of(SDK, texts, "", NULL), "{\"x\":1}");
}

static void an_empty_whole_is_the_empty_object(void **state)
{
	const struct text texts[] = {
		{LAYER_VAULT, "v", "api.api_server = other"},
		{0},
	};

	(void)state;
	check_merged(snapshot_of(SDK, texts, "", NULL), "{}");
}

/* `api: none` would take the server away. */
static void nothing_takes_the_place_of_a_locked_key(void **state)
{
	const struct text texts[] = {
		{LAYER_FILE, "f", "api { api_server = a, other = 1 }, b = 1"},
		{LAYER_VAULT, "v", "api = null, b = 2"},
		{LAYER_VAULT, "w", "api = [1], c = 3"},
		{0},
	};

	(void)state;
	check_merged(snapshot_of(SDK, texts, "", NULL),
		     "{\"api\":{\"api_server\":\"a\",\"other\":1},\"b\":2,"
		     "\"c\":3}");
}

static void variables_above_the_vaults_hold(void **state)
{
	const struct text texts[] = {
		{LAYER_FILE, "f", "api.api_server = a"},
		{LAYER_VAULT, "v", "api.api_server = other"},
		{LAYER_ENV_NAMED, "CLEARML_API_HOST", "mine", "api.api_server"},
		{LAYER_MONITORING, "m", "api.api_server = another, y = 1"},
		{0},
	};

	(void)state;
	check_merged(snapshot_of(AGENT, texts, "", NULL),
		     "{\"api\":{\"api_server\":\"mine\"},\"y\":1}");
}

static void the_agents_own_keys_are_from_no_config_vault(void **state)
{
	const struct text texts[] = {
		{LAYER_FILE, "f", "agent { debug = 11, other = 1 }"},
		{LAYER_VAULT, "v",
		 "agent { worker_id = theirs, debug = 11.0, more = 2 }"},
		{LAYER_MONITORING, "m", "agent.worker_name = watched"},
		{0},
	};

	(void)state;
	check_merged(snapshot_of(AGENT, texts, "", NULL),
		     "{\"agent\":{\"debug\":11,\"other\":1,\"more\":2,"
		     "\"worker_name\":\"watched\"}}");
	check_merged(snapshot_of(SDK, texts, "", NULL),
		     "{\"agent\":{\"debug\":11.0,\"other\":1,"
		     "\"worker_id\":\"theirs\",\"more\":2,"
		     "\"worker_name\":\"watched\"}}");
}

static void a_monitoring_vault_may_name_the_agent(void **state)
{
	const struct text texts[] = {
		{LAYER_VAULT, "v", "agent.worker_id = theirs"},
		{LAYER_MONITORING, "m", "agent.worker_id = watched"},
		{0},
	};

	(void)state;
	check_merged(snapshot_of(AGENT, texts, "", NULL),
		     "{\"agent\":{\"worker_id\":\"watched\"}}");
}

static void the_settings_lock_more(void **state)
{
	const struct text texts[] = {
		{LAYER_FILE, "f", "a { \"b.c\" = 1, d = 2 }, l = [1]"},
		{LAYER_VAULT, "v", "a { \"b.c\" = 7, d = 8 }, l = [7, 8]"},
		{LAYER_MONITORING, "m", "a.\"b.c\" = 9"},
		{0},
	};

	(void)state;
	check_merged(snapshot_of(SDK, texts, "", "a.\"b.c\"  l.0"),
		     "{\"a\":{\"b.c\":1,\"d\":8},\"l\":[1]}");
}

/* What is united of several documents is a vault's doing as well. */
static void what_was_derived_from_a_vault_is_stripped(void **state)
{
	const struct text texts[] = {
		{LAYER_FILE, "f",
		 "agent.snug.whitelist { rules = [{ host = a }] }"},
		{LAYER_VAULT, "v",
		 "agent.snug.whitelist { rules = [{ host = b }] }"},
		{0},
	};

	(void)state;
	check_merged(snapshot_of(AGENT, texts, "", "agent.snug"),
		     "{\"agent\":{\"snug\":{\"whitelist\":{\"rules\":"
		     "[{\"host\":\"a\"}]}}}}");
}

static void live_is_what_lies_below_variables_and_vaults(void **state)
{
	const struct text texts[] = {
		{LAYER_DEFAULTS, "d", "a = d, b = d"},
		{LAYER_FILE, "f", "b = f, c = f, agent.debug = 1"},
		{LAYER_WORKSPACE, "settings", "api.api_server = a"},
		{LAYER_ENV_GENERIC, "CLEARML_AGENT__C", "generic", "c"},
		{LAYER_VAULT, "v", "c = v, agent.debug = 2"},
		{LAYER_ENV_NAMED, "CLEARML_API_HOST", "named",
		 "api.api_server"},
		{LAYER_MONITORING, "m", "c = m"},
		{0},
	};
	struct snapshot *snapshot =
		snapshot_of(AGENT, texts, "AZURE_STORAGE_KEY=k", NULL);

	(void)state;
	assert_shown(snapshot, PROJECTION_LIVE,
		     "{\"a\":\"d\",\"b\":\"f\",\"c\":\"f\","
		     "\"agent\":{\"debug\":1},"
		     "\"api\":{\"api_server\":\"a\"}}");
	snapshot_unref(snapshot);
}

/* Then nothing is made, and the finished bytes are the same. */
static void where_no_lock_is_touched_merged_is_served(void **state)
{
	const struct text texts[] = {
		{LAYER_FILE, "f",
		 "api { api_server = a }, agent.worker_id = x"},
		{LAYER_VAULT, "v", "api { web_server = w }, agent { a = 1 }"},
		{LAYER_MONITORING, "m", "agent.debug = true"},
		{0},
	};
	struct snapshot *snapshot = snapshot_of(AGENT, texts, "", NULL);
	struct snapshot *shown = snapshot_project(snapshot, PROJECTION_MERGED);

	(void)state;
	assert_ptr_equal(shown, snapshot);
	snapshot_unref(shown);
	snapshot_unref(snapshot);
}

/* Somebody may be sending it when the next one comes. */
static void a_projection_pins_what_it_shares(void **state)
{
	const struct text texts[] = {
		{LAYER_FILE, "f", "a = \"of the file\""},
		{LAYER_VAULT, "v", "api.host = other, b = \"of the vault\""},
		{0},
	};
	struct snapshot *snapshot = snapshot_of(SDK, texts, "", NULL), *shown;

	(void)state;
	snapshot->generation = 7;
	shown = snapshot_project(snapshot, PROJECTION_MERGED);
	snapshot_unref(snapshot);
	assert_int_equal(shown->generation, 7);
	docs_assert_json(shown->root, "{\"a\":\"of the file\","
				      "\"b\":\"of the vault\"}");
	snapshot_unref(shown);
}

static void views_have_the_names_of_the_interface(void **state)
{
	enum projection projection;

	(void)state;
	assert_true(projection_from_name((struct str){0}, &projection));
	assert_int_equal(projection, PROJECTION_SERVED);
	assert_true(projection_from_name(STR("served"), &projection));
	assert_int_equal(projection, PROJECTION_SERVED);
	assert_true(projection_from_name(STR("merged"), &projection));
	assert_int_equal(projection, PROJECTION_MERGED);
	assert_true(projection_from_name(STR("live"), &projection));
	assert_int_equal(projection, PROJECTION_LIVE);
	assert_false(projection_from_name(STR(""), &projection));
	assert_false(projection_from_name(STR("Live"), &projection));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_vault_changes_nothing_about_the_login),
		cmocka_unit_test(what_nothing_below_has_is_absent),
		cmocka_unit_test(an_empty_whole_is_the_empty_object),
		cmocka_unit_test(nothing_takes_the_place_of_a_locked_key),
		cmocka_unit_test(variables_above_the_vaults_hold),
		cmocka_unit_test(the_agents_own_keys_are_from_no_config_vault),
		cmocka_unit_test(a_monitoring_vault_may_name_the_agent),
		cmocka_unit_test(the_settings_lock_more),
		cmocka_unit_test(what_was_derived_from_a_vault_is_stripped),
		cmocka_unit_test(live_is_what_lies_below_variables_and_vaults),
		cmocka_unit_test(where_no_lock_is_touched_merged_is_served),
		cmocka_unit_test(a_projection_pins_what_it_shares),
		cmocka_unit_test(views_have_the_names_of_the_interface),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
