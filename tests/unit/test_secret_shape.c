#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/masking.h"

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
	(void)state;
	assert_texts_masked(cases, ARRAY_SIZE(cases));
	assert_texts_shown(shown, ARRAY_SIZE(shown));
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
		{"Bearer eyJhbGci", "Bearer ****"},
		{"-----BEGIN RSA PRIVATE KEY-----\\nabc\\n"
		 "-----END RSA PRIVATE KEY-----\\nrest",
		 "****\\nrest"},
	};
	static const char *const shown[] = {
		"X=1",
		"token=",
		"environment=prod",
		"the bearer of it",
		"the bearer of letters",
		"-----BEGIN CERTIFICATE-----\\nabc",
	};
	(void)state;
	assert_texts_masked(cases, ARRAY_SIZE(cases));
	assert_texts_shown(shown, ARRAY_SIZE(shown));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passwords_in_urls_are_masked),
		cmocka_unit_test(what_has_the_shape_of_a_secret_is_masked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
