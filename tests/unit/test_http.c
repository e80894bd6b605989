#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>

#include "../support/http_calls.h"

/* --- answers --- */

static void an_answer_arrives_whole(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;

	responder_plan_body(&fixture->server, "404 NOT FOUND",
			    STR("not\0here"));
	get(fixture, &call);
	assert_null(call.error);
	assert_int_equal(call.status, 404);
	assert_int_equal(call.retry_after, -1);
	assert_true(str_equal(buf_str(&call.body), STR("not\0here")));
}

static void a_get_says_who_asks_and_what_it_can_read(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;
	struct responder *server = &fixture->server;

	responder_plan_body(server, "200 OK", STR(""));
	get(fixture, &call);
	assert_true(responder_was_asked(server, 0, "GET / HTTP/1.1\r\n"));
	assert_true(responder_was_asked(
		server, 0, "\r\nAuthorization: Bearer the-secret\r\n"));
	assert_true(responder_was_asked(server, 0,
					"\r\nAccept-Encoding: gzip\r\n"));
	assert_true(
		responder_was_asked(server, 0, "\r\nUser-Agent: clearconf/"));
	assert_true(responder_was_asked(server, 0, "\r\nX-ClearML-Worker: "));
}

static void a_body_is_posted_as_json(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;
	struct http_request request = request_for(fixture->server.url);

	request.body = "{\"label\":\"x\"}";
	responder_plan_body(&fixture->server, "200 OK", STR("{}"));
	run(fixture, &request, &call);
	assert_true(responder_was_asked(&fixture->server, 0, "POST / "));
	assert_true(responder_was_asked(&fixture->server, 0,
					"\r\nContent-Type: application/json"));
	assert_true(responder_was_asked(&fixture->server, 0,
					"\r\n\r\n{\"label\":\"x\"}"));
}

static void a_header_stays_one_line(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;
	struct http_request request = request_for(fixture->server.url);

	request.authorization = "Bearer a\r\nX-Evil: 1";
	responder_plan_body(&fixture->server, "200 OK", STR(""));
	run(fixture, &request, &call);
	assert_false(responder_was_asked(&fixture->server, 0, "\nX-Evil"));
}

static void cookies_are_not_kept(void **state)
{
	_cleanup_(call_deinit) struct call first = {0}, second = {0};
	struct fixture *fixture = *state;

	responder_plan_body(&fixture->server,
			    "200 OK\r\nSet-Cookie: a=b; Max-Age=99999999999; "
			    "Expires=Mon, 09 Oct 5195 12:17:53 GMT; Path=/",
			    STR(""));
	responder_plan_body(&fixture->server, "200 OK", STR(""));
	get(fixture, &first);
	get(fixture, &second);
	assert_null(second.error);
	assert_false(responder_was_asked(&fixture->server, 1, "Cookie"));
}

static void retry_after_is_seconds_or_a_date(void **state)
{
	static const struct {
		const char *head;
		int64_t seconds;
	} cases[] = {
		{"429 SLOW", -1},
		{"429 SLOW\r\nRetry-After: 7", 7},
		{"429 SLOW\r\nretry-after:\t7 \r\nRetry-After: 9", 7},
		{"429 SLOW\r\nX-Retry-After: 7", -1},
		{"100 CONTINUE\r\nRetry-After: 7\r\n\r\nHTTP/1.1 429 SLOW", -1},
		{"429 SLOW\r\nRetry-After: 99999999999999999999", 1000000000},
		{"429 SLOW\r\nRetry-After: "
		 "7777777777777777777777777777777777777777777777777777777777777"
		 "777777",
		 -1},
		{"429 SLOW\r\nRetry-After: soon", -1},
		{"429 SLOW\r\nDate: Tue, 24 Nov 2026 02:31:14 GMT\r\n"
		 "Retry-After: Tue, 24 Nov 2026 02:33:14 GMT",
		 120},
		{"429 SLOW\r\nDate: Tue, 24 Nov 2026 02:31:14 GMT\r\n"
		 "Retry-After: Tue, 24 Nov 2026 02:30:14 GMT",
		 0},
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(call_deinit) struct call call = {0};

		responder_plan_body(&fixture->server, cases[i].head, STR(""));
		get(fixture, &call);
		assert_int_equal(call.retry_after, cases[i].seconds);
	}
}

