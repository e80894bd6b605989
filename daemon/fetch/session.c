#include "fetch/session.h"

#include <assert.h>
#include <string.h>

#include "base/fields.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "fetch/base64.h"
#include "fetch/token.h"
#include "value/value.h"
#include "wire.h"

/* How long before its end a token is renewed, in seconds; a session that has
 * nothing but a token must not lose it. Never more than half of its life. */
#define RENEW_AHEAD       360
#define RENEW_AHEAD_TOKEN 3600

/* What only reads may go by any method: the server does not mind. A body that
 * says nothing spares proxies a POST without one. */
enum session_method { METHOD_GET, METHOD_POST, METHOD_PUT };

enum session_state {
	SESSION_LOGGED_OUT,
	SESSION_LOGGING_IN,
	SESSION_LOGGED_IN,
	SESSION_CLOSED,
};

struct session {
	enum session_state state;
	struct http *http;
	char *api_server, *access_key, *secret_key, *ca;
	struct http_tls tls;
	uint64_t timeout_ms;
	size_t response_limit;
	int64_t renew_ahead, token_life;
	enum session_method method;
	unsigned int calls_per_minute;

	struct token token; /* the latest */
	struct http_call *login;
	struct list calls; /* waiting for the login, or sent */
	struct list ended; /* the login is over, their turn comes */
	bool ending;       /* a callback may be running */
	bool by_key;       /* a login by the key pair has made the token */
};

struct session_call {
	struct list link;
	struct session *session;
	char *endpoint, *body;  /* endpoint NULL: only the login counts */
	struct http_call *http; /* NULL: waits */
	unsigned int serial;    /* of the token it was sent with */
	bool repeated;
	bool mints; /* a login whose token is the caller's */
	session_done_fn done;
	void *data;
};

static void session_log_in(struct session *session);

static bool session_needs_login(const struct session *session)
{
	if (session->state == SESSION_LOGGED_IN)
		return token_wants_renewal(&session->token);
	return session->state == SESSION_LOGGED_OUT;
}

static void session_enter(struct session *session, enum session_state state)
{
	assert(session->state != SESSION_CLOSED);
	session->state = state;
}

static void session_settle(struct session *session)
{
	session_enter(session, token_is_usable(&session->token)
				       ? SESSION_LOGGED_IN
				       : SESSION_LOGGED_OUT);
}

static int64_t session_renew_ahead(const struct session *session)
{
	if (!session->access_key && session->renew_ahead < RENEW_AHEAD_TOKEN)
		return RENEW_AHEAD_TOKEN;
	return session->renew_ahead > 0 ? session->renew_ahead : RENEW_AHEAD;
}

/* The server does not take the token of @serial. */
static void session_reject(struct session *session, unsigned int serial)
{
	token_reject(&session->token, serial);
	if (session->state == SESSION_LOGGED_IN)
		session_settle(session);
}

/* --- requests --- */

static char *basic_authorization(const struct session *session)
{
	_cleanup_(mem_freep) char *pair =
		mem_printf("%s:%s", session->access_key, session->secret_key);
	_cleanup_(buf_deinit) struct buf value = BUF_INIT;

	buf_puts(&value, "Basic ");
	base64_write(&value, str_from(pair));
	return buf_take(&value);
}

static char *bearer_authorization(const struct session *session)
{
	return mem_printf("Bearer %s", session->token.text);
}

static char *authorization_of(const struct session_call *call)
{
	return call->mints && call->session->by_key
		       ? basic_authorization(call->session)
		       : bearer_authorization(call->session);
}

/* @authorization is taken over. */
static struct http_call *session_request(struct session *session,
					 struct http_request *request,
					 char *authorization, http_done_fn done,
					 void *data)
{
	struct http_call *call;

	request->put = !request->body && session->method == METHOD_PUT;
	if (!request->body && session->method != METHOD_GET)
		request->body = "{}";
	request->authorization = authorization;
	request->tls = session->tls;
	request->timeout_ms = session->timeout_ms;
	request->limit = session->response_limit;
	request->reader = &api_reader;
	call = http_send(session->http, request, done, data);
	mem_free(authorization);
	return call;
}

/* --- calls --- */

static void call_free(struct session_call *call)
{
	list_remove(&call->link);
	http_cancel(call->http);
	mem_free(call->endpoint);
	mem_free(call->body);
	mem_free(call);
}

/* The caller may close the session in there. */
static void call_end(struct session_call *call, const struct api_reply *reply)
{
	session_done_fn done = call->done;
	void *data = call->data;

	call_free(call);
	done(data, reply);
}

static void on_call_answer(void *data, const struct http_reply *http);

static void call_send(struct session_call *call)
{
	struct session *session = call->session;
	_cleanup_(mem_freep) char *url =
		mem_printf("%s/%s", session->api_server, call->endpoint);
	struct http_request request = {.url = url, .body = call->body};

	call->serial = session->token.serial;
	call->http = session_request(session, &request, authorization_of(call),
				     on_call_answer, call);
}

