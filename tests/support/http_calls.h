#ifndef SUPPORT_HTTP_CALLS_H
#define SUPPORT_HTTP_CALLS_H

/*
 * HTTP calls for tests: a client and a responder on one loop, and what becomes
 * of a call. Include it after cmocka.h.
 */

#include "responder.h"

struct fixture {
	uv_loop_t loop;
	struct http *http;
	struct responder server;
};

/* One call and what became of it. */
struct call {
	struct fixture *fixture;
	bool done;
	char *error; /* NULL: answered */
	long status;
	int64_t retry_after;
	struct buf body;
	struct http_call *other;
};

static inline void unset_proxies(void)
{
	static const char *const names[] = {
		"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
		"all_proxy",  "ALL_PROXY",  "no_proxy",    "NO_PROXY",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		unsetenv(names[i]);
}

static inline int http_enter(void **state)
{
	struct fixture *fixture = mem_alloc(sizeof(*fixture));

	unset_proxies();
	assert_int_equal(uv_loop_init(&fixture->loop), 0);
	fixture->http = http_new(&fixture->loop);
	responder_start(&fixture->server, &fixture->loop);
	*state = fixture;
	return 0;
}

static inline int http_leave(void **state)
{
	struct fixture *fixture = *state;

	if (fixture->http)
		http_close(fixture->http);
	responder_stop(&fixture->server);
	responder_end_loop(&fixture->loop);
	mem_free(fixture);
	return 0;
}

static inline void on_done(void *data, const struct http_reply *reply)
{
	struct call *call = data;

	assert_false(call->done);
	call->done = true;
	call->error = reply->error ? mem_strdup(reply->error) : NULL;
	call->status = reply->status;
	call->retry_after = reply->retry_after;
	buf_add_str(&call->body, reply->body);
}

static inline void call_deinit(struct call *call)
{
	mem_free(call->error);
	buf_deinit(&call->body);
}

static inline struct http_request request_for(const char *url)
{
	return (struct http_request){
		.url = url,
		.authorization = "Bearer the-secret",
		.tls = {.verify = true},
		.timeout_ms = 20000,
		.limit = 1000,
	};
}

static inline void run(struct fixture *fixture,
		       const struct http_request *request, struct call *call)
{
	http_send(fixture->http, request, on_done, call);
	assert_false(call->done);
	responder_run(&fixture->loop, &call->done);
}

static inline void get(struct fixture *fixture, struct call *call)
{
	struct http_request request = request_for(fixture->server.url);

	run(fixture, &request, call);
}

#define assert_contains(text, part) assert_non_null(strstr((text), (part)))

#endif
