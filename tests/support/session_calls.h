#ifndef SUPPORT_SESSION_CALLS_H
#define SUPPORT_SESSION_CALLS_H

/*
 * Session calls for tests: a session and a responder on one loop, what becomes
 * of a call, and what was asked for it. Include it after cmocka.h.
 */

#include <time.h>

#include "jwt.h"
#include "responder.h"

#include "fetch/session.h"

struct fixture {
	uv_loop_t loop;
	struct http *http;
	struct responder server;
	struct session *session;
};

/* Of a long life, with @left seconds to go by this machine's clock. */
static inline char *token_with(int64_t left)
{
	int64_t now = time(NULL);
	_cleanup_(mem_freep) char *claims =
		mem_printf("{\"iat\":%lld,\"exp\":%lld}",
			   (long long)(now - 1000000), (long long)(now + left));

	return jwt_make(claims);
}

/* One call and what became of it. */
struct call {
	struct fixture *fixture;
	bool done;
	enum api_outcome outcome;
	int code, subcode;
	char *message;
	struct session_call *other;
};

/* key:secret */
#define BASIC "Authorization: Basic a2V5OnNlY3JldA==\r\n"

static inline struct session_config config_for(struct fixture *fixture,
					       const char *token)
{
	return (struct session_config){
		.api_server = fixture->server.url,
		.access_key = token ? NULL : "key",
		.secret_key = token ? NULL : "secret",
		.token = token,
		.tls = {.verify = true},
		.timeout_ms = 20000,
		.response_limit = 100000,
	};
}

static inline void open_session(struct fixture *fixture, const char *token)
{
	struct session_config config = config_for(fixture, token);

	fixture->session = session_new(fixture->http, &config);
}

static inline int enter_closed(void **state)
{
	struct fixture *fixture = mem_alloc(sizeof(*fixture));

	assert_int_equal(setenv("no_proxy", "*", 1), 0);
	assert_int_equal(uv_loop_init(&fixture->loop), 0);
	fixture->http = http_new(&fixture->loop);
	responder_start(&fixture->server, &fixture->loop);
	*state = fixture;
	return 0;
}

static inline int enter(void **state)
{
	(void)enter_closed(state);
	open_session(*state, NULL);
	return 0;
}

static inline int leave(void **state)
{
	struct fixture *fixture = *state;

	if (fixture->session)
		session_close(fixture->session);
	http_close(fixture->http);
	responder_stop(&fixture->server);
	responder_end_loop(&fixture->loop);
	mem_free(fixture);
	return 0;
}

static inline void on_done(void *data, const struct api_reply *reply)
{
	struct call *call = data;

	assert_false(call->done);
	call->done = true;
	call->outcome = reply->outcome;
	call->code = reply->code;
	call->subcode = reply->subcode;
	call->message = reply->message ? mem_strdup(reply->message) : NULL;
}

static inline void call_deinit(struct call *call)
{
	mem_free(call->message);
}

static inline struct session_call *begin(struct fixture *fixture,
					 struct call *call)
{
	return session_send(fixture->session, "users.get_current_user", NULL,
			    on_done, call);
}

static inline void wait_for(struct fixture *fixture, struct call *call)
{
	responder_run(&fixture->loop, &call->done);
}

static inline void run(struct fixture *fixture, struct call *call)
{
	begin(fixture, call);
	assert_false(call->done);
	wait_for(fixture, call);
}

static inline void plan_token(struct responder *server, const char *token)
{
	_cleanup_(mem_freep) char *data =
		mem_printf("{\"token\":\"%s\"}", token);

	responder_plan_data(server, data);
}

static inline bool was_login(struct fixture *fixture, size_t turn,
			     const char *with)
{
	return responder_was_asked(&fixture->server, turn,
				   "GET /auth.login ") &&
	       responder_was_asked(&fixture->server, turn, with);
}

static inline bool was_call(struct fixture *fixture, size_t turn,
			    const char *token)
{
	_cleanup_(mem_freep) char *bearer =
		mem_printf("Authorization: Bearer %s\r\n", token);

	return responder_was_asked(&fixture->server, turn,
				   "GET /users.get_current_user ") &&
	       responder_was_asked(&fixture->server, turn, bearer);
}

#endif
