#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/http_calls.h"

/* --- redirects --- */

static void plan_redirect(struct responder *server, const char *status,
			  const char *location)
{
	_cleanup_(mem_freep) char *head =
		mem_printf("%s MOVED\r\nLocation: %s", status, location);

	responder_plan_body(server, head, STR("<html>moved</html>"));
}

static void a_redirect_on_the_same_server_is_followed(void **state)
{
	static const char *const statuses[] = {"301", "302", "303", "307",
					       "308"};
	struct fixture *fixture = *state;
	struct responder *server = &fixture->server;

	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		_cleanup_(call_deinit) struct call call = {0};

		plan_redirect(server, statuses[i], "/api/auth.login");
		responder_plan_body(server, "200 OK", STR("{}"));
		get(fixture, &call);
		assert_null(call.error);
		assert_int_equal(call.status, 200);
		assert_string_equal(buf_str(&call.body).ptr, "{}");
		assert_true(responder_was_asked(server, 2 * i + 1,
						"GET /api/auth.login "));
		assert_true(responder_was_asked(server, 2 * i + 1,
						"Bearer the-secret"));
	}
}

static void another_server_never_hears_of_it(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;
	_cleanup_(mem_freep) char *expected = NULL;
	struct responder other;

	responder_start(&other, &fixture->loop);
	plan_redirect(&fixture->server, "301", other.url);
	get(fixture, &call);
	expected = mem_printf("redirects to 127.0.0.1:%d, which is not "
			      "followed: correct api_server",
			      other.port);
	assert_contains(call.error, expected);
	assert_int_equal(call.status, 0);
	assert_int_equal(other.asked, 0);
	responder_stop(&other);
}

static void another_scheme_or_host_is_not_followed(void **state)
{
	static const char *const targets[] = {
		"http://localhost:%d/", "https://127.0.0.1/",
		"ftp://127.0.0.1:%d/",  "file:///etc/passwd",
		"http://127.0.0.1:1/",
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		_cleanup_(call_deinit) struct call call = {0};
		char target[64];
		const char *number = strstr(targets[i], "%d");

		(void)snprintf(target, sizeof(target), "%s", targets[i]);
		if (number)
			(void)snprintf(target + (number - targets[i]), 16,
				       "%d/", fixture->server.port);
		plan_redirect(&fixture->server, "302", target);
		get(fixture, &call);
		assert_non_null(call.error);
		assert_contains(call.error, "redirects to");
	}
	assert_int_equal(fixture->server.asked, ARRAY_SIZE(targets));
}

static void a_sixth_redirect_is_too_many(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;

	for (int i = 0; i < 6; i++)
		plan_redirect(&fixture->server, "302", "/again");
	get(fixture, &call);
	assert_contains(call.error, "redirects more than 5 times");
	assert_int_equal(fixture->server.asked, 6);
}

static void a_post_is_never_sent_elsewhere(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;
	struct http_request request = request_for(fixture->server.url);

	request.body = "{}";
	plan_redirect(&fixture->server, "307", "/other");
	run(fixture, &request, &call);
	assert_contains(call.error, "which is not followed");
	assert_int_equal(fixture->server.asked, 1);
}

/* --- proxies --- */

static struct http *http_with(struct fixture *fixture, const char *name,
			      const char *value)
{
	http_close(fixture->http);
	setenv(name, value, 1);
	fixture->http = http_new(&fixture->loop);
	return fixture->http;
}

static void the_proxy_of_the_environment_is_asked(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;
	struct http_request request =
		request_for("http://api.example.com/debug.ping");

	setenv("HTTP_PROXY", "http://127.0.0.1:1", 1);
	http_with(fixture, "http_proxy", fixture->server.url);
	responder_plan_body(&fixture->server, "200 OK", STR("{}"));
	run(fixture, &request, &call);
	assert_null(call.error);
	assert_true(responder_was_asked(
		&fixture->server, 0,
		"GET http://api.example.com/debug.ping HTTP/1.1"));
}

static void no_proxy_is_heeded(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;

	setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
	http_with(fixture, "NO_PROXY", "example.com,127.0.0.1");
	responder_plan_body(&fixture->server, "200 OK", STR("{}"));
	get(fixture, &call);
	assert_null(call.error);
	assert_true(responder_was_asked(&fixture->server, 0, "GET / "));
}

static void the_environment_is_read_once(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	responder_plan_body(&fixture->server, "200 OK", STR("{}"));
	get(fixture, &call);
	assert_null(call.error);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, http_enter, http_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_redirect_on_the_same_server_is_followed),
		TEST(another_server_never_hears_of_it),
		TEST(another_scheme_or_host_is_not_followed),
		TEST(a_sixth_redirect_is_too_many),
		TEST(a_post_is_never_sent_elsewhere),
		TEST(the_proxy_of_the_environment_is_asked),
		TEST(no_proxy_is_heeded),
		TEST(the_environment_is_read_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
