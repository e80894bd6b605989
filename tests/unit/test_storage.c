#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "../support/docs.h"
#include "../support/envs.h"

#include "config/storage.h"

#define VECTORS      "tests/corpus/storage_vectors.json"
#define VECTOR_BYTES ((size_t)256 * 1024)

/* One question and its answer. */
struct asked {
	struct arena arena;
	struct doc *doc;
	struct env *env;
	struct storage storage;
	int result;
};

static void asked_deinit(struct asked *asked)
{
	arena_free(&asked->arena);
	asked->env = env_unref(asked->env);
	asked->doc = doc_unref(asked->doc);
}

static void resolve(struct asked *asked, enum storage_provider provider,
		    struct str uri)
{
	struct storage_question question = {
		.provider = provider,
		.root = asked->doc->root,
		.env = asked->env,
		.uri = uri,
	};

	asked->result =
		storage_resolve(&asked->storage, &asked->arena, &question);
}

/* --- the project's vectors ------------------------------------------------ */

static enum storage_provider provider_called(struct str name)
{
	enum storage_provider provider = STORAGE_S3;

	while (!str_is(name, storage_provider_name(provider))) {
		assert_true(provider < STORAGE_AZURE);
		provider++;
	}
	return provider;
}

/* The configuration with the vector's section at its place. */
static struct doc *configuration(const struct value *vector)
{
	static const char *const formats[] = {
		[STORAGE_S3] = "{\"sdk\":{\"aws\":{\"s3\":%s}}}",
		[STORAGE_GS] = "{\"sdk\":{\"google\":{\"storage\":%s}}}",
		[STORAGE_AZURE] = "{\"sdk\":{\"azure\":{\"storage\":%s}}}",
	};
	const char *format = formats[provider_called(
		value_text(value_get(vector, STR("kind"))))];
	const char *hole = strstr(format, "%s");
	_cleanup_(buf_deinit) struct buf text = BUF_INIT;

	buf_add(&text, format, (size_t)(hole - format));
	json_write(&text, value_get(vector, STR("config")));
	buf_puts(&text, hole + 2);
	return docs_read(buf_str(&text).ptr);
}

static struct env *variables(const struct value *vector)
{
	struct env_variable list[8];
	struct member *member;
	size_t count = 0;

	for (value_each (value_get(vector, STR("env")), member)) {
		assert_true(count < 8);
		list[count++] = (struct env_variable){
			member_key(member), value_text(member->value)};
	}
	return env_new(list, count);
}

static void check_vector(const struct value *vector)
{
	struct str name = value_text(value_get(vector, STR("name")));
	struct str kind = value_text(value_get(vector, STR("kind")));
	const struct value *expect = value_get(vector, STR("expect"));
	_cleanup_(buf_deinit) struct buf got = BUF_INIT;
	_cleanup_(asked_deinit) struct asked asked = {
		.doc = configuration(vector), .env = variables(vector)};

	resolve(&asked, provider_called(kind),
		value_text(value_get(vector, STR("uri"))));
	if (value_get(expect, STR("error"))) {
		if (asked.result != STORAGE_E_BROKEN &&
		    asked.result != STORAGE_E_URI)
			fail_msg("%.*s is no error", STR_PRINT(name));
		assert_non_null(asked.storage.problem);
	} else if (expect->type == VALUE_NULL) {
		assert_int_equal(asked.result, STORAGE_E_NO_MATCH);
	} else if (asked.result) {
		fail_msg("%.*s: %s", STR_PRINT(name), asked.storage.problem);
	} else if (!value_equal(asked.storage.settings, expect)) {
		json_write(&got, asked.storage.settings);
		fail_msg("%.*s is %s", STR_PRINT(name), buf_str(&got).ptr);
	}
}

static struct doc *read_vectors(void)
{
	_cleanup_(mem_freep) char *text = mem_alloc(VECTOR_BYTES);
	FILE *file = fopen(VECTORS, "re");
	size_t len;

