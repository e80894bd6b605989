/* Who has what to say of each leaf, with what the agent derives. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/explaining.h"
#include "base/log.h"
#include "config/lock.h"

#define OWNED "agent-owned key: what a vault says of it is ignored"

static void a_protected_key_is_from_below_the_vaults(void **state)
{
	const struct text texts[] = {
		{LAYER_SITE, "s", "agent.worker_id = site"},
		{LAYER_FILE, "f",
		 "agent { worker_id = mine, debug = 1, worker_name = n }"},
		{LAYER_VAULT, "v",
		 "agent { worker_id = theirs, debug = 1, cuda_version = 7 }"},
		{LAYER_VAULT, "w", "agent.worker_name = theirs"},
		{LAYER_ENV_NAMED, "CLEARML_WORKER_NAME", "env",
		 "agent.worker_name"},
		{0},
	};

	(void)state;
	check_agent(
		texts, "",
		"agent.cuda_version = 7 vault v:1:55\n"
		"agent.debug = 1 vault v:1:37\n"
		"  not 1 file f:1:35\n"
		"agent.worker_id = \"mine\" protected f:1:21\n"
		"  not \"theirs\" vault v:1:21\n"
		"  not \"site\" site s:1:19\n"
		"  note " OWNED "\n"
		"agent.worker_name = \"env\" env-named CLEARML_WORKER_NAME\n"
		"  not \"n\" protected f:1:52\n"
		"  not \"theirs\" vault w:1:21\n");
}

static void the_sdk_protects_nothing(void **state)
{
	const struct text texts[] = {
		{LAYER_FILE, "f", "agent.worker_id = mine"},
		{LAYER_VAULT, "v", "agent.worker_id = theirs"},
		{0},
	};

	(void)state;
	check_sdk(texts, "",
		  "agent.worker_id = \"theirs\" vault v:1:19\n"
		  "  not \"mine\" file f:1:19\n");
}

static void protected_keys_survive_a_vault_that_drops_the_agent(void **state)
{
	const struct text texts[] = {
		{LAYER_FILE, "f", "agent { worker_id = mine, other = 1 }"},
		{LAYER_VAULT, "v", "agent = none"},
		{0},
	};

	(void)state;
	check_agent(texts, "",
		    "agent.worker_id = \"mine\" protected f:1:21\n"
		    "  not \"none\" vault v:1:9\n"
		    "  not {\"worker_id\":\"mine\",\"other\":1} file f:1:7\n"
		    "  note " OWNED "\n");
}

static void an_object_that_is_protected_is_told_by_its_leaves(void **state)
{
	const struct text texts[] = {
		{LAYER_SITE, "s", "agent.debug { a = 1, b = 1 }"},
		{LAYER_FILE, "f", "agent.debug { b = 2 }"},
		{LAYER_VAULT, "v", "agent.debug = on"},
		{0},
	};

	(void)state;
	check_agent(texts, "",
		    "agent.debug.a = 1 site s:1:19\n"
		    "  not \"on\" vault v:1:15\n"
		    "  not {\"b\":2} file f:1:13\n"
		    "  not {\"a\":1,\"b\":1} site s:1:13\n"
		    "  note " OWNED "\n"
		    "agent.debug.b = 2 file f:1:19\n"
		    "  note " OWNED "\n");
}

#define MONITORING "a monitoring vault says so, which nothing overrides"

static void a_monitoring_vault_beats_everybody(void **state)
{
	const struct text texts[] = {
		{LAYER_FILE, "f", "agent.worker_id = mine"},
		{LAYER_VAULT, "v", "agent.worker_id = theirs"},
		{LAYER_ENV_NAMED, "CLEARML_WORKER_ID", "env",
		 "agent.worker_id"},
		{LAYER_MONITORING, "m", "agent.worker_id = watched, only = 1",
		 NULL, "watch"},
		{0},
	};

	(void)state;
	check_agent(texts, "",
		    "agent.worker_id = \"watched\" monitoring m 'watch':1:19\n"
		    "  not \"env\" env-named CLEARML_WORKER_ID\n"
		    "  not \"mine\" protected f:1:19\n"
		    "  not \"theirs\" vault v:1:19\n"
		    "  note " MONITORING "\n"
		    "only = 1 monitoring m 'watch':1:35\n");
}

#define AFTER "the container of the environment comes after those of the files"

static void the_azure_container_of_the_environment_is_named(void **state)
{
	const struct text texts[] = {
		{LAYER_FILE, "f",
		 "sdk.azure.storage.containers = [{account_name: x}]"},
		{0},
	};
	struct secrets *secrets = secrets_new(NULL);
	struct snapshot *snapshot =
		agent_snapshot(texts, secrets, "AZURE_STORAGE_KEY=k");

	(void)state;
	assert_explained(snapshot, "", NULL,
			 "sdk.azure.storage.containers = "
			 "[{\"account_name\":\"x\"},{\"account_name\":null,"
			 "\"account_key\":\"k\"}] env-named AZURE_STORAGE_KEY\n"
			 "  not [{\"account_name\":\"x\"}] file f:1:32\n"
			 "  note " AFTER "\n");
	assert_explained(snapshot,
			 "sdk.azure.storage.containers.0.account_name", NULL,
			 "sdk.azure.storage.containers.0.account_name = \"x\" "
			 "file f:1:48\n"
			 "  note " AFTER "\n");
	assert_explained(snapshot, "sdk.azure.storage.containers.1.account_key",
			 NULL,
			 "sdk.azure.storage.containers.1.account_key = \"k\" "
			 "env-named AZURE_STORAGE_KEY\n"
			 "  note " AFTER "\n");
	snapshot_unref(snapshot);
	secrets_free(secrets);
}

#define UNITED "the rules of all whitelists are united, those of a vault first"

static void a_united_whitelist_is_the_vaults(void **state)
{
	const struct text texts[] = {
		{LAYER_FILE, "f", "agent.snug.whitelist.rules = [{host: h2}]"},
		{LAYER_VAULT, "v",
		 "agent.snug.whitelist { rules = [{host: h1}], version = 3 }"},
		{0},
	};
	struct secrets *secrets = secrets_new(NULL);
	struct snapshot *snapshot = agent_snapshot(texts, secrets, "");

	(void)state;
	assert_explained(
		snapshot, "agent.snug.whitelist", NULL,
		"agent.snug.whitelist.default_action = \"meter\" vault "
		"v:1:22\n"
		"  note " UNITED "\n"
		"agent.snug.whitelist.rules = [{\"host\":\"h1\"},"
		"{\"host\":\"h2\"}] vault v:1:22\n"
		"  not [{\"host\":\"h1\"}] vault v:1:32\n"
		"  not [{\"host\":\"h2\"}] file f:1:30\n"
		"  note " UNITED "\n"
		"agent.snug.whitelist.version = 3 vault v:1:56\n"
		"  note " UNITED "\n");
	assert_explained(snapshot, "agent.snug.whitelist.rules.1.host", NULL,
			 "agent.snug.whitelist.rules.1.host = \"h2\" file "
			 "f:1:38\n"
			 "  note " UNITED "\n");
	snapshot_unref(snapshot);
	secrets_free(secrets);
}

static void assert_holds(const struct text *texts, const char *env,
			 const char *path, const char *expected)
{
	struct secrets *secrets = secrets_new(NULL);
	struct snapshot *snapshot = agent_snapshot(texts, secrets, env);
	_cleanup_(buf_deinit) struct buf json = BUF_INIT;

	json_write(&json, docs_find(snapshot->root, path));
	assert_string_equal(buf_str(&json).ptr, expected);
	snapshot_unref(snapshot);
	secrets_free(secrets);
}

static void what_a_vault_drops_another_does_not_bring_back(void **state)
{
	const struct text texts[] = {
		{LAYER_FILE, "f", "agent { worker_id = mine, other = 1 }"},
		{LAYER_VAULT, "v", "agent = none"},
		{LAYER_VAULT, "w", "agent.free = 2"},
		{0},
	};

	(void)state;
	assert_holds(texts, "", "agent", "{\"free\":2,\"worker_id\":\"mine\"}");
}

/* The agent reads everything again for a monitoring vault, too. */
static void any_vault_costs_the_azure_container_of_the_environment(void **state)
{
	const struct text texts[] = {
		{LAYER_FILE, "f", "sdk.azure.storage.containers = [x]"},
		{LAYER_MONITORING, "m", "a = 1"},
		{0},
	};

	(void)state;
	assert_holds(texts, "AZURE_STORAGE_KEY=k",
		     "sdk.azure.storage.containers", "[\"x\"]");
}