/* --- compression and bounds --- */

static void plan_gzip(struct responder *server, struct str bytes)
{
	responder_plan_body(server, "200 OK\r\nContent-Encoding: gzip", bytes);
}

static void gzip_is_read(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;

	plan_gzip(&fixture->server,
		  STR("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a"
		      "\x54\xb2\x32\xac\x05\x00\xaf\xac\x1b\x56\x07\x00\x00"
		      "\x00"));
	get(fixture, &call);
	assert_string_equal(buf_str(&call.body).ptr, "{\"a\":1}");
}

static void gzip_garbage_is_no_answer(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;

	plan_gzip(&fixture->server, STR("this is no gzip, is it"));
	get(fixture, &call);
	assert_contains(call.error, "cannot be decompressed");
	assert_int_equal(call.status, 0);
}

/* Curl does not mind that the stream's own end is missing; a JSON reader does.
 */
static void of_half_a_gzip_comes_half_a_body(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;

	plan_gzip(&fixture->server,
		  STR("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\x4a"
		      "\x54"));
	get(fixture, &call);
	assert_null(call.error);
	assert_string_equal(buf_str(&call.body).ptr, "{\"a");
}

/* A thousand times 'a' in 29 bytes. */
static const struct str thousand =
	STR("\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x4b\x4c\x1c\x05\xa3\x60"
	    "\x14\x0c\x77\x00\x00\x03\xda\x38\x9a\xe8\x03\x00\x00");

static void decoded_bytes_count(void **state)
{
	_cleanup_(call_deinit) struct call fits = {0}, bursts = {0};
	struct fixture *fixture = *state;
	struct http_request request = request_for(fixture->server.url);

	plan_gzip(&fixture->server, thousand);
	request.limit = 1000;
	run(fixture, &request, &fits);
	assert_null(fits.error);
	assert_int_equal(fits.body.len, 1000);

	plan_gzip(&fixture->server, thousand);
	request.limit = 999;
	run(fixture, &request, &bursts);
	assert_contains(bursts.error, "has more than 999 bytes");
	assert_int_equal(bursts.body.len, 0);
}

/* More than one turn's share of it. */
static void a_long_body_arrives_whole(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;
	struct fixture *fixture = *state;
	struct http_request request = request_for(fixture->server.url);

	for (long long i = 0; body.len < (size_t)5 * 1024 * 1024; i++) {
		buf_put_int(&body, i);
		buf_putc(&body, ' ');
	}
	request.limit = body.len;
	responder_plan_body(&fixture->server, "200 OK", buf_str(&body));
	run(fixture, &request, &call);
	assert_null(call.error);
	assert_true(str_equal(buf_str(&call.body), buf_str(&body)));
}

static void a_long_body_of_small_chunks_arrives_whole(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	_cleanup_(buf_deinit) struct buf answer = BUF_INIT;
	struct fixture *fixture = *state;
	struct http_request request = request_for(fixture->server.url);

	buf_puts(&answer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
			  "Connection: close\r\n\r\n");
	for (int i = 0; i < 50000; i++)
		buf_printf(&answer, "1\r\n%c\r\n", 'a' + i % 26);
	buf_puts(&answer, "0\r\n\r\n");
	request.limit = 50000;
	responder_plan_text(&fixture->server, buf_str(&answer).ptr);
	run(fixture, &request, &call);
	assert_null(call.error);
	assert_int_equal(call.body.len, 50000);
	for (size_t i = 0; i < call.body.len; i++)
		assert_int_equal(call.body.data[i], 'a' + i % 26);
}

