#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/http_calls.h"

/* What a stream brought: its lines, each call's ended by a '|'. */
struct heard {
	struct call call; /* first: it is what done() is told */
	struct buf lines;
	struct http_call *sent;
	struct http *closes; /* at the first lines; or NULL */
	bool hangs_up;       /* at the first lines */
	bool any;
};

static void on_lines(void *data, struct str lines)
{
	struct heard *heard = data;

	assert_true(lines.len && lines.ptr[lines.len - 1] == '\n');
	buf_add_str(&heard->lines, lines);
	buf_putc(&heard->lines, '|');
	heard->any = true;
	if (heard->hangs_up)
		http_cancel(heard->sent);
	if (heard->closes)
		http_close(heard->closes);
}

static void listen_to(struct fixture *fixture, struct heard *heard,
		      const bool *until)
{
	struct http_request request = request_for(fixture->server.url);

	request.body = "{}";
	request.limit = 20;
	request.on_lines = on_lines;
	heard->sent = http_send(fixture->http, &request, on_done, heard);
	responder_run(&fixture->loop, until);
}

static void heard_deinit(struct heard *heard)
{
	call_deinit(&heard->call);
	buf_deinit(&heard->lines);
}

#define HEAD                                                                   \
	"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"                    \
	"Connection: close\r\n\r\n"

static void lines_come_while_the_answer_goes_on(void **state)
{
	_cleanup_(heard_deinit) struct heard heard = {0};
	struct fixture *fixture = *state;

	responder_plan(&fixture->server,
		       STR(HEAD "6\r\none\ntw\r\n4\r\no\nth\r\n"),
		       RESPONDER_HOLDS);
	listen_to(fixture, &heard, &heard.any);
	assert_false(heard.call.done);
	assert_string_equal(buf_str(&heard.lines).ptr, "one\ntwo\n|");
	assert_true(http_silence(heard.sent) < 10000);
	http_cancel(heard.sent);
}

static void what_follows_the_last_line_is_the_replys(void **state)
{
	_cleanup_(heard_deinit) struct heard heard = {0};
	struct fixture *fixture = *state;

	responder_plan_text(&fixture->server, HEAD "6\r\none\ntw\r\n0\r\n\r\n");
	listen_to(fixture, &heard, &heard.call.done);
	assert_null(heard.call.error);
	assert_string_equal(buf_str(&heard.lines).ptr, "one\n|");
	assert_string_equal(buf_str(&heard.call.body).ptr, "tw");
}

static void lines_before_a_break_are_not_lost(void **state)
{
	_cleanup_(heard_deinit) struct heard heard = {0};
	struct fixture *fixture = *state;

	responder_plan(&fixture->server, STR(HEAD "6\r\none\ntw\r\n"),
		       RESPONDER_RESETS);
	listen_to(fixture, &heard, &heard.call.done);
	assert_contains(heard.call.error, "was lost");
	assert_string_equal(buf_str(&heard.lines).ptr, "one\n|");
}

static void a_line_is_bounded_and_a_stream_is_not(void **state)
{
	_cleanup_(heard_deinit) struct heard heard = {0};
	struct fixture *fixture = *state;

	responder_plan_text(&fixture->server,
			    HEAD "15\r\n0123456789\n012345678\n\r\n"
				 "15\r\n012345678901234567890\r\n0\r\n\r\n");
	listen_to(fixture, &heard, &heard.call.done);
	assert_contains(heard.call.error, "has more than 20 bytes");
	assert_string_equal(buf_str(&heard.lines).ptr,
			    "0123456789\n012345678\n|");
}