	assert_non_null(file);
	strcpy(text, "{\"vectors\":");
	len = strlen(text);
	len += fread(text + len, 1, VECTOR_BYTES - len - 2, file);
	assert_true(feof(file));
	assert_int_equal(fclose(file), 0);
	text[len] = '}';
	return docs_read(text);
}

static void vectors_hold(void **state)
{
	_cleanup_(doc_unrefp) struct doc *doc = read_vectors();
	const struct value *vectors = value_get(doc->root, STR("vectors"));

	(void)state;
	for (uint32_t i = 0; i < vectors->list.count; i++)
		check_vector(vectors->list.items[i]);
	assert_int_equal(vectors->list.count, 49);
}

/* --- rule by rule ----------------------------------------------------------
 */

/* Ask about @uri; the provider is that of its scheme. */
static struct asked ask(const char *json, const char *env, const char *uri)
{
	struct asked asked = {.doc = docs_read(json), .env = envs_of(env)};
	enum storage_provider provider;

	assert_true(storage_provider_of(str_from(uri), &provider));
	resolve(&asked, provider, str_from(uri));
	return asked;
}

#define S3(members)         "{\"sdk\":{\"aws\":{\"s3\":{" members "}}}}"
#define S3_ENTRIES(list)    S3("\"credentials\":[" list "]")
#define S3_ENTRY(members)   "{\"key\":\"K\",\"secret\":\"S\"," members "}"
#define GS(members)         "{\"sdk\":{\"google\":{\"storage\":{" members "}}}}"
#define GS_ENTRIES(list)    GS("\"credentials\":[" list "]")
#define AZURE(members)      "{\"sdk\":{\"azure\":{\"storage\":{" members "}}}}"
#define AZURE_ENTRIES(list) AZURE("\"containers\":[" list "]")

/* Which entry wins: -1 is none of the list. */
static long winner_for(const char *json, const char *uri)
{
	_cleanup_(asked_deinit) struct asked asked = ask(json, "", uri);

	if (asked.result)
		fail_msg("%s for %s: %s", json, uri, asked.storage.problem);
	return asked.storage.winner ? asked.storage.winner->index : -1;
}

static void check_field(const struct asked *asked, const char *name,
			const char *json)
{
	if (asked->result)
		fail_msg("%s", asked->storage.problem);
	docs_assert_json(value_get(asked->storage.settings, str_from(name)),
			 json);
}

static void the_scheme_says_whose_a_uri_is(void **state)
{
	static const struct {
		const char *uri;
		int provider; /* -1: nobody's */
	} cases[] = {
		{"s3://b", STORAGE_S3},
		{"S3://b/x", STORAGE_S3},
		{"gs://b", STORAGE_GS},
		{"azure://a/c", STORAGE_AZURE},
		{"https://acc.blob.core.windows.net/c/x", STORAGE_AZURE},
		{"HTTPS://ACC.Blob.Core.Windows.Net:443/c", STORAGE_AZURE},
		{"https://.blob.core.windows.net/c", -1},
		{"https://acc.blob.core.windows.net.evil.example/c", -1},
		{"http://acc.blob.core.windows.net/c", -1},
		{"https://example.com/acc.blob.core.windows.net", -1},
		{"file:///tmp/x", -1},
		{"bucket/x", -1},
		{"s3:/b", -1},
		{"://b", -1},
		{"", -1},
	};
	enum storage_provider provider;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool known =
			storage_provider_of(str_from(cases[i].uri), &provider);

		if ((known ? (int)provider : -1) != cases[i].provider)
			fail_msg("%s", cases[i].uri);
	}
}