/* Send it, or let it wait for the login. */
static void call_begin(struct session_call *call)
{
	struct session *session = call->session;

	if (session_needs_login(session))
		session_log_in(session);
	if (session->state == SESSION_LOGGED_IN)
		call_send(call);
}

/* Of credentials that the server does not know any more the next call makes
 * sure, by a login. */
static void call_take_reply(struct session_call *call,
			    const struct api_reply *reply)
{
	bool over = api_is_token_over(reply);

	call->http = NULL;
	if (over || api_is_key_unknown(reply))
		session_reject(call->session, call->serial);
	if (!over || call->repeated) {
		call_end(call, reply);
		return;
	}
	call->repeated = true;
	call_begin(call);
}

static void on_call_answer(void *data, const struct http_reply *http)
{
	struct api_reply reply;

	api_parse(&reply, http);
	call_take_reply(data, &reply);
	api_reply_deinit(&reply);
}

static struct session_call *call_new(struct session *session,
				     session_done_fn done, void *data)
{
	struct session_call *call = mem_alloc(sizeof(*call));

	assert(session->state != SESSION_CLOSED);
	call->session = session;
	call->done = done;
	call->data = data;
	list_add(&session->calls, &call->link);
	return call;
}

struct session_call *session_send(struct session *session, const char *endpoint,
				  const char *body, session_done_fn done,
				  void *data)
{
	struct session_call *call = call_new(session, done, data);

	call->endpoint = mem_strdup(endpoint);
	call->body = body ? mem_strdup(body) : NULL;
	call_begin(call);
	return call;
}

struct session_call *session_mint(struct session *session, int64_t lifetime,
				  session_done_fn done, void *data)
{
	struct session_call *call = call_new(session, done, data);

	call->endpoint = mem_printf("auth.login?expiration_sec=%lld",
				    (long long)lifetime);
	call->mints = true;
	call_begin(call);
	return call;
}

bool session_is_by_key(const struct session *session)
{
	return session->by_key;
}

void session_cancel(struct session_call *call)
{
	if (call)
		call_free(call);
}

/* --- login --- */

static void session_free(struct session *session)
{
	token_deinit(&session->token);
	mem_free(session->api_server);
	mem_free(session->access_key);
	mem_free(session->secret_key);
	mem_free(session->ca);
	mem_free(session);
}

static struct session_call *first_call(struct list *list)
{
	return CONTAINER_OF(list->next, struct session_call, link);
}

/* Calls that wait become ended; what was sent stays. */
static void session_collect_waiting(struct session *session)
{
	struct list *next;

	for (struct list *i = session->calls.next; i != &session->calls;
	     i = next) {
		next = i->next;
		if (CONTAINER_OF(i, struct session_call, link)->http)
			continue;
		list_remove(i);
		list_add(&session->ended, i);
	}
}

/* The login is over: send on those that have a token to go with, give @reply
 * to the others. Their callbacks may cancel, send and close. */
static void session_end_waiting(struct session *session,
				const struct api_reply *reply)
{
	bool usable = session->state == SESSION_LOGGED_IN;

	session_collect_waiting(session);
	session->ending = true;
	while (!list_is_empty(&session->ended)) {
		struct session_call *call = first_call(&session->ended);

		if (!usable || !call->endpoint) {
			call_end(call, reply);
			continue;
		}
		list_remove(&call->link);
		list_add(&session->calls, &call->link);
		call_send(call);
	}
	session->ending = false;
	if (session->state == SESSION_CLOSED)
		session_free(session);
}

/* An old token that was not refused goes on serving. */
static void session_login_failed(struct session *session,
				 const struct api_reply *reply)
{
	if (reply->outcome == API_ERROR &&
	    (reply->status == 401 || reply->status == 403))
		token_reject(&session->token, session->token.serial);
	token_postpone(&session->token);
}

static void reply_set_tokenless(struct api_reply *reply)
{
	reply->outcome = API_FOREIGN;
	reply->data = NULL;
	reply->message = mem_strdup("the answer to the login holds no token: "
				    "is api_server a ClearML API server?");
}

/* A user and password before the host are nobody's business. */
static const char *server_shown(const struct session *session)
{
	const char *at = strchr(session->api_server, '@');

	return at ? at + 1 : session->api_server;
}

static void session_take_login(struct session *session, struct api_reply *reply)
{
	const struct value *token = value_get(reply->data, STR("token"));

	session->login = NULL;
	if (reply->outcome == API_OK &&
	    (!value_is(token, VALUE_STRING) || !token->text.len))
		reply_set_tokenless(reply);
	if (reply->outcome == API_OK) {
		session->by_key = session->access_key != NULL;
		token_set(&session->token, value_text(token),
			  session_renew_ahead(session));
		log_debug("logged-in",
			  LOG_TEXT("server", server_shown(session)));
	} else {
		session_login_failed(session, reply);
	}
	session_settle(session);
	session_end_waiting(session, reply);
}