/* More than one turn's share of them, and the end comes meanwhile. */
static void many_lines_arrive_in_turns(void **state)
{
	_cleanup_(heard_deinit) struct heard heard = {0};
	_cleanup_(buf_deinit) struct buf answer = BUF_INIT;
	struct fixture *fixture = *state;
	unsigned int next = 0, turns = 0;

	buf_puts(&answer, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	for (unsigned int i = 0; i < 60000; i++)
		buf_printf(&answer, "%05u\n", i);
	responder_plan_text(&fixture->server, buf_str(&answer).ptr);
	listen_to(fixture, &heard, &heard.call.done);
	assert_null(heard.call.error);
	for (const char *c = buf_str(&heard.lines).ptr; *c; c++) {
		turns += *c == '|';
		if (*c == '|')
			continue;
		assert_int_equal(strtoul(c, NULL, 10), next++);
		c += 5;
	}
	assert_int_equal(next, 60000);
	assert_true(turns > 10);
}

static void another_status_than_200_is_no_stream(void **state)
{
	_cleanup_(heard_deinit) struct heard heard = {0};
	struct fixture *fixture = *state;

	responder_plan_body(&fixture->server, "503 SORRY", STR("no\nleader\n"));
	listen_to(fixture, &heard, &heard.call.done);
	assert_int_equal(heard.call.status, 503);
	assert_false(heard.any);
	assert_string_equal(buf_str(&heard.call.body).ptr, "no\nleader\n");
}

static void a_stream_outlives_its_deadline(void **state)
{
	_cleanup_(heard_deinit) struct heard heard = {0};
	struct fixture *fixture = *state;
	struct http_request request = request_for(fixture->server.url);

	request.timeout_ms = 50;
	request.on_lines = on_lines;
	/* A byte each 10 ms: far more than 50 ms until the first line. */
	responder_plan(&fixture->server, STR("HTTP/1.1 200 OK\r\n\r\nlate\n"),
		       RESPONDER_DRIPS);
	heard.sent = http_send(fixture->http, &request, on_done, &heard);
	responder_run(&fixture->loop, &heard.any);
	assert_false(heard.call.done);
	http_cancel(heard.sent);
}

static void who_hears_may_hang_up(void **state)
{
	_cleanup_(heard_deinit) struct heard heard = {.hangs_up = true};
	struct fixture *fixture = *state;

	responder_plan_text(&fixture->server, HEAD "4\r\none\n\r\n0\r\n\r\n");
	listen_to(fixture, &heard, &heard.any);
	assert_false(heard.call.done);
}

static void who_hears_may_close_everything(void **state)
{
	struct fixture *fixture = *state;
	_cleanup_(heard_deinit) struct heard heard = {.closes = fixture->http};

	responder_plan(&fixture->server, STR(HEAD "4\r\none\n\r\n"),
		       RESPONDER_HOLDS);
	listen_to(fixture, &heard, &heard.any);
	fixture->http = NULL;
	assert_false(heard.call.done);
}

static void who_is_asked_is_named_as_the_caller_names_it(void **state)
{
	static const struct http_peer peer = {.service = "etcd",
					      .address = "[site] etcd"};
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;
	struct http_request request = request_for("http://127.0.0.1:1");

	request.peer = &peer;
	run(fixture, &request, &call);
	assert_contains(call.error, "is the etcd server running there?");
}

static void only_a_clearml_server_hears_of_the_worker(void **state)
{
	static const struct http_peer peer = {.service = "etcd"};
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;
	struct http_request request = request_for(fixture->server.url);

	request.peer = &peer;
	request.header = "Grpc-Metadata-hasleader: true";
	responder_plan_body(&fixture->server, "200 OK", STR("{}"));
	run(fixture, &request, &call);
	assert_false(responder_was_asked(&fixture->server, 0, "X-ClearML"));
	assert_true(responder_was_asked(
		&fixture->server, 0, "\r\nGrpc-Metadata-hasleader: true\r\n"));
}

/* Behind a 100 libcurl 7 takes this for HTTP/0.9, with a status of 0 and no
 * error; libcurl 8 for a 200. */
static void no_answer_is_without_a_status(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;

	responder_plan_text(&fixture->server, "HTTP/1.1 100 CONTINUE\r\n\r\n"
					      "HTTP/200 OK\r\n\r\n{}");
	get(fixture, &call);
	if (call.error)
		assert_contains(call.error, "does not speak HTTP");
	assert_int_equal(call.status, call.error ? 0 : 200);
}

#define claim(name)                                                            \
	cmocka_unit_test_setup_teardown(name, http_enter, http_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		claim(lines_come_while_the_answer_goes_on),
		claim(what_follows_the_last_line_is_the_replys),
		claim(lines_before_a_break_are_not_lost),
		claim(a_line_is_bounded_and_a_stream_is_not),
		claim(many_lines_arrive_in_turns),
		claim(another_status_than_200_is_no_stream),
		claim(no_answer_is_without_a_status),
		claim(a_stream_outlives_its_deadline),
		claim(who_hears_may_hang_up),
		claim(who_hears_may_close_everything),
		claim(who_is_asked_is_named_as_the_caller_names_it),
		claim(only_a_clearml_server_hears_of_the_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