/* What ClearML does with what is no proper whitelist. */
static void assert_rules(const char *file, const char *vault, const char *rules)
{
	const struct text texts[] = {
		{LAYER_FILE, "f", file}, {LAYER_VAULT, "v", vault}, {0}};

	assert_holds(texts, "", "agent.snug.whitelist.rules", rules);
}

static void hosts_are_compared_as_python_prints_them(void **state)
{
	(void)state;
	assert_rules("agent.snug.whitelist.rules = [{host: null}, {host: 5}, "
		     "{host: TRUE}, {host: NONE}, {host: \" 6 \"}]",
		     "agent.snug.whitelist.rules = [{host: \"5\"}, {host: "
		     "true}, {host: 6}]",
		     "[{\"host\":\"5\"},{\"host\":true},{\"host\":6},"
		     "{\"host\":null}]");
}

static void a_whitelist_that_is_none_is_an_empty_one(void **state)
{
	(void)state;
	assert_rules("agent.snug.whitelist.rules = [{host: h}, {}]",
		     "agent.snug.whitelist = none", "[{\"host\":\"h\"}]");
}

/* As check_agent, under the locks of the mode and of @more. */
static void check_locked(const struct text *texts, const char *more,
			 const char *expected)
{
	struct secrets *secrets = secrets_new(NULL);
	struct snapshot *snapshot = agent_snapshot(texts, secrets, "");

	snapshot->locks = locks_new(true, more);
	assert_explained(snapshot, "", secrets, expected);
	snapshot_unref(snapshot);
	secrets_free(secrets);
}

