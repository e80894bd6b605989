#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdatomic.h>

#include "../support/http_calls.h"

/* One thread, so that who waits for it is known. */
#define THREADS "1"
#define LARGE   ((size_t)100 * 1024)

/* A reader that stands still until it may go on, and what became of its
 * contents. */
static struct {
	uv_sem_t begun, go;
	uv_thread_t thread;
	atomic_int reads;
	atomic_int kept; /* contents that nobody has dropped */
} reader;

struct content {
	size_t len;
	char last;
};

static void *read_here(struct str body)
{
	struct content *content = mem_alloc(sizeof(*content));

	content->len = body.len;
	content->last = body.ptr[body.len - 1];
	reader.thread = uv_thread_self();
	reader.reads++;
	reader.kept++;
	return content;
}

static void *read_slowly(struct str body)
{
	uv_sem_post(&reader.begun);
	uv_sem_wait(&reader.go);
	return read_here(body);
}

static void drop(void *content)
{
	reader.kept--;
	mem_free(content);
}

static const struct http_reader quick = {read_here, drop};
static const struct http_reader slow = {read_slowly, drop};

struct reading {
	bool done;
	struct fixture *fixture;
	struct http_call *sent;
	char *error;
	bool has_content;
	struct content content;
	size_t body;
};

static void on_read(void *data, const struct http_reply *reply)
{
	struct reading *reading = data;

	assert_false(reading->done);
	reading->done = true;
	reading->sent = NULL;
	reading->error = reply->error ? mem_strdup(reply->error) : NULL;
	reading->body = reply->body.len;
	reading->has_content = reply->content != NULL;
	if (reply->content)
		reading->content = *(struct content *)reply->content;
}

static void send_with(struct fixture *fixture, const struct http_reader *with,
		      struct reading *reading)
{
	struct http_request request = request_for(fixture->server.url);

	request.limit = 2 * LARGE;
	request.reader = with;
	reading->fixture = fixture;
	reading->sent = http_send(fixture->http, &request, on_read, reading);
}

/* Bytes 'x', and a 'y' at last. */
static void plan(struct fixture *fixture, size_t len)
{
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;

	memset(buf_reserve(&body, len), 'x', len);
	body.len = len;
	body.data[len - 1] = 'y';
	responder_plan_body(&fixture->server, "200 OK", buf_str(&body));
}

static void run_until_begun(struct fixture *fixture)
{
	for (int i = 0; i < RESPONDER_TICKS; i++) {
		uv_run(&fixture->loop, UV_RUN_NOWAIT);
		if (uv_sem_trywait(&reader.begun) == 0)
			return;
		uv_sleep(RESPONDER_TICK_MS);
	}
	fail_msg("the body is read by nobody");
}

static int enter(void **state)
{
	memset(&reader, 0, sizeof(reader));
	assert_int_equal(uv_sem_init(&reader.begun, 0), 0);
	assert_int_equal(uv_sem_init(&reader.go, 0), 0);
	return http_enter(state);
}

/* Whatever became of the calls, nothing is left of what was read. */
static int leave(void **state)
{
	(void)http_leave(state);
	assert_int_equal(reader.kept, 0);
	uv_sem_destroy(&reader.begun);
	uv_sem_destroy(&reader.go);
	return 0;
}

static void a_small_body_is_read_in_the_loop(void **state)
{
	struct fixture *fixture = *state;
	struct reading reading = {0};
	uv_thread_t self = uv_thread_self();

	plan(fixture, 1000);
	send_with(fixture, &quick, &reading);
	responder_run(&fixture->loop, &reading.done);
	assert_true(reading.has_content);
	assert_int_equal(reading.content.len, 1000);
	assert_int_equal(reading.content.last, 'y');
	assert_true(uv_thread_equal(&reader.thread, &self));
}