/* Those after a chunked body included. */
static void head_lines_are_bounded(void **state)
{
	static const char *const starts[] = {
		"HTTP/1.1 200 OK\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		_cleanup_(call_deinit) struct call call = {0};
		_cleanup_(buf_deinit) struct buf answer = BUF_INIT;

		buf_puts(&answer, starts[i]);
		while (answer.len < (size_t)300 * 1024)
			buf_printf(&answer, "X-%zu: %0100d\r\n", answer.len, 0);
		buf_puts(&answer, "\r\n");
		responder_plan_text(&fixture->server, buf_str(&answer).ptr);
		get(fixture, &call);
		assert_contains(call.error, "head and trailers");
	}
}

/* --- faults --- */

static void a_refused_connection_names_the_server(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;
	_cleanup_(mem_freep) char *expected = NULL;
	struct http_request request;
	struct responder gone;

	responder_start(&gone, &fixture->loop);
	responder_stop(&gone);
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	request = request_for(gone.url);
	run(fixture, &request, &call);
	expected = mem_printf("connection refused by 127.0.0.1:%d: is the "
			      "ClearML API server running there?",
			      gone.port);
	assert_string_equal(call.error, expected);
}

/* Answers that end too early or are none, and what is said of them. */
static const struct {
	const char *bytes;
	enum responder_end end;
	const char *error;
} broken[] = {
	{"", RESPONDER_CLOSES, "closed the connection unanswered"},
	{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", RESPONDER_CLOSES,
	 "sent only a part of its answer"},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	 "4\r\nhalf\r\n",
	 RESPONDER_CLOSES, "sent only a part of its answer"},
	{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
	 RESPONDER_CLOSES, "was lost"},
	{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", RESPONDER_RESETS,
	 "was lost"},
	{"SSH-2.0-OpenSSH_9.2\r\n", RESPONDER_CLOSES, "does not speak HTTP"},
	{"HTTP/1.1 100 CONTINUE\r\n\r\nSSH-2.0-OpenSSH_9.2\r\n",
	 RESPONDER_CLOSES, "does not speak HTTP"},
};

static void a_broken_answer_is_no_answer(void **state)
{
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		_cleanup_(call_deinit) struct call call = {0};

		responder_plan(&fixture->server, str_from(broken[i].bytes),
			       broken[i].end);
		get(fixture, &call);
		assert_non_null(call.error);
		assert_contains(call.error, broken[i].error);
		assert_contains(call.error, "127.0.0.1:");
		assert_int_equal(call.status, 0);
		assert_int_equal(call.body.len, 0);
	}
}

static void what_came_before_a_reset_is_read(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
	struct fixture *fixture = *state;
	struct http_request request = request_for(fixture->server.url);

	buf_puts(&bytes, "HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n");
	memset(buf_reserve(&bytes, 40000), 'x', 40000);
	bytes.len += 40000;
	responder_plan(&fixture->server, buf_str(&bytes), RESPONDER_RESETS);
	request.limit = 40000;
	run(fixture, &request, &call);
	assert_null(call.error);
	assert_int_equal(call.body.len, 40000);
}

static void silence_ends_at_the_deadline(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;
	struct http_request request = request_for(fixture->server.url);

	request.timeout_ms = 100;
	responder_plan(&fixture->server,
		       STR("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"),
		       RESPONDER_HOLDS);
	run(fixture, &request, &call);
	assert_contains(call.error, "no whole answer from 127.0.0.1:");
	assert_contains(call.error, "within 0.1 s");
}

