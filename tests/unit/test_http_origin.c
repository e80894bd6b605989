#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/http_calls.h"

#include "fetch/http_call.h"

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
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
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

/* URL -> whom it names; NULL: it is no URL, or one of two minds. */
static const struct {
	const char *url, *host, *port;
	bool https;
} origins[] = {
	{"http://a", "a", "80", false},
	{"HTTPS://a.b-c_d:8443?q", "a.b-c_d", "8443", true},
	{"https://a:#f", "a", "443", true},
	{"http://a:0080/", "a", "80", false},
	{"http://u:p%40@a/x@b", "a", "80", false},
	{"http://[::1]:8008/", "[::1]", "8008", false},
	{"http://[fe80::1%25eth0]/", "[fe80::1%25eth0]", "80", false},
	{"http://\xc3\xbc.example/", "\xc3\xbc.example", "80", false},
	{"a:8008", NULL, NULL, false},
	{"ftp://a/", NULL, NULL, false},
	{"http:/a/", NULL, NULL, false},
	{"http:///a/", NULL, NULL, false},
	{"http://a:99999/", NULL, NULL, false},
	{"http://a:8x/", NULL, NULL, false},
	{"http://a:000080/", NULL, NULL, false},
	{"http://a@b@c/", NULL, NULL, false},
	{"http://a\\@b/", NULL, NULL, false},
	{"http://a b/", NULL, NULL, false},
	{"http://a/\n", NULL, NULL, false},
	{"http://%61/", NULL, NULL, false},
	{"http://[::1/", NULL, NULL, false},
	{"http://[::1]x/", NULL, NULL, false},
	{"http://u@/", NULL, NULL, false},
};

static void a_url_names_one_server_or_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(origins); i++) {
		struct http_origin origin;

		assert_int_equal(http_origin_parse(&origin, origins[i].url),
				 origins[i].host != NULL);
		if (!origins[i].host)
			continue;
		assert_string_equal(origin.host, origins[i].host);
		assert_string_equal(origin.port, origins[i].port);
		assert_int_equal(origin.https, origins[i].https);
		http_origin_deinit(&origin);
	}
}

/* What a call to `from` says to a redirect to `to`. */
static const struct {
	const char *from, *to;
	bool followed;
} moves[] = {
	{"http://a:8008/x", "http://a:8008/y", true},
	{"http://A/", "http://a/y", true},
	{"http://a/", "https://a/", true},
	{"http://a:8008/", "https://a:8008/", true},
	{"http://a:8008/", "https://a/", false},
	{"https://a/", "https://a/y", true},
	{"https://a/", "http://a/", false},
	{"https://a:8443/", "http://a:8443/", false},
	{"https://a/", "https://a:8443/", false},
	{"https://a/", "https://a.b/", false},
	{"https://a/", "https://b@a.b/", false},
};

static void a_redirect_stays_on_the_server_and_in_tls(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(moves); i++) {
		const struct http_peer peer = {.address = "api_server"};
		struct http_call call = {.server = (char[]){"a"},
					 .peer = &peer};
		_cleanup_(mem_freep) char *problem = NULL;

		assert_true(http_origin_parse(&call.origin, moves[i].from));
		problem = http_origin_problem(&call, moves[i].to);
		assert_int_equal(problem == NULL, moves[i].followed);
		http_origin_deinit(&call.origin);
	}
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

/* @expected with @port in the place of its %d. */
static void assert_said(const char *text, const char *expected,
			const char *port)
{
	const char *hole = strstr(expected, "%d");
	_cleanup_(mem_freep) char *whole = mem_printf(
		"%.*s%s%s", (int)(hole - expected), expected, port, hole + 2);

	assert_string_equal(text, whole);
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

/* variable -> is it heeded for http, for https? */
static const struct {
	const char *name;
	bool http, https;
} proxy_variables[] = {
	{"http_proxy", true, false},  {"HTTP_PROXY", true, false},
	{"https_proxy", false, true}, {"HTTPS_PROXY", false, true},
	{"all_proxy", true, true},    {"ALL_PROXY", true, true},
};

static void each_variable_has_its_scheme(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(proxy_variables); i++) {
		struct http_defaults defaults = {0};

		unset_proxies();
		setenv(proxy_variables[i].name, "http://p:3128", 1);
		http_defaults_init(&defaults);
		assert_string_equal(defaults.proxy[0], proxy_variables[i].http
							       ? "http://p:3128"
							       : "");
		assert_string_equal(defaults.proxy[1], proxy_variables[i].https
							       ? "http://p:3128"
							       : "");
		http_defaults_deinit(&defaults);
	}
}

/* scheme of the URL, what the proxy answers -> what is said */
static const struct {
	const char *url, *answer, *error;
} proxy_faults[] = {
	{"http://api.example.com/", "407 WHO",
	 "the proxy 127.0.0.1:%d wants a login (HTTP 407): correct user and "
	 "password in http_proxy"},
	{"https://api.example.com/", "407 WHO",
	 "the proxy 127.0.0.1:%d wants a login (HTTP 407): correct user and "
	 "password in https_proxy"},
	{"https://api.example.com/", "502 BAD",
	 "the proxy 127.0.0.1:%d makes no connection to api.example.com:443 "
	 "(HTTP 502): check https_proxy and no_proxy"},
};

