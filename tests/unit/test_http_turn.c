#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../support/http_calls.h"
#include "../support/quiet.h"

#include "fetch/bucket.h"

/* More than any bucket here holds. */
#define STORM 200

struct storm {
	size_t sent, over;
	bool done;
	size_t answered, held_back;
};

static void on_storm(void *data, const struct http_reply *reply)
{
	struct storm *storm = data;

	storm->answered += reply->status == 200;
	storm->held_back += reply->error && strstr(reply->error, "held back");
	storm->done = ++storm->over == storm->sent;
}

static void send_storm(struct fixture *fixture, struct storm *storm,
		       size_t calls, uint64_t timeout_ms)
{
	struct http_request request = request_for(fixture->server.url);

	request.timeout_ms = timeout_ms;
	storm->sent += calls;
	for (size_t i = 0; i < calls; i++)
		http_send(fixture->http, &request, on_storm, storm);
}

static void plan_answers(struct responder *server, size_t count)
{
	for (size_t i = 0; i < count; i++)
		responder_plan_body(server, "200 OK", STR("{}"));
}

/* So many calls, which need not wait: the responder's patience is shorter than
 * a bucket's minute. */
static void send_all(struct fixture *fixture, size_t calls)
{
	struct storm storm = {0};

	plan_answers(&fixture->server, calls);
	send_storm(fixture, &storm, calls, 60000);
	responder_run(&fixture->loop, &storm.done);
	assert_int_equal(storm.answered, calls);
}

static void drain(struct fixture *fixture)
{
	send_all(fixture, BUCKET_PER_MINUTE);
}

/* Calls that were reserved, and are not any more, are owed: the next turn is
 * more than a minute away, so that no halt of the machine brings it. */
#define OVERDRAFT ((size_t)2 * BUCKET_PER_MINUTE)

static void overdraw(struct fixture *fixture)
{
	http_reserve(fixture->http, fixture->server.url, BUCKET_PER_MINUTE);
	drain(fixture);
	drain(fixture);
	http_release(fixture->http, fixture->server.url, BUCKET_PER_MINUTE);
}

/* A turn for whoever waits, in spite of the overdraft. */
static void give_turn(struct fixture *fixture)
{
	plan_answers(&fixture->server, 1);
	http_reserve(fixture->http, fixture->server.url, OVERDRAFT);
}

static struct http_request brief_request(struct fixture *fixture)
{
	struct http_request request = request_for(fixture->server.url);

	request.timeout_ms = 100;
	return request;
}

/* Whoever polls once a minute wakes up once for it, and once for the answer. */
static void a_call_whose_turn_it_is_begins_without_a_sleep(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;
	struct http_request request = request_for(fixture->server.url);

	responder_plan_body(&fixture->server, "200 OK", STR("{}"));
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	assert_int_not_equal(uv_backend_timeout(&fixture->loop), 0);
	http_send(fixture->http, &request, on_done, &call);
	assert_int_equal(uv_backend_timeout(&fixture->loop), 0);
	responder_run(&fixture->loop, &call.done);
	assert_null(call.error);
}

/* A second that the machine halts for brings a call back. */
static void a_storm_is_held_to_a_bucket(void **state)
{
	struct fixture *fixture = *state;
	struct storm storm = {0};
	uint64_t most, began_ns = uv_hrtime();

	plan_answers(&fixture->server, OVERDRAFT);
	send_storm(fixture, &storm, BUCKET_PER_MINUTE, 20000);
	send_storm(fixture, &storm, STORM - BUCKET_PER_MINUTE, 300);
	responder_run(&fixture->loop, &storm.done);
	most = BUCKET_PER_MINUTE + (uv_hrtime() - began_ns) / 1000000000;
	assert_in_range(storm.answered, BUCKET_PER_MINUTE, most);
	assert_int_equal(storm.held_back, STORM - storm.answered);
	assert_int_equal(fixture->server.asked, storm.answered);
}

static void a_turn_comes(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;

	drain(fixture);
	plan_answers(&fixture->server, 1);
	get(fixture, &call);
	assert_null(call.error);
	assert_int_equal(call.status, 200);
}

static void its_deadline_holds_while_it_waits(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;
	struct http_request request = brief_request(fixture);

	overdraw(fixture);
	run(fixture, &request, &call);
	assert_contains(call.error, "too many calls for 127.0.0.1:");
	assert_contains(call.error, "within 0.1 s");
	assert_int_equal(call.status, 0);
	assert_int_equal(fixture->server.asked, OVERDRAFT);
}

static void nobody_jumps_the_queue(void **state)
{
	_cleanup_(call_deinit) struct call first = {0}, second = {0};
	struct fixture *fixture = *state;
	struct http_request request = request_for(fixture->server.url);
	struct http_request brief = brief_request(fixture);

	overdraw(fixture);
	http_send(fixture->http, &request, on_done, &first);
	http_send(fixture->http, &brief, on_done, &second);
	responder_run(&fixture->loop, &second.done);
	assert_contains(second.error, "held back");
	assert_false(first.done);
	give_turn(fixture);
	responder_run(&fixture->loop, &first.done);
	assert_int_equal(first.status, 200);
}

