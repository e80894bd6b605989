#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/http_calls.h"

static void tls_to_a_plain_server_says_so(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;
	_cleanup_(mem_freep) char *url =
		mem_printf("https://127.0.0.1:%d/", fixture->server.port);
	struct http_request request = request_for(url);

	fixture->server.blind = true;
	responder_plan_text(&fixture->server, "HTTP/1.1 400 PLAIN\r\n\r\n");
	run(fixture, &request, &call);
	assert_contains(call.error, "is api_server an https address?");
}

/* CA of the request, of REQUESTS_CA_BUNDLE, of CURL_CA_BUNDLE -> the file that
 * cannot be used, and what names it. */
static const struct {
	const char *own, *requests, *curl;
	const char *path, *name;
} absent_cas[] = {
	{"/nowhere/own", NULL, NULL, "/nowhere/own", "verify_certificate"},
	{"/nowhere/own", "/nowhere/r", NULL, "/nowhere/own",
	 "verify_certificate"},
	{NULL, "/nowhere/r", "/nowhere/c", "/nowhere/r", "REQUESTS_CA_BUNDLE"},
	{NULL, " ", "/nowhere/c", "/nowhere/c", "CURL_CA_BUNDLE"},
};

static void set_or_unset(const char *name, const char *value)
{
	if (value)
		setenv(name, value, 1);
	else
		unsetenv(name);
}

static void a_ca_that_is_not_there_is_named(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(absent_cas); i++) {
		_cleanup_(call_deinit) struct call call = {0};
		_cleanup_(mem_freep) char *expected = NULL;
		_cleanup_(mem_freep) char *url = NULL;
		struct http_request request;
		struct fixture *fixture;

		set_or_unset("REQUESTS_CA_BUNDLE", absent_cas[i].requests);
		set_or_unset("CURL_CA_BUNDLE", absent_cas[i].curl);
		(void)http_enter(state);
		fixture = *state;
		url = mem_printf("https://127.0.0.1:%d/", fixture->server.port);
		request = request_for(url);
		request.tls.ca = absent_cas[i].own;
		run(fixture, &request, &call);
		expected = mem_printf("the CA file %s cannot be used (No such "
				      "file or directory): correct %s",
				      absent_cas[i].path, absent_cas[i].name);
		assert_contains(call.error, expected);
		(void)http_leave(state);
	}
	set_or_unset("REQUESTS_CA_BUNDLE", NULL);
	set_or_unset("CURL_CA_BUNDLE", NULL);
}

/* It gets as far as the TLS that the responder does not speak. */
static void who_does_not_verify_needs_no_ca(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture;
	_cleanup_(mem_freep) char *url = NULL;
	struct http_request request;

	setenv("REQUESTS_CA_BUNDLE", "/nowhere/r", 1);
	(void)http_enter(state);
	fixture = *state;
	url = mem_printf("https://127.0.0.1:%d/", fixture->server.port);
	request = request_for(url);
	request.tls.verify = false;
	fixture->server.blind = true;
	responder_plan_text(&fixture->server, "HTTP/1.1 400 PLAIN\r\n\r\n");
	run(fixture, &request, &call);
	assert_contains(call.error, "is api_server an https address?");
	(void)http_leave(state);
	unsetenv("REQUESTS_CA_BUNDLE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tls_to_a_plain_server_says_so,
						http_enter, http_leave),
		cmocka_unit_test(a_ca_that_is_not_there_is_named),
		cmocka_unit_test(who_does_not_verify_needs_no_ca),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