static void on_login_answer(void *data, const struct http_reply *http)
{
	struct api_reply reply;

	api_parse(&reply, http);
	session_take_login(data, &reply);
	api_reply_deinit(&reply);
}

static char *login_url(const struct session *session)
{
	if (!session->token_life)
		return mem_printf("%s/auth.login", session->api_server);
	return mem_printf("%s/auth.login?expiration_sec=%lld",
			  session->api_server, (long long)session->token_life);
}

static void session_log_in(struct session *session)
{
	_cleanup_(mem_freep) char *url = login_url(session);
	struct http_request request = {.url = url};

	session_enter(session, SESSION_LOGGING_IN);
	session->login = session_request(
		session, &request,
		session->access_key ? basic_authorization(session)
				    : bearer_authorization(session),
		on_login_answer, session);
}

struct session_call *session_login(struct session *session,
				   session_done_fn done, void *data)
{
	struct session_call *call = call_new(session, done, data);

	if (session->state != SESSION_LOGGING_IN)
		session_log_in(session);
	return call;
}

/* --- beginning and end --- */

static char *without_slashes(const char *url)
{
	struct str text = str_trim(str_from(url));

	while (text.len && text.ptr[text.len - 1] == '/')
		text.len--;
	return mem_strndup(text.ptr, text.len);
}

static enum session_method method_from(const char *name)
{
	static const char *const names[] = {
		[METHOD_GET] = "get",
		[METHOD_POST] = "post",
		[METHOD_PUT] = "put",
	};

	for (size_t i = 0; name && i < ARRAY_SIZE(names); i++)
		if (str_equal_nocase(str_from(name), str_from(names[i])))
			return (enum session_method)i;
	if (name)
		log_warning("unknown-method", LOG_TEXT("method", name),
			    LOG_TEXT("used", "get"));
	return METHOD_GET;
}

/* Rather the nearest life than a refused login. */
static int64_t token_life_from(int64_t seconds)
{
	if (seconds <= 0)
		return 0;
	if (seconds < WIRE_TOKEN_LIFE_MIN)
		return WIRE_TOKEN_LIFE_MIN;
	return seconds < WIRE_TOKEN_LIFE_MAX ? seconds : WIRE_TOKEN_LIFE_MAX;
}

static void session_set_defaults(struct session *session,
				 const struct session_config *config)
{
	session->timeout_ms = config->timeout_ms;
	session->response_limit = config->response_limit;
	session->renew_ahead = config->renew_ahead;
	session->token_life = token_life_from(config->token_life);
	session->method = method_from(config->method);
	session->calls_per_minute = config->calls_per_minute;
	http_reserve(session->http, session->api_server,
		     session->calls_per_minute);
}

bool session_config_equal(const struct session_config *a,
			  const struct session_config *b)
{
	static const struct field items[] = {
		FIELD(struct session_config, api_server),
		FIELD(struct session_config, access_key),
		FIELD(struct session_config, secret_key),
		FIELD(struct session_config, token),
		FIELD(struct session_config, tls.verify),
		FIELD(struct session_config, tls.ca),
		FIELD(struct session_config, timeout_ms),
		FIELD(struct session_config, response_limit),
		FIELD(struct session_config, renew_ahead),
		FIELD(struct session_config, token_life),
		FIELD(struct session_config, method),
		FIELD(struct session_config, calls_per_minute),
	};

	return fields_equal(&(struct fields){items, ARRAY_SIZE(items)}, a, b);
}

struct session *session_new(struct http *http,
			    const struct session_config *config)
{
	struct session *session = mem_alloc(sizeof(*session));

	assert((config->access_key && config->secret_key) || config->token);
	session->http = http;
	session->api_server = without_slashes(config->api_server);
	if (config->access_key && config->secret_key) {
		session->access_key = mem_strdup(config->access_key);
		session->secret_key = mem_strdup(config->secret_key);
	}
	session->ca = config->tls.ca ? mem_strdup(config->tls.ca) : NULL;
	session->tls = (struct http_tls){config->tls.verify, session->ca};
	session_set_defaults(session, config);
	list_init(&session->calls);
	list_init(&session->ended);
	if (config->token)
		token_set_foreign(&session->token, str_from(config->token),
				  session_renew_ahead(session));
	session_settle(session);
	return session;
}

static void free_calls(struct list *list)
{
	while (!list_is_empty(list))
		call_free(first_call(list));
}

void session_close(struct session *session)
{
	session_enter(session, SESSION_CLOSED);
	http_release(session->http, session->api_server,
		     session->calls_per_minute);
	http_cancel(TAKE(session->login));
	free_calls(&session->calls);
	free_calls(&session->ended);
	if (!session->ending)
		session_free(session);
}

const struct api_claims *session_claims(const struct session *session)
{
	return session->token.text ? &session->token.claims : NULL;
}