static void a_call_that_waits_can_be_cancelled(void **state)
{
	_cleanup_(call_deinit) struct call gone = {0}, call = {0};
	struct fixture *fixture = *state;
	struct http_request request = brief_request(fixture);

	overdraw(fixture);
	http_cancel(http_send(fixture->http, &request, on_done, &gone));
	run(fixture, &request, &call);
	assert_false(gone.done);
}

static void closing_ends_calls_that_wait(void **state)
{
	_cleanup_(call_deinit) struct call gone = {0};
	struct fixture *fixture = *state;
	struct http_request request = brief_request(fixture);

	overdraw(fixture);
	http_send(fixture->http, &request, on_done, &gone);
	http_close(fixture->http);
	fixture->http = NULL;
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	assert_false(gone.done);
}

static void close_all(void *data, const struct http_reply *reply)
{
	struct call *call = data;

	http_close(call->fixture->http);
	call->fixture->http = NULL;
	on_done(data, reply);
}

static void a_call_held_back_may_close(void **state)
{
	_cleanup_(call_deinit) struct call call = {.fixture = *state};
	_cleanup_(call_deinit) struct call other = {0};
	struct fixture *fixture = *state;
	struct http_request request = brief_request(fixture);

	overdraw(fixture);
	http_send(fixture->http, &request, close_all, &call);
	http_send(fixture->http, &request, on_done, &other);
	responder_run(&fixture->loop, &call.done);
	assert_false(other.done);
}

static void a_redirect_pays_too(void **state)
{
	_cleanup_(call_deinit) struct call call = {0}, behind = {0};
	struct fixture *fixture = *state;
	struct http_request request = request_for(fixture->server.url);
	struct http_request brief = brief_request(fixture);

	http_reserve(fixture->http, fixture->server.url, BUCKET_PER_MINUTE);
	drain(fixture);
	send_all(fixture, BUCKET_PER_MINUTE - 1);
	responder_plan_body(&fixture->server, "302 MOVED\r\nLocation: /again",
			    STR(""));
	http_send(fixture->http, &request, on_done, &call);
	http_release(fixture->http, fixture->server.url, BUCKET_PER_MINUTE);
	while (fixture->server.asked < OVERDRAFT)
		uv_run(&fixture->loop, UV_RUN_ONCE);
	run(fixture, &brief, &behind);
	assert_contains(behind.error, "held back");
	assert_false(call.done);
	assert_int_equal(fixture->server.asked, OVERDRAFT);
	give_turn(fixture);
	responder_run(&fixture->loop, &call.done);
	assert_int_equal(call.status, 200);
}

static void each_server_has_a_bucket_of_its_own(void **state)
{
	struct fixture *fixture = *state;
	int first = fixture->server.port;

	drain(fixture);
	responder_stop(&fixture->server);
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
	responder_start(&fixture->server, &fixture->loop);
	assert_int_not_equal(fixture->server.port, first);
	drain(fixture);
}

static void what_was_reserved_need_not_wait(void **state)
{
	_cleanup_(call_deinit) struct call call = {0};
	struct fixture *fixture = *state;
	struct http_request request = brief_request(fixture);

	overdraw(fixture);
	run(fixture, &request, &call);
	assert_contains(call.error, "held back");
}

static void what_is_no_url_has_no_bucket(void **state)
{
	struct fixture *fixture = *state;

	http_reserve(fixture->http, "ftp://127.0.0.1", 1);
	http_release(fixture->http, "ftp://127.0.0.1", 1);
	for (size_t i = 0; i <= BUCKET_PER_MINUTE; i++) {
		_cleanup_(call_deinit) struct call call = {0};
		struct http_request request = request_for("ftp://127.0.0.1");

		run(fixture, &request, &call);
		assert_contains(call.error, "not an http or https URL");
	}
}

static int enter_quietly(void **state)
{
	quiet_begin();
	return http_enter(state);
}

static int leave_quietly(void **state)
{
	int r = http_leave(state);

	quiet_end();
	return r;
}

#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, enter_quietly, leave_quietly)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_call_whose_turn_it_is_begins_without_a_sleep),
		TEST(a_storm_is_held_to_a_bucket),
		TEST(a_turn_comes),
		TEST(its_deadline_holds_while_it_waits),
		TEST(nobody_jumps_the_queue),
		TEST(a_call_that_waits_can_be_cancelled),
		TEST(closing_ends_calls_that_wait),
		TEST(a_call_held_back_may_close),
		TEST(a_redirect_pays_too),
		TEST(each_server_has_a_bucket_of_its_own),
		TEST(what_was_reserved_need_not_wait),
		TEST(what_is_no_url_has_no_bucket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