static void a_large_one_is_read_elsewhere_and_others_go_on(void **state)
{
	struct fixture *fixture = *state;
	struct reading large = {0}, small = {0};
	uv_thread_t self = uv_thread_self();

	plan(fixture, LARGE);
	plan(fixture, 1000);
	send_with(fixture, &slow, &large);
	run_until_begun(fixture);
	send_with(fixture, &quick, &small);
	responder_run(&fixture->loop, &small.done);
	assert_false(large.done);

	uv_sem_post(&reader.go);
	responder_run(&fixture->loop, &large.done);
	assert_null(large.error);
	assert_int_equal(large.body, LARGE);
	assert_int_equal(large.content.len, LARGE);
	assert_int_equal(large.content.last, 'y');
	assert_false(uv_thread_equal(&reader.thread, &self));
}

static void what_is_no_answer_is_not_read(void **state)
{
	struct fixture *fixture = *state;
	struct reading reading = {0};

	responder_plan(&fixture->server,
		       STR("HTTP/1.1 200 OK\r\n"
			   "Content-Length: 900\r\n\r\nx"),
		       RESPONDER_CLOSES);
	send_with(fixture, &quick, &reading);
	responder_run(&fixture->loop, &reading.done);
	assert_non_null(reading.error);
	assert_false(reading.has_content);
	assert_int_equal(reader.reads, 0);
	mem_free(reading.error);
}

static void a_call_is_cancelled_while_its_body_is_read(void **state)
{
	struct fixture *fixture = *state;
	struct reading large = {0}, next = {0};

	plan(fixture, LARGE);
	plan(fixture, LARGE);
	send_with(fixture, &slow, &large);
	run_until_begun(fixture);
	http_cancel(large.sent);
	uv_sem_post(&reader.go);

	send_with(fixture, &quick, &next);
	responder_run(&fixture->loop, &next.done);
	assert_int_equal(next.content.len, LARGE);
	assert_false(large.done);
	assert_int_equal(reader.reads, 2);
}

static void all_is_closed_while_bodies_are_read_or_wait(void **state)
{
	struct fixture *fixture = *state;
	struct reading first = {0}, second = {0};

	plan(fixture, LARGE);
	plan(fixture, LARGE);
	send_with(fixture, &slow, &first);
	run_until_begun(fixture);
	send_with(fixture, &slow, &second);
	for (int i = 0; i < 20; i++) {
		uv_run(&fixture->loop, UV_RUN_NOWAIT);
		uv_sleep(1);
	}
	http_close(TAKE(fixture->http));
	uv_sem_post(&reader.go);
	while (reader.kept || !reader.reads)
		uv_run(&fixture->loop, UV_RUN_NOWAIT);
	assert_false(first.done || second.done);
	assert_int_equal(reader.reads, 1); /* the other had not begun */
}

static void close_at_once(void *data, const struct http_reply *reply)
{
	struct reading *reading = data;

	on_read(data, reply);
	http_close(TAKE(reading->fixture->http));
}

static void who_is_told_what_was_read_may_close(void **state)
{
	struct fixture *fixture = *state;
	struct reading reading = {.fixture = fixture};
	struct http_request request = request_for(fixture->server.url);

	request.limit = 2 * LARGE;
	request.reader = &quick;
	plan(fixture, LARGE);
	http_send(fixture->http, &request, close_at_once, &reading);
	responder_run(&fixture->loop, &reading.done);
	assert_int_equal(reading.content.len, LARGE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
		TEST(a_small_body_is_read_in_the_loop),
		TEST(a_large_one_is_read_elsewhere_and_others_go_on),
		TEST(what_is_no_answer_is_not_read),
		TEST(a_call_is_cancelled_while_its_body_is_read),
		TEST(all_is_closed_while_bodies_are_read_or_wait),
		TEST(who_is_told_what_was_read_may_close),
	};

	assert_int_equal(setenv("UV_THREADPOOL_SIZE", THREADS, 1), 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
