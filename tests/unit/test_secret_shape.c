#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/docs.h"
#include "config/secret.h"
#include "config/secret_rules.h"

struct masking {
	struct arena arena;
	struct doc *doc;
	struct secrets *secrets;
	struct value *masked;
};

static void masking_deinit(struct masking *masking)
{
	secrets_free(masking->secrets);
	doc_unref(masking->doc);
	arena_free(&masking->arena);
}

/* @json with its own secrets learned, masked. */
static void mask_with(struct masking *masking, const char *patterns,
		      const char *json)
{
	*masking = (struct masking){
		.doc = docs_read(json),
		.secrets = secrets_new(patterns),
	};
	secrets_learn(masking->secrets, masking->doc->root);
	masking->masked = secrets_mask(masking->secrets, &masking->arena,
				       masking->doc->root);
}

static void assert_masked_with(const char *patterns, const char *json,
			       const char *expected)
{
	_cleanup_(masking_deinit) struct masking masking;

	mask_with(&masking, patterns, json);
	docs_assert_json(masking.masked, expected);
	if (!strcmp(json, expected))
		assert_ptr_equal(masking.masked, masking.doc->root);
}

static void assert_masked(const char *json, const char *expected)
{
	assert_masked_with(NULL, json, expected);
}

static void assert_shown(const char *json)
{
	assert_masked(json, json);
}

static void passwords_in_urls_are_masked(void **state)
{
	static const char *const cases[][2] = {
		{"https://user:password@host/x", "https://****@host/x"},
		{"git+ssh://u:p@h", "git+ssh://****@h"},
		{"see https://a:b@c and http://d:e@f:80/",
		 "see https://****@c and http://****@f:80/"},
		{"https://u:p@ss@host", "https://****@host"},
		{"https://me@corp.com:pw@host", "https://****@host"},
		{"https://:p@host", "https://****@host"},
		{"https://u:@host", "https://****@host"},
		{"https://u:pa/ss@host/x", "https://****@host/x"},
		{"https://u:pa?ss@host/x", "https://****@host/x"},
		{"https://u:pa ss@host/x", "https://****@host/x"},
		{"https://u:pa'ss@host/x", "https://****@host/x"},
		{"https://u:pa#ss@host/x", "https://****@host/x"},
		{"git+https://ghp_0aB@github.com/x",
		 "git+https://****@github.com/x"},
		{"https://TOKEN@host", "https://****@host"},
		{"redis://h:1,redis://u:p@h:2", "redis://h:1,redis://****@h:2"},
	};
	static const char *const shown[] = {
		"https://host:8080/path",
		"https://user@host:8080/",
		"https://host/a:b@c",
		"https://host:8080/a@b",
		"ssh://git@github.com/x/y.git",
		"https://jane.doe@host/x",
		"s3://a:/x/y@z",
		"https://host?a:b@c",
		"https://host#a:b@c",
		"https://host 1:2@3",
		"user:password@host",
		"://",
		"a://:",
		"git@github.com:x/y.git",
	};
	char json[256], expected[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		(void)snprintf(json, sizeof(json), "{\"a\":[\"%s\"]}",
			       cases[i][0]);
		(void)snprintf(expected, sizeof(expected), "{\"a\":[\"%s\"]}",
			       cases[i][1]);
		assert_masked(json, expected);
	}
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		(void)snprintf(json, sizeof(json), "{\"a\":\"%s\"}", shown[i]);
		assert_shown(json);
	}
}

/* A key of its own, so that what is masked is not learned from elsewhere. */
static void what_has_the_shape_of_a_secret_is_masked(void **state)
{
	static const char *const cases[][2] = {
		{"-e GIT_PASS=hunter2 -v /a:/b", "-e GIT_PASS=**** -v /a:/b"},
		{"--env=AWS_SECRET_ACCESS_KEY=abc -it",
		 "--env=AWS_SECRET_ACCESS_KEY=**** -it"},
		{"AZURE_STORAGE_KEY=a b;c", "AZURE_STORAGE_KEY=****"},
		{"img -e CLEARML_AUTH_TOKEN='a b' -e X=1",
		 "img -e CLEARML_AUTH_TOKEN=****' -e X=1"},
		{"DefaultEndpointsProtocol=https;AccountName=n;"
		 "AccountKey=abc==;EndpointSuffix=x",
		 "DefaultEndpointsProtocol=https;AccountName=n;"
		 "AccountKey=****;EndpointSuffix=x"},
		{"https://h/c?sv=1&sig=a%2Fb&se=2",
		 "https://h/c?sv=1&sig=****&se=2"},
		{"https://h/?token=abc#x", "https://h/?token=****"},
		{"https://h/?api_key=abc&x=1", "https://h/?api_key=****&x=1"},
		{"curl -H 'Authorization: Basic YTpi' https://h",
		 "curl -H 'Authorization: ****' https://h"},
		{"Bearer eyJhbGciOi.J9 x", "Bearer **** x"},
		{"-----BEGIN RSA PRIVATE KEY-----\\nabc\\n"
		 "-----END RSA PRIVATE KEY-----\\nrest",
		 "****\\nrest"},
	};
	static const char *const shown[] = {
		"X=1",
		"token=",
		"environment=prod",
		"the bearer of it",
		"-----BEGIN CERTIFICATE-----\\nabc",
	};
	char json[256], expected[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		(void)snprintf(json, sizeof(json), "{\"a\":[\"%s\"]}",
			       cases[i][0]);
		(void)snprintf(expected, sizeof(expected), "{\"a\":[\"%s\"]}",
			       cases[i][1]);
		assert_masked(json, expected);
	}
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++) {
		(void)snprintf(json, sizeof(json), "{\"a\":\"%s\"}", shown[i]);
		assert_shown(json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passwords_in_urls_are_masked),
		cmocka_unit_test(what_has_the_shape_of_a_secret_is_masked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