/* Something always comes: the deadline is for the whole of it. */
static void a_byte_a_tick_ends_at_the_deadline(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;
	struct fixture *fixture = *state;
	struct http_request request = request_for(fixture->server.url);

	buf_puts(&bytes, "HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n");
	memset(buf_reserve(&bytes, 999), 'x', 999);
	bytes.len += 999;
	responder_plan(&fixture->server, buf_str(&bytes), RESPONDER_DRIPS);
	request.timeout_ms = 600;
	run(fixture, &request, &call);
	assert_contains(call.error, "within 0.6 s");
	assert_int_equal(call.body.len, 0);
}

static void what_is_no_url_is_an_error_too(void **state)
{
	static const char *const urls[] = {
		"",        "api.example.com:8008", "ftp://127.0.0.1/",
		"http://", "file:///etc/passwd",
	};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < ARRAY_SIZE(urls); i++) {
		_cleanup_(call_deinit) struct call call = {0};
		struct http_request request = request_for(urls[i]);

		run(fixture, &request, &call);
		assert_string_equal(call.error,
				    "api_server is not an http or https URL");
	}
}

static void a_name_that_is_none_cannot_be_resolved(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;
	struct http_request request = request_for("http://a..b:8008/");

	run(fixture, &request, &call);
	assert_string_equal(call.error,
			    "the name of a..b:8008 cannot be resolved: check "
			    "api_server and DNS");
}

static void errors_hold_no_credentials(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;
	_cleanup_(mem_freep) char *url = mem_printf(
		"http://user:pass-word@127.0.0.1:%d/", fixture->server.port);
	struct http_request request = request_for(url);

	responder_plan(&fixture->server, STR(""), RESPONDER_CLOSES);
	run(fixture, &request, &call);
	assert_null(strstr(call.error, "pass-word"));
	assert_null(strstr(call.error, "the-secret"));
}

/* --- ends --- */

static void a_cancelled_call_is_silent(void **state)
{
	_cleanup_(call_deinit) struct call gone = {0}, call = {0};
	struct fixture *fixture = *state;
	struct http_request request = request_for(fixture->server.url);

	http_cancel(NULL);
	http_cancel(http_send(fixture->http, &request, on_done, &gone));
	responder_plan_body(&fixture->server, "200 OK", STR("{}"));
	get(fixture, &call);
	assert_false(gone.done);
}

static void cancel_other(void *data, const struct http_reply *reply)
{
	struct call *call = data;

	http_cancel(call->other);
	on_done(data, reply);
}

static void a_callback_may_cancel_another_call(void **state)
{
	_cleanup_(call_deinit) struct call first = {0}, second = {0};
	struct fixture *fixture = *state;
	struct http_request request = request_for(fixture->server.url);

	responder_plan_body(&fixture->server, "200 OK", STR("{}"));
	responder_plan(&fixture->server, STR(""), RESPONDER_HOLDS);
	http_send(fixture->http, &request, cancel_other, &first);
	first.other = http_send(fixture->http, &request, on_done, &second);
	responder_run(&fixture->loop, &first.done);
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	assert_false(second.done);
}

/* Both are over in the same turn of the loop: the second must not be told. */
static void a_callback_may_cancel_a_call_that_is_over(void **state)
{
	_cleanup_(call_deinit) struct call first = {0}, second = {0};
	struct fixture *fixture = *state;
	struct http_request request = request_for("ftp://127.0.0.1/");

	http_send(fixture->http, &request, cancel_other, &first);
	first.other = http_send(fixture->http, &request, on_done, &second);
	responder_run(&fixture->loop, &first.done);
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	assert_false(second.done);
}

static void send_again(void *data, const struct http_reply *reply)
{
	struct call *call = data;
	struct http_request request = request_for(call->fixture->server.url);

	assert_null(reply->error);
	http_send(call->fixture->http, &request, on_done, call);
}

static void a_callback_may_send(void **state)
{
	_cleanup_(call_deinit) struct call call = {.fixture = *state};
	struct fixture *fixture = *state;
	struct http_request request = request_for(fixture->server.url);

	responder_plan_body(&fixture->server, "200 OK", STR("{}"));
	responder_plan_body(&fixture->server, "201 OK", STR("{}"));
	http_send(fixture->http, &request, send_again, &call);
	responder_run(&fixture->loop, &call.done);
	assert_int_equal(call.status, 201);
}

