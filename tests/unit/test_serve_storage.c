#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "../support/docs.h"
#include "../support/envs.h"

#include "config/secrets.h"
#include "config/snapshot.h"
#include "serve_fixture.h"

#define READ    ACCESS_READ
#define SECRETS (ACCESS_READ | ACCESS_SECRETS)

#define S3(list) "{\"sdk\":{\"aws\":{\"s3\":{\"credentials\":[" list "]}}}}"

/* Two entries, the second of which is for s3://data-eu. */
#define TWO                                                                    \
	S3("{\"bucket\":\"data\",\"key\":\"K1\",\"secret\":\"S1\"},"           \
	   "{\"bucket\":\"data-eu\",\"key\":\"K2\",\"secret\":\"S2\","         \
	   "\"extra_args\":{\"ACL\":\"private\"}}")

static int make_fixture(void **state)
{
	*state = fixture_new();
	return 0;
}

static int free_fixture(void **state)
{
	fixture_free(*state);
	return 0;
}

/* "one" serves @json, read from @item's source. */
static void serve_from(struct fixture *fixture, const char *json,
		       const struct stack_doc *item)
{
	struct doc *doc = docs_read(json);
	struct stack_docs docs = {0};
	struct stack_doc *own;

	secrets_learn(fixture->secrets, doc->root);
	own = stack_docs_insert(&docs, item->kind, doc);
	own->source = item->source;
	own->description = item->description;
	snapshot_unref(fixture->workspaces[0].snapshot);
	fixture->workspaces[0].snapshot = snapshot_new(&docs);
}

static void serve(struct fixture *fixture, const char *json)
{
	serve_from(fixture, json,
		   &(struct stack_doc){.kind = LAYER_FILE, .source = "test"});
}

static const char *ask(struct fixture *fixture, unsigned int rights,
		       const char *parameters)
{
	_cleanup_(mem_freep) char *call =
		mem_printf("{\"method\":\"io.clearconf.ResolveStorage\","
			   "\"parameters\":{%s}}",
			   parameters);

	return fixture_call(fixture, rights, call, NULL);
}

#define SETTINGS(key, secret, extra)                                           \
	"{\"bucket\":\"data-eu\",\"subdir\":\"\",\"host\":\"\",\"key\":" key   \
	",\"secret\":" secret ",\"token\":\"\",\"multipart\":true,"            \
	"\"acl\":\"\",\"secure\":true,\"region\":\"\",\"verify\":null,"        \
	"\"use_credentials_chain\":false,\"extra_args\":" extra                \
	",\"profile\":\"\"}"

#define REST                                                                   \
	",\"origin\":{\"layer\":\"file\",\"source\":\"test\",\"line\":1,"      \
	"\"column\":80},\"rejected\":[{\"index\":0,\"origin\":{\"layer\":"     \
	"\"file\",\"source\":\"test\",\"line\":1,\"column\":37},"              \
	"\"reason\":\"matches by s3://data, but entry 1 by the longer "        \
	"s3://data-eu\"}]}}}"

static void the_answer_names_winner_and_losers(void **state)
{
	serve(*state, TWO);
	assert_string_equal(ask(*state, READ, "\"uri\":\"s3://data-eu/x\""),
			    "{\"parameters\":{\"storage\":{\"provider\":\"s3\","
			    "\"settings\":" SETTINGS("\"****\"", "\"****\"",
						     "\"****\"") REST);
}

static void check_holds(const char *reply, const char *part)
{
	if (!strstr(reply, part))
		fail_msg("no %s in %s", part, reply);
}

static void real_values_are_for_those_who_ask_and_may(void **state)
{
	const char *reply;

	serve(*state, TWO);
	assert_string_equal(
		ask(*state, READ, "\"uri\":\"s3://data-eu\",\"reveal\":true"),
		"{\"error\":\"io.clearconf.AccessDenied\",\"parameters\":"
		"{\"right\":\"secrets\"}}");
	reply = ask(*state, SECRETS, "\"uri\":\"s3://data-eu\"");
	check_holds(reply, "\"key\":\"****\",\"secret\":\"****\"");
	reply = ask(*state, SECRETS,
		    "\"uri\":\"s3://data-eu\",\"reveal\":true");
	check_holds(reply, "\"key\":\"K2\",\"secret\":\"S2\"");
	check_holds(reply, "\"extra_args\":{\"ACL\":\"private\"}");
}

/* A secret that somebody also made a bucket of, the one that won or not. */
static void a_known_secret_is_masked_everywhere(void **state)
{
	const char *reply;

	serve(*state,
	      S3("{\"bucket\":\"b\",\"key\":\"K\",\"secret\":\"hush-hush-1\","
		 "\"region\":\"x-hush-hush-1\"},"
		 "{\"bucket\":\"hush-hush-1\",\"key\":\"K\","
		 "\"secret\":\"S\"}"));
	reply = ask(*state, READ, "\"uri\":\"s3://b/x\"");
	assert_null(strstr(reply, "hush"));
	check_holds(reply, "\"region\":\"x-****\"");
	check_holds(reply, "the URI does not begin with s3://****");
}