static void a_note_says_what_a_program_gets_instead(void **state)
{
	const struct text texts[] = {
		{LAYER_FILE, "f",
		 "api { api_server = a, credentials.secret_key = hush }"},
		{LAYER_VAULT, "v",
		 "api { api_server = b, web_server = w, credentials { "
		 "secret_key = theirs } }, agent.worker_id = fixed"},
		{LAYER_MONITORING, "m", "api.api_server = c, agent.debug = 1"},
		{0},
	};

	(void)state;
	check_locked(
		texts, NULL,
		"agent.debug = 1 monitoring m:1:35\n"
		"agent.worker_id = \"fixed\" vault v:1:96\n"
		"  note agent.worker_id is locked: exec and dumps leave this "
		"out\n"
		"api.api_server = \"c\" monitoring m:1:18\n"
		"  not \"b\" vault v:1:20\n"
		"  not \"a\" file f:1:20\n"
		"  note a monitoring vault says so, which nothing overrides; "
		"api.api_server is locked: exec and dumps get \"a\" of file "
		"f:1:20\n"
		"api.credentials.secret_key = \"****\" vault v:1:66\n"
		"  not \"****\" file f:1:48\n"
		"  note api.credentials is locked: exec and dumps get \"****\" "
		"of file f:1:48\n"
		"api.web_server = \"w\" vault v:1:36\n");
}

static void a_vaults_map_of_slurms_users_replaces_those_below(void **state)
{
	const struct text texts[] = {
		{LAYER_SITE, "s", "agent.slurm { user_map { c = s } }"},
		{LAYER_FILE, "f",
		 "agent.slurm { user_map { a = f, b = f }, x = 1 }"},
		{LAYER_VAULT, "v", "agent.slurm.user_map { b = v, d = v }"},
		{0},
	};
	const struct text emptied[] = {
		texts[1],
		texts[2],
		{LAYER_VAULT, "w", "agent.slurm.user_map {}"},
		{0},
	};

	(void)state;
	check_agent(texts, "",
		    "agent.slurm.user_map.b = \"v\" vault v:1:28\n"
		    "  not {\"a\":\"f\",\"b\":\"f\"} file f:1:24\n"
		    "  not {\"c\":\"s\"} site s:1:24\n"
		    "agent.slurm.user_map.d = \"v\" vault v:1:35\n"
		    "agent.slurm.x = 1 file f:1:46\n");
	check_agent(emptied, "",
		    "agent.slurm.user_map = {} vault w:1:22\n"
		    "  not {\"b\":\"v\",\"d\":\"v\"} vault v:1:22\n"
		    "  not {\"a\":\"f\",\"b\":\"f\"} file f:1:24\n"
		    "agent.slurm.x = 1 file f:1:46\n");
	check_sdk(texts, "agent.slurm.user_map.c",
		  "agent.slurm.user_map.c = \"s\" site s:1:30\n");
}

static void a_note_says_whose_place_is_not_given_away(void **state)
{
	const struct text texts[] = {
		{LAYER_FILE, "f", "a { b = 1, c = 2 }"},
		{LAYER_VAULT, "v", "a = none"},
		{0},
	};

	(void)state;
	check_locked(texts, "a.b",
		     "a = \"none\" vault v:1:5\n"
		     "  not {\"b\":1,\"c\":2} file f:1:3\n"
		     "  note a.b is locked: exec and dumps get "
		     "{\"b\":1,\"c\":2} of file f:1:3\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_protected_key_is_from_below_the_vaults),
		cmocka_unit_test(the_sdk_protects_nothing),
		cmocka_unit_test(
			protected_keys_survive_a_vault_that_drops_the_agent),
		cmocka_unit_test(
			an_object_that_is_protected_is_told_by_its_leaves),
		cmocka_unit_test(a_monitoring_vault_beats_everybody),
		cmocka_unit_test(
			the_azure_container_of_the_environment_is_named),
		cmocka_unit_test(a_united_whitelist_is_the_vaults),
		cmocka_unit_test(
			a_vaults_map_of_slurms_users_replaces_those_below),
		cmocka_unit_test(
			what_a_vault_drops_another_does_not_bring_back),
		cmocka_unit_test(
			any_vault_costs_the_azure_container_of_the_environment),
		cmocka_unit_test(hosts_are_compared_as_python_prints_them),
		cmocka_unit_test(a_whitelist_that_is_none_is_an_empty_one),
		cmocka_unit_test(a_note_says_what_a_program_gets_instead),
		cmocka_unit_test(a_note_says_whose_place_is_not_given_away),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