static void close_all(void *data, const struct http_reply *reply)
{
	struct call *call = data;

	http_close(call->fixture->http);
	call->fixture->http = NULL;
	on_done(data, reply);
}

static void a_callback_may_close(void **state)
{
	_cleanup_(call_deinit) struct call first = {.fixture = *state};
	_cleanup_(call_deinit) struct call second = {0};
	struct fixture *fixture = *state;
	struct http_request request = request_for(fixture->server.url);

	responder_plan_body(&fixture->server, "200 OK", STR("{}"));
	responder_plan(&fixture->server, STR(""), RESPONDER_HOLDS);
	http_send(fixture->http, &request, close_all, &first);
	http_send(fixture->http, &request, on_done, &second);
	responder_run(&fixture->loop, &first.done);
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	assert_string_equal(buf_str(&first.body).ptr, "{}");
	assert_false(second.done);
}

static void closing_ends_calls_in_flight(void **state)
{
	struct call calls[3] = {0};
	struct fixture *fixture = *state;
	struct http_request request = request_for(fixture->server.url);

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		responder_plan(&fixture->server, STR("HTTP/1.1 200 OK\r\n"),
			       RESPONDER_HOLDS);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		http_send(fixture->http, &request, on_done, &calls[i]);
	while (fixture->server.asked < ARRAY_SIZE(calls))
		uv_run(&fixture->loop, UV_RUN_ONCE);
	http_close(fixture->http);
	fixture->http = NULL;
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		assert_false(calls[i].done);
}

static size_t open_files(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t count = 0;

	assert_non_null(folder);
	while (readdir(folder))
		count++;
	assert_int_equal(closedir(folder), 0);
	return count;
}

static void no_descriptor_stays_behind(void **state)
{
	struct fixture *fixture = *state;
	size_t before = 0;

	for (size_t i = 0; i < 50; i++) { /* a bucket of calls holds more */
		_cleanup_(call_deinit) struct call call = {0};

		if (i == 1)
			before = open_files();
		responder_plan_body(&fixture->server, "200 OK", STR("{}"));
		get(fixture, &call);
		uv_run(&fixture->loop, UV_RUN_NOWAIT);
	}
	assert_true(open_files() <= before + 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, http_enter, http_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_answer_arrives_whole),
		TEST(a_get_says_who_asks_and_what_it_can_read),
		TEST(a_body_is_posted_as_json),
		TEST(a_header_stays_one_line),
		TEST(cookies_are_not_kept),
		TEST(retry_after_is_seconds_or_a_date),
		TEST(gzip_is_read),
		TEST(gzip_garbage_is_no_answer),
		TEST(of_half_a_gzip_comes_half_a_body),
		TEST(decoded_bytes_count),
		TEST(a_long_body_arrives_whole),
		TEST(a_long_body_of_small_chunks_arrives_whole),
		TEST(head_lines_are_bounded),
		TEST(a_refused_connection_names_the_server),
		TEST(a_broken_answer_is_no_answer),
		TEST(what_came_before_a_reset_is_read),
		TEST(silence_ends_at_the_deadline),
		TEST(a_byte_a_tick_ends_at_the_deadline),
		TEST(what_is_no_url_is_an_error_too),
		TEST(a_name_that_is_none_cannot_be_resolved),
		TEST(errors_hold_no_credentials),
		TEST(a_cancelled_call_is_silent),
		TEST(a_callback_may_cancel_another_call),
		TEST(a_callback_may_cancel_a_call_that_is_over),
		TEST(a_callback_may_send),
		TEST(a_callback_may_close),
		TEST(closing_ends_calls_in_flight),
		TEST(no_descriptor_stays_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