static void the_path_of_a_credentials_file_is_shown(void **state)
{
	static const struct {
		const char *credentials, *shown;
	} cases[] = {
		{"/etc/google.json", "\"credentials_json\":\"/etc/google.json"},
		{"{ }", "\"credentials_json\":\"****\""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(mem_freep) char *json =
			mem_printf("{\"sdk\":{\"google\":{\"storage\":{"
				   "\"credentials_json\":\"%s\"}}}}",
				   cases[i].credentials);

		serve(*state, json);
		check_holds(ask(*state, READ, "\"uri\":\"gs://b/x\""),
			    cases[i].shown);
	}
}

static void an_entry_of_a_vault_is_told_with_the_vaults_name(void **state)
{
	serve_from(*state, TWO,
		   &(struct stack_doc){.kind = LAYER_VAULT,
				       .source = "id-1",
				       .description = "team"});
	check_holds(ask(*state, READ, "\"uri\":\"s3://data-eu/x\""),
		    ",\"origin\":{\"layer\":\"vault\",\"source\":\"id-1\","
		    "\"description\":\"team\",\"line\":1,\"column\":80}");
}

static void defaults_have_no_origin(void **state)
{
	const char *reply;

	serve(*state, TWO);
	reply = ask(*state, READ, "\"uri\":\"s3://other\"");
	assert_null(strstr(reply, "},\"origin\":{"));
	check_holds(reply, "\"profile\":\"\"},\"rejected\":[{\"index\":0");
}

static void the_daemons_variables_take_part(void **state)
{
	struct fixture *fixture = *state;
	const char *reply;

	fixture->env = envs_of("AWS_ACCESS_KEY_ID=EK|AWS_DEFAULT_REGION=r|"
			       "AZURE_STORAGE_ACCOUNT=acc|AZURE_STORAGE_KEY=k");
	reply = ask(fixture, SECRETS, "\"uri\":\"s3://b\",\"reveal\":true");
	check_holds(reply, "\"key\":\"EK\"");
	check_holds(reply, "\"region\":\"r\"");
	assert_string_equal(
		ask(fixture, READ, "\"uri\":\"azure://acc/c/x\""),
		"{\"parameters\":{\"storage\":{\"provider\":\"azure\","
		"\"settings\":{\"account_name\":\"acc\",\"account_key\":"
		"\"****\",\"container_name\":\"c\"},\"origin\":{\"layer\":"
		"\"env-named\",\"source\":\"AZURE_STORAGE_ACCOUNT\"},"
		"\"rejected\":[]}}}");
}

static void a_question_without_an_answer_says_why(void **state)
{
	static const struct {
		const char *parameters, *reply;
	} cases[] = {
		{"\"uri\":\"azure://acc/c\"",
		 "{\"error\":\"io.clearconf.NoStorageMatch\",\"parameters\":"
		 "{\"uri\":\"azure://acc/c\"}}"},
		{"\"uri\":\"file:///tmp\"", INVALID("uri")},
		{"\"uri\":\"azure://acc\"", INVALID("uri")},
		{"\"uri\":\"s3://a..b\"", INVALID("uri")},
		{"\"uri\":\"\"", INVALID("uri")},
		{"\"uri\":7", INVALID("uri")},
		{"", INVALID("uri")},
		{"\"uri\":\"gs://b\",\"workspace\":\"three\"",
		 "{\"error\":\"io.clearconf.UnknownWorkspace\","
		 "\"parameters\":{\"name\":\"three\"}}"},
	};

	serve(*state, "{}");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_string_equal(ask(*state, READ, cases[i].parameters),
				    cases[i].reply);
	assert_string_equal(
		ask(*state, 0, "\"uri\":\"s3://b\""),
		"{\"error\":\"io.clearconf.AccessDenied\",\"parameters\":"
		"{\"right\":\"read\"}}");
}

static void what_is_broken_is_told_with_its_place(void **state)
{
	serve(*state, S3("{ \"bucket\" : \".b\",\"key\":\"K\","
			 "\"secret\":\"S\"}"));
	assert_string_equal(
		ask(*state, READ, "\"uri\":\"s3://b\""),
		"{\"error\":\"io.clearconf.BrokenConfiguration\","
		"\"parameters\":{\"source\":\"test\",\"line\":1,\"column\":"
		"50,\"reason\":\"entry 0 of sdk.aws.s3.credentials makes "
		"ClearML fail for every URI: its 'bucket' cannot be the host "
		"of a URI (a part of the host name is empty)\"}}");
}

/* Nothing of the documents says where: what the daemon made itself. */
static void a_broken_value_without_a_text_is_still_told(void **state)
{
	fixture_publish(*state, 0, "{\"sdk\":{\"aws\":{\"s3\":7}}}");
	assert_string_equal(ask(*state, READ, "\"uri\":\"s3://b\""),
			    "{\"error\":\"io.clearconf.BrokenConfiguration\","
			    "\"parameters\":{\"source\":\"the configuration\","
			    "\"reason\":\"sdk.aws.s3 must be an object\"}}");
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, make_fixture, free_fixture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_answer_names_winner_and_losers),
		TEST(real_values_are_for_those_who_ask_and_may),
		TEST(a_known_secret_is_masked_everywhere),
		TEST(the_path_of_a_credentials_file_is_shown),
		TEST(an_entry_of_a_vault_is_told_with_the_vaults_name),
		TEST(defaults_have_no_origin),
		TEST(the_daemons_variables_take_part),
		TEST(a_question_without_an_answer_says_why),
		TEST(what_is_broken_is_told_with_its_place),
		TEST(a_broken_value_without_a_text_is_still_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
