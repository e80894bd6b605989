#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "read/reader.h"
#include "read/schema_check.h"

static void note(void *data, const struct schema_finding *finding)
{
	struct buf *seen = data;

	if (finding->fault == SCHEMA_MISSPELT)
		buf_printf(seen, "%s->%.*s ", finding->path,
			   STR_PRINT(schema_name(finding->known)));
}

static void note_offset(void *data, const struct schema_finding *finding)
{
	buf_printf(data, "%zu ", finding->offset);
}

static void assert_noted(schema_finding_fn on_suspect, const char *text,
			 const char *expected)
{
	const struct read_options options = {.limits = READ_LIMITS_DEFAULT};
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = NULL;
	_cleanup_(buf_deinit) struct buf seen = BUF_INIT;

	assert_int_equal(
		read_text(&doc, "test", str_from(text), &options, &diag), 0);
	schema_check(doc, doc->root, on_suspect, &seen);
	assert_string_equal(buf_str(&seen).ptr, expected);
}

static void assert_suspects(const char *text, const char *expected)
{
	assert_noted(note, text, expected);
}

static void a_letter_wrong_is_suspected(void **state)
{
	(void)state;
	assert_suspects("agent { worker_nam = x, git_usr = y }",
			"agent.worker_nam->worker_name "
			"agent.git_usr->git_user ");
	assert_suspects("sdk.aws.s3.regoin = eu", "sdk.aws.s3.regoin->region ");
}

static void swapped_letters_are_one_mistake(void **state)
{
	(void)state;
	assert_suspects("skd { a = 1 }", "skd->sdk ");
}

static void the_nearest_is_meant(void **state)
{
	(void)state;
	assert_suspects("agent { git_pas = x }", "agent.git_pas->git_pass ");
	assert_suspects("api { wep_server = x }",
			"api.wep_server->web_server ");
}

static void capitals_are_a_mistake(void **state)
{
	(void)state;
	assert_suspects("api { API_SERVER = x }",
			"api.API_SERVER->api_server ");
	assert_suspects("SDK.a = 1", "SDK->sdk ");
}

static void known_keys_are_not_suspected(void **state)
{
	(void)state;
	assert_suspects("api { api_server = x, web_server = y }\n"
			"agent.default_docker.image = z",
			"");
}

static void keys_of_ones_own_are_not_suspected(void **state)
{
	(void)state;
	assert_suspects("agent.my_own_setting = 1\nteam { a = 1 }\n"
			"environment { agnt = 1, PATHH = 2 }",
			"");
}

static void a_key_beside_the_known_one_is_suspected_too(void **state)
{
	(void)state;
	assert_suspects("agent { worker_name = x, worker_nams = y }",
			"agent.worker_nams->worker_name ");
	assert_suspects("agent.worker_id = x\nagnet.worker_id = y",
			"agnet->agent ");
}

static void a_longer_key_beside_the_known_one_is_another(void **state)
{
	(void)state;
	assert_suspects("agent { worker_name = x, worker_name2 = y, "
			"worker_names = z }",
			"");
	assert_suspects("agent { worker_name2 = y }",
			"agent.worker_name2->worker_name ");
}

static void elements_of_lists_have_keys_too(void **state)
{
	(void)state;
	assert_suspects("sdk.aws.s3.credentials = [{ bucket = a }, "
			"{ buket = b, secrt = c, mine = d }]",
			"sdk.aws.s3.credentials.1.buket->bucket "
			"sdk.aws.s3.credentials.1.secrt->secret ");
	assert_suspects("sdk.storage.path_substitution = "
			"[{ registred_prefix = a }]",
			"sdk.storage.path_substitution.0.registred_prefix->"
			"registered_prefix ");
}

static void the_place_is_that_of_the_key(void **state)
{
	(void)state;
	assert_noted(note_offset, "agent { a = 1\n  worker_nam  = w }", "16 ");
	assert_noted(note_offset, "agent.worker_nam = w", "6 ");
	assert_noted(note_offset, "agent { \"worker_nam\" = w }", "9 ");
}

static void long_and_odd_keys_do_no_harm(void **state)
{
	(void)state;
	assert_suspects("agent { \"a.b c\" = 1, "
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa = 2 }",
			"");
}

static void note_text(void *data, const struct schema_finding *finding)
{
	schema_finding_write(finding, data);
	buf_printf(data, " (%zu)\n", finding->offset);
}

static void types_are_looked_at(void **state)
{
	(void)state;
	assert_noted(note_text, "agent.default_docker.image = 5",
		     "agent.default_docker.image takes text; this is a number "
		     "(29)\n");
	assert_noted(note_text, "agent { vcs_cache.enabled = \"no\" }",
		     "agent.vcs_cache.enabled takes true or false; this text "
		     "counts as true: no quotes (28)\n");
	assert_noted(note_text, "agent.package_manager.type = pipx",
		     "agent.package_manager.type takes one of pip, conda, "
		     "poetry, uv; this is none (29)\n");
	assert_noted(note_text, "sdk.metrics.images.quality = 200",
		     "sdk.metrics.images.quality takes a whole number, at "
		     "least 1 and at most 100; this is none (29)\n");
	assert_noted(note_text,
		     "sdk.aws.s3.credentials = [{ bucket = [a], key = b }]",
		     "sdk.aws.s3.credentials.0.bucket takes text; this is a "
		     "list (37)\n");
	assert_noted(note_text, "agent = 1\nsdk = [x]",
		     "agent takes a section; this is a number (8)\n"
		     "sdk takes a section; this is a list (16)\n");
}

static void a_key_of_older_versions_is_told(void **state)
{
	(void)state;
	assert_noted(note_text, "agent { venv_update { url = x } }",
		     "ClearML reads agent.venv_update.url no more: agent did "
		     "so up to 2.0.8 (22)\n");
}

static void count(void *data, const struct schema_finding *finding)
{
	(void)finding;
	++*(size_t *)data;
}

/* Ten thousand keys of one's own beside known ones, all nearly known. */
static void the_cost_has_a_bound(void **state)
{
	const struct read_options options = {.limits = READ_LIMITS_DEFAULT};
	_cleanup_(diag_deinit) struct diag diag = DIAG_INIT;
	_cleanup_(doc_unrefp) struct doc *doc = NULL;
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;
	size_t found = 0;

	(void)state;
	for (int i = 0; i < 10000; i++)
		buf_printf(&text, "agent.worker_n%dme = 1\n", i);
	assert_int_equal(
		read_text(&doc, "test", buf_str(&text), &options, &diag), 0);
	schema_check(doc, doc->root, count, &found);
	assert_in_range(found, 1, SCHEMA_CHECK_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(types_are_looked_at),
		cmocka_unit_test(a_key_of_older_versions_is_told),
		cmocka_unit_test(the_cost_has_a_bound),
		cmocka_unit_test(a_letter_wrong_is_suspected),
		cmocka_unit_test(swapped_letters_are_one_mistake),
		cmocka_unit_test(the_nearest_is_meant),
		cmocka_unit_test(capitals_are_a_mistake),
		cmocka_unit_test(known_keys_are_not_suspected),
		cmocka_unit_test(keys_of_ones_own_are_not_suspected),
		cmocka_unit_test(a_key_beside_the_known_one_is_suspected_too),
		cmocka_unit_test(a_longer_key_beside_the_known_one_is_another),
		cmocka_unit_test(elements_of_lists_have_keys_too),
		cmocka_unit_test(the_place_is_that_of_the_key),
		cmocka_unit_test(long_and_odd_keys_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