static void a_proxys_fault_names_it_and_not_its_password(void **state)
{
	struct fixture *fixture = *state;
	struct responder *server = &fixture->server;
	_cleanup_(mem_freep) char *proxy =
		mem_printf("http://user:pass-word@127.0.0.1:%d", server->port);

	setenv("https_proxy", proxy, 1);
	http_with(fixture, "http_proxy", proxy);
	for (size_t i = 0; i < ARRAY_SIZE(proxy_faults); i++) {
		_cleanup_(call_deinit) struct call call = {0};
		struct http_request request = request_for(proxy_faults[i].url);
		char port[8];

		(void)snprintf(port, sizeof(port), "%d", server->port);
		responder_plan_body(server, proxy_faults[i].answer,
				    STR("<html>"));
		run(fixture, &request, &call);
		assert_said(call.error, proxy_faults[i].error, port);
		assert_null(strstr(call.error, "pass-word"));
		assert_int_equal(call.status, 0);
	}
}

/* The secret of the server goes through the tunnel or not at all. */
static void a_tunnel_is_asked_for_without_the_servers_secret(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;
	struct responder *server = &fixture->server;
	struct http_request request = request_for("https://api.example.com/");

	http_with(fixture, "HTTPS_PROXY", server->url);
	responder_plan_body(server, "502 BAD", STR(""));
	run(fixture, &request, &call);
	assert_true(
		responder_was_asked(server, 0, "CONNECT api.example.com:443 "));
	assert_false(responder_was_asked(server, 0, "the-secret"));
}

static void on_proxy(void *data, const struct http_reply *reply)
{
	struct call *call = data;

	call->error = reply->proxy ? mem_strdup(reply->proxy) : NULL;
	call->status = reply->status;
	call->done = true;
}

static void an_answer_says_which_proxy_it_came_through(void **state)
{
	_cleanup_(call_deinit) struct call through = {0}, direct = {0};
	struct fixture *fixture = *state;
	struct responder *server = &fixture->server;
	struct http_request request = request_for("http://api.example.com/");

	setenv("no_proxy", "127.0.0.1", 1);
	http_with(fixture, "http_proxy", server->url);
	responder_plan_body(server, "502 BAD", STR("<html>"));
	http_send(fixture->http, &request, on_proxy, &through);
	responder_run(&fixture->loop, &through.done);
	assert_int_equal(through.status, 502);
	assert_string_equal(through.error, server->url + strlen("http://"));

	setenv("http_proxy", "http://p:3128", 1);
	http_with(fixture, "no_proxy", "127.0.0.1");
	request.url = server->url;
	responder_plan_body(server, "502 BAD", STR("<html>"));
	http_send(fixture->http, &request, on_proxy, &direct);
	responder_run(&fixture->loop, &direct.done);
	assert_int_equal(direct.status, 502);
	assert_null(direct.error);
}

static void a_proxy_that_is_not_there_is_named(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;
	struct http_request request = request_for("http://api.example.com/");

	http_with(fixture, "http_proxy", "user:pass-word@127.0.0.1:1");
	run(fixture, &request, &call);
	assert_contains(call.error, "or its proxy 127.0.0.1:1");
	assert_null(strstr(call.error, "pass-word"));
}

/* URL of a proxy -> its name for people */
static const struct {
	const char *url, *name;
} proxy_names[] = {
	{"http://p:3128", "p:3128"},
	{"http://u:pass-word@p:3128/", "p:3128"},
	{"u:pass-word@p:3128", "p:3128"},
	{"p:3128", "p:3128"},
	{"p", "p:1080"},
	{"socks5h://u:pass-word@p:9", "p:9"},
	{"http://[::1]:3128", "[::1]:3128"},
	{"http://u:p@p:1@q:2", "of an unknown name"},
	{"http://", "of an unknown name"},
};

static void a_proxys_name_is_host_and_port(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(proxy_names); i++) {
		_cleanup_(mem_freep) char *name =
			http_origin_of_proxy(proxy_names[i].url);

		assert_string_equal(name, proxy_names[i].name);
	}
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
		cmocka_unit_test(a_url_names_one_server_or_none),
		cmocka_unit_test(a_redirect_stays_on_the_server_and_in_tls),
		cmocka_unit_test(each_variable_has_its_scheme),
		TEST(the_proxy_of_the_environment_is_asked),
		TEST(no_proxy_is_heeded),
		TEST(a_proxys_fault_names_it_and_not_its_password),
		TEST(a_tunnel_is_asked_for_without_the_servers_secret),
		TEST(an_answer_says_which_proxy_it_came_through),
		TEST(a_proxy_that_is_not_there_is_named),
		cmocka_unit_test(a_proxys_name_is_host_and_port),
		TEST(the_environment_is_read_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