static void the_first_prefix_in_descending_order_wins(void **state)
{
#define THREE                                                                  \
	S3_ENTRIES(S3_ENTRY("\"bucket\":\"a\"") "," S3_ENTRY(                  \
		"\"bucket\":\"a/b/c\"") "," S3_ENTRY("\"bucket\":\"a/b\""))
#define HOSTS                                                                  \
	S3_ENTRIES(S3_ENTRY("\"host\":\"h:9000\"") "," S3_ENTRY(               \
		"\"host\":\"h:9000\",\"bucket\":\"b\""))
	static const struct {
		const char *json, *uri;
		long winner;
	} cases[] = {
		{THREE, "s3://a/b/z", 2},
		{THREE, "s3://a/b/c", 1},
		{THREE, "s3://a/x", 0},
		{THREE, "s3://ab", 0}, /* no boundary */
		{THREE, "s3://b", -1},
		{THREE, "S3://A/B/C/D", 1},
		{HOSTS, "s3://h:9000/b/x", 1},
		{HOSTS, "s3://h:9000/c/x", 0},
		{HOSTS, "s3://h/b/x", -1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (winner_for(cases[i].json, cases[i].uri) != cases[i].winner)
			fail_msg("%s", cases[i].uri);
}

/* The prefix of one entry, and a URI that begins with it. */
static void paths_of_a_prefix_are_encoded(void **state)
{
	static const struct {
		const char *entry, *prefix;
	} cases[] = {
		{"\"bucket\":\"My-Bucket\"", "s3://my-bucket"},
		{"\"bucket\":\"\\\"b/'\"", "s3://b"},
		{"\"bucket\":\"b/c d\"", "s3://b/c%20d"},
		{"\"bucket\":\"b/c%20d\"", "s3://b/c%20d"},
		{"\"bucket\":\"b/c%20d e\"", "s3://b/c%2520d%20e"},
		{"\"bucket\":\"b/100%\"", "s3://b/100%25"},
		{"\"bucket\":\"b/a+b~(c)\"", "s3://b/a+b~(c)"},
		{"\"bucket\":\"b/x?y#z[1]\"", "s3://b/x%3Fy%23z%5B1%5D"},
		{"\"bucket\":\"b//c\"", "s3://b//c"},
		{"\"bucket\":\"/b\"", "s3://b/"},
		{"\"bucket\":\"/b/c\"", "s3://b/c"},
		{"\"bucket\":\"b/\\u00e9\"", "s3://b/%C3%A9"},
		{"\"bucket\":\"b\\u00fccher\"", "s3://xn--bcher-kva"},
		{"\"bucket\":\"b:900\"", "s3://b:900"},
		{"\"bucket\":\"b\",\"subdir\":\"s\"", "s3://b"},
		{"\"host\":\"H.Example:09000\"", "s3://h.example:9000"},
		{"\"host\":\"h:\",\"bucket\":\"B/C\"", "s3://h/b/c"},
		{"\"host\":\"h\",\"bucket\":\"/b\"", "s3://h/b"},
		{"\"host\":\"[::1]:9000\"", "s3://[::1]:9000"},
		{"\"host\":\"h.\"", "s3://h."},
		{"\"host\":null,\"bucket\":\"b\"", "s3://b"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(mem_freep) char *json = mem_printf(
			S3_ENTRIES("{\"key\":\"K\",\"secret\":\"S\",%s}"),
			cases[i].entry);
		_cleanup_(asked_deinit) struct asked asked =
			ask(json, "", "s3://elsewhere");

		if (asked.result)
			fail_msg("%s", asked.storage.problem);
		assert_string_equal(asked.storage.candidates[0].prefix.ptr,
				    cases[i].prefix);
	}
}

static void google_keeps_the_case_of_the_subdir(void **state)
{
	static const struct {
		const char *entry, *prefix;
	} cases[] = {
		{"\"bucket\":\"B\"", "gs://b"},
		{"\"bucket\":\"b\",\"subdir\":\"'/a/b/'\"", "gs://b/a/b"},
		{"\"bucket\":\"b\",\"subdir\":\"Dir/c d\"", "gs://b/Dir/c%20d"},
		{"\"bucket\":\"b\",\"subdir\":null", "gs://b"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(mem_freep) char *json =
			mem_printf(GS_ENTRIES("{%s}"), cases[i].entry);
		_cleanup_(asked_deinit) struct asked asked =
			ask(json, "", "gs://elsewhere/Dir");

		if (asked.result)
			fail_msg("%s", asked.storage.problem);
		assert_string_equal(asked.storage.candidates[0].prefix.ptr,
				    cases[i].prefix);
	}
	assert_int_equal(winner_for(GS_ENTRIES("{\"bucket\":\"b\",\"subdir\":"
					       "\"Dir\"}"),
				    "gs://b/Dir/x"),
			 -1);
}

static void what_breaks_clearml_breaks_the_answer(void **state)
{
#define USELESS "\"key\":\"K\",\"secret\":\"S\""
	static const struct {
		const char *json, *uri, *problem;
		const char *blamed; /* what stands there begins so */
	} cases[] = {
		{S3("\"credentials\":null"), "s3://b",
		 "sdk.aws.s3.credentials must be a list of objects", "null"},
		{S3("\"credentials\":[1]"), "s3://b",
		 "entry 0 of sdk.aws.s3.credentials is no object", "1]"},
		{S3_ENTRIES("{},{\"regoin\":\"x\"}"), "s3://b",
		 "entry 1 of sdk.aws.s3.credentials has a field 'regoin', at "
		 "which ClearML fails; it knows bucket, subdir, host, key, "
		 "secret, token, multipart, acl, secure, region, verify, "
		 "use_credentials_chain, extra_args, profile",
		 "\"x\"}"},
		{S3_ENTRIES("{\"bucket\":1}"), "s3://b",
		 "entry 0 of sdk.aws.s3.credentials has a 'bucket' that is no "
		 "string; put it in quotes",
		 "1}"},
		{S3_ENTRIES("{" USELESS "}"), "s3://b",
		 "entry 0 of sdk.aws.s3.credentials makes ClearML fail for "
		 "every URI: it has neither 'host' nor 'bucket'",
		 "{\"key"},
		{S3_ENTRIES(S3_ENTRY("\"host\":\"h/\"")), "s3://b",
		 "entry 0 of sdk.aws.s3.credentials makes ClearML fail for "
		 "every URI: its 'host' cannot be the host of a URI (a host "
		 "name holds none of !@#$%^&'\"*()+=:;/)",
		 "\"h/"},
		{S3_ENTRIES(S3_ENTRY("\"host\":\"h:x\"")), "s3://b",
		 "entry 0 of sdk.aws.s3.credentials makes ClearML fail for "
		 "every URI: its 'host' cannot be the host of a URI (after the "
		 "':' of a host comes a port, 1 to 65535)",
		 "\"h:x"},
		{S3_ENTRIES(S3_ENTRY("\"host\":9000")), "s3://b",
		 "entry 0 of sdk.aws.s3.credentials has a 'host' that is no "
		 "string; put it in quotes",
		 "9000"},
		{S3("\"region\":7"), "s3://b",
		 "sdk.aws.s3.region must be a string; put it in quotes", "7}"},
		{"{\"sdk\":{\"aws\":{\"s3\":\"x\"}}}", "s3://b",
		 "sdk.aws.s3 must be an object", "\"x\"}"},
		{GS_ENTRIES("{\"bucket\":null}"), "gs://b",
		 "entry 0 of sdk.google.storage.credentials has a 'bucket' "
		 "that is no string",
		 "null"},
		{GS_ENTRIES("{\"bucket\":\"b\",\"region\":\"x\"}"), "gs://b",
		 "entry 0 of sdk.google.storage.credentials has a field "
		 "'region', at which ClearML fails; it knows bucket, subdir, "
		 "project, credentials_json, pool_connections, pool_maxsize",
		 "\"x\""},
		{AZURE_ENTRIES("{\"account_name\":\"a\"}"), "azure://a/c",
		 "entry 0 of sdk.azure.storage.containers lacks the field "
		 "'account_key'",
		 "{\"account"},
	};
	const char *blamed;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(asked_deinit) struct asked asked =
			ask(cases[i].json, "", cases[i].uri);

		if (asked.result != STORAGE_E_BROKEN)
			fail_msg("%s is not broken", cases[i].json);
		assert_string_equal(asked.storage.problem, cases[i].problem);
		blamed = asked.doc->sources[0]->text.ptr +
			 asked.storage.wrong->offset;
		if (strncmp(blamed, cases[i].blamed, strlen(cases[i].blamed)) !=
		    0)
			fail_msg("%s: %s", cases[i].json, blamed);
	}
}

/* ClearML drops such entries before it looks at their prefixes. */
static void an_entry_without_credentials_is_dropped(void **state)
{
	static const char *const entries[] = {
		"{}",
		"{\"key\":\"K\",\"host\":\"h/\"}",
		"{\"secret\":\"S\",\"bucket\":\"b\"}",
		"{\"key\":\"\",\"secret\":\"S\",\"bucket\":\"b\"}",
		"{\"use_credentials_chain\":false,\"bucket\":\"b\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		_cleanup_(mem_freep) char *json =
			mem_printf(S3_ENTRIES("%s"), entries[i]);
		_cleanup_(asked_deinit) struct asked asked =
			ask(json, "", "s3://b");

		assert_int_equal(asked.result, 0);
		assert_null(asked.storage.winner);
		assert_string_equal(asked.storage.candidates[0].reason,
				    "ClearML drops it: it has neither key and "
				    "secret nor use_credentials_chain");
	}
}

static void defaults_come_each_by_itself(void **state)
{
	_cleanup_(asked_deinit) struct asked asked =
		ask(S3("\"key\":\" K \",\"secret\":\"\",\"secure\":null,"
		       "\"use_credentials_chain\":0"),
		    "AWS_ACCESS_KEY_ID=E|AWS_SECRET_ACCESS_KEY= ES |"
		    "AWS_PROFILE=p",
		    "s3://MY-Bucket/x");

	(void)state;
	check_field(&asked, "key", "\"K\"");
	check_field(&asked, "secret", "\"ES\"");
	check_field(&asked, "token", "\"\"");
	check_field(&asked, "profile", "\"p\"");
	check_field(&asked, "bucket", "\"my-bucket\"");
	check_field(&asked, "use_credentials_chain", "false");
	check_field(&asked, "secure", "null");
}

static void a_match_takes_nothing_from_the_defaults(void **state)
{
	_cleanup_(asked_deinit) struct asked asked =
		ask(S3("\"region\":\"r\",\"token\":\"T\",\"credentials\":["
		       "{\"bucket\":\"b\",\"key\":1,\"secret\":\"S\","
		       "\"profile\":null,\"multipart\":null}]"),
		    "AWS_DEFAULT_REGION=e", "s3://b/x");

	(void)state;
	check_field(&asked, "region", "\"\"");
	check_field(&asked, "token", "\"\"");
	check_field(&asked, "key", "1");
	check_field(&asked, "profile", "null");
	check_field(&asked, "multipart", "null");
}

static void a_port_makes_the_network_part_a_host(void **state)
{
	static const struct {
		const char *uri, *host, *bucket;
	} cases[] = {
		{"s3://H:9000/My%20B/x", "\"h:9000\"", "\"My B\""},
		{"s3://h:9000/b?x#y", "\"h:9000\"", "\"b\""},
		{"s3://h:9000//b", "\"h:9000\"", "\"\""},
		{"s3://B/x", "\"\"", "\"b\""},
		{"s3://B\xc3\xbc"
		 "cher/x",
		 "\"\"", "\"xn--bcher-kva\""},
		{"s3://", "\"\"", "\"\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(asked_deinit) struct asked asked =
			ask("{}", "", cases[i].uri);

		check_field(&asked, "host", cases[i].host);
		check_field(&asked, "bucket", cases[i].bucket);
	}
}

static void google_defaults_depend_on_what_is_there(void **state)
{
	static const struct {
		const char *json, *env, *project, *credentials;
	} cases[] = {
		{"{}", "", "null", "{}"},
		{GS(""), "GOOGLE_APPLICATION_CREDENTIALS=/e", "null", "\"/e\""},
		{GS("\"pool_maxsize\":1"), "", "\"default\"", "{}"},
		{GS("\"project\":\"\""), "", "{}", "{}"},
		{GS("\"project\":null,\"credentials_json\":\"/c\""),
		 "GOOGLE_APPLICATION_CREDENTIALS=/e", "{}", "\"/c\""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(asked_deinit) struct asked asked =
			ask(cases[i].json, cases[i].env, "gs://B/Dir/f x?q#f");

		check_field(&asked, "project", cases[i].project);
		check_field(&asked, "credentials_json", cases[i].credentials);
		check_field(&asked, "bucket", "\"b\"");
		check_field(&asked, "subdir", "\"/Dir/f%20x\"");
	}
}

static void azure_takes_the_first_that_fits(void **state)
{
#define ENTRY(name, container)                                                 \
	"{\"account_name\":\"" name                                            \
	"\",\"account_key\":\"k\",\"container_name\":" container "}"
#define LIST                                                                   \
	AZURE_ENTRIES(                                                         \
		ENTRY("acc", "\"c1\"") "," ENTRY("acc", "null") "," ENTRY(     \
			"acc", "\"c2\"") "," ENTRY("ACC", "\"\""))
	static const struct {
		const char *uri;
		long winner; /* -1: no match */
	} cases[] = {
		{"azure://acc/c1/x", 0},
		{"azure://ACC.blob.core.windows.net/c1", 0},
		{"https://acc.blob.core.windows.net/c2/x", 1},
		{"azure://acc/", 1},
		{"azure://acc/C1", 1},
		{"azure://acc2/c1", -1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(asked_deinit) struct asked asked =
			ask(LIST, "", cases[i].uri);

		if (cases[i].winner < 0) {
			assert_int_equal(asked.result, STORAGE_E_NO_MATCH);
			continue;
		}
		assert_int_equal(asked.result, 0);
		assert_int_equal(asked.storage.winner->index, cases[i].winner);
	}
}

static void azure_fills_in_the_container(void **state)
{
	_cleanup_(asked_deinit) struct asked asked =
		ask(LIST, "", "azure://acc/my%20c/x");
	_cleanup_(asked_deinit) struct asked root =
		ask(LIST, "", "azure://acc/");

	(void)state;
	check_field(&asked, "container_name", "\"my c\"");
	check_field(&root, "container_name", "\"\"");
}

static void azure_variables_need_each_other(void **state)
{
	static const char both[] = "AZURE_STORAGE_ACCOUNT=a|"
				   "AZURE_STORAGE_KEY=k";
	_cleanup_(asked_deinit) struct asked one =
		ask("{}", "AZURE_STORAGE_ACCOUNT=a", "azure://a/c");
	_cleanup_(asked_deinit) struct asked two =
		ask("{}", both, "azure://a/c");

	(void)state;
	assert_int_equal(one.result, STORAGE_E_NO_MATCH);
	check_field(&two, "account_key", "\"k\"");
	assert_int_equal(two.storage.winner->index, -1);
	assert_null(two.storage.winner->entry);
}

static void a_uri_that_cannot_be_one_is_said(void **state)
{
	static const char *const uris[] = {
		"azure://acc.blob.core.windows.net",
		"azure://acc:0/c",
		"s3://a..b/c",
		"s3://a:70000/c",
		"s3://k:s@h/c",
		"gs://a*b/c",
		"s3://aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeefffffff"
		"fffgggg/x",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(uris); i++) {
		_cleanup_(asked_deinit) struct asked asked =
			ask("{}", "", uris[i]);

		if (asked.result != STORAGE_E_URI)
			fail_msg("%s is a URI", uris[i]);
	}
}

/* --- why the others lost ---------------------------------------------------
 */

static void check_reason(const struct asked *asked, size_t index,
			 const char *reason)
{
	assert_true(index < asked->storage.count);
	if (!reason)
		assert_null(asked->storage.candidates[index].reason);
	else
		assert_string_equal(asked->storage.candidates[index].reason,
				    reason);
}

static void losers_by_prefix_are_told_why(void **state)
{
	_cleanup_(asked_deinit) struct asked asked =
		ask(
			S3_ENTRIES(
				S3_ENTRY("\"bucket\":\"data\"") "," S3_ENTRY(
					"\""
					"bu"
					"ck"
					"et"
					"\""
					":"
					"\""
					"da"
					"ta"
					"-e"
					"u"
					"\"") "," S3_ENTRY("\"bucket\":\"data-"
							   "eu\"") "," S3_ENTRY("\"bucket\":"
										"\"data-"
										"us\"") "," S3_ENTRY("\"bucket\":\"data/[x]\"")),
			"", "s3://data-eu/f");

	(void)state;
	check_reason(&asked, 0,
		     "matches by s3://data, but entry 1 by the longer "
		     "s3://data-eu");
	check_reason(&asked, 1, NULL);
	check_reason(&asked, 2,
		     "entry 1 has the same prefix s3://data-eu and comes "
		     "first");
	check_reason(&asked, 3, "the URI does not begin with s3://data-us");
	check_reason(&asked, 4,
		     "never matches: ClearML compares s3://data/%5Bx%5D with "
		     "the URI in small letters");
}

static void losers_of_azure_are_told_why(void **state)
{
	_cleanup_(asked_deinit) struct asked asked =
		ask(LIST, "AZURE_STORAGE_ACCOUNT=acc|AZURE_STORAGE_KEY=k",
		    "azure://acc/c2");
	_cleanup_(asked_deinit) struct asked other =
		ask(LIST, "", "azure://x/c2");

	(void)state;
	check_reason(&asked, 0, "is not for the container c2");
	check_reason(&asked, 1, NULL);
	check_reason(&asked, 2,
		     "matches too, but entry 1 comes first: order decides, "
		     "not which fits better");
	check_reason(&asked, 3,
		     "never matches: ClearML compares account_name with the "
		     "URI's account in small letters");
	check_reason(&asked, 4, asked.storage.candidates[2].reason);
	check_reason(&other, 1, "is not for the account x");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_hold),
		cmocka_unit_test(the_scheme_says_whose_a_uri_is),
		cmocka_unit_test(the_first_prefix_in_descending_order_wins),
		cmocka_unit_test(paths_of_a_prefix_are_encoded),
		cmocka_unit_test(google_keeps_the_case_of_the_subdir),
		cmocka_unit_test(what_breaks_clearml_breaks_the_answer),
		cmocka_unit_test(an_entry_without_credentials_is_dropped),
		cmocka_unit_test(defaults_come_each_by_itself),
		cmocka_unit_test(a_match_takes_nothing_from_the_defaults),
		cmocka_unit_test(a_port_makes_the_network_part_a_host),
		cmocka_unit_test(google_defaults_depend_on_what_is_there),
		cmocka_unit_test(azure_takes_the_first_that_fits),
		cmocka_unit_test(azure_fills_in_the_container),
		cmocka_unit_test(azure_variables_need_each_other),
		cmocka_unit_test(a_uri_that_cannot_be_one_is_said),
		cmocka_unit_test(losers_by_prefix_are_told_why),
		cmocka_unit_test(losers_of_azure_are_told_why),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
