#include "fetch/http.h"

#include <assert.h>

#include "base/log.h"
#include "base/mem.h"
#include "fetch/http_call.h"

struct http {
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t timer; /* when curl wants to be called */
	uv_idle_t soon;   /* the same, if that is at once */
	uv_timer_t turn;  /* when a call that waits may go */
	uv_timer_t relay; /* when calls that had their share go on */
	uv_timer_t limit; /* when we end a call, see http_names */
	unsigned int open_handles;
	bool closing;
	struct list calls, servers, sockets;
	unsigned int parked; /* handles that curl keeps, see http_names */
	struct http_defaults defaults;
	struct http_counts counts;
};

struct http_socket {
	struct list link;
	uv_poll_t poll;
	struct http *http;
	curl_socket_t fd;
	int events; /* that curl waits for */
};

/* --- a call's way --- */

static uint64_t now_ms(void)
{
	return uv_hrtime() / 1000000;
}

static void http_await_limit(struct http *http);

/* Redirects share the one deadline. */
static void call_run(struct http_call *call)
{
	uint64_t now = now_ms();
	uint64_t left = call->deadline_ms > now ? call->deadline_ms - now : 1;

	curl_easy_setopt(call->easy,
			 call->on_lines ? CURLOPT_CONNECTTIMEOUT_MS
					: CURLOPT_TIMEOUT_MS,
			 http_names_limit((long)left));
	curl_multi_add_handle(call->http->multi, call->easy);
	call->runs = true;
	http_await_limit(call->http);
}

static void call_leave(struct http_call *call)
{
	CURL *easy = call->easy;

	if (!call->runs)
		return;
	if (http_names_park(call))
		call->http->parked++;
	else
		curl_multi_remove_handle(call->http->multi, easy);
	call->runs = false;
}

static void http_await_turn(struct http *http);

static void call_start(struct http_call *call)
{
	struct http *http = call->http;

	if (http_turns_take(&http->servers, call, now_ms()))
		call_run(call);
	else
		http_await_turn(http);
}

static void call_free(struct http_call *call)
{
	list_remove(&call->link);
	list_remove(&call->turn);
	http_read_end(call, call->http->loop);
	curl_easy_cleanup(call->easy);
	curl_slist_free_all(call->headers);
	http_origin_deinit(&call->origin);
	mem_free(call->server);
	mem_free(call->proxy);
	mem_free(call->ca);
	mem_free(call->request_body);
	mem_free(call->problem);
	mem_free(call);
}

/* True when the call goes on at another URL. */
static bool call_follow(struct http_call *call, long status)
{
	const char *target = http_origin_redirect(call, status);
	_cleanup_(mem_freep) char *url = target ? mem_strdup(target) : NULL;

	if (!url)
		return false;
	call->problem = http_origin_problem(call, url);
	if (call->problem)
		return false;
	call->redirects++;
	http_origin_deinit(&call->origin);
	http_origin_parse(&call->origin, url);
	buf_deinit(&call->body);
	http_easy_aim(call, url, &call->http->defaults);
	call_start(call);
	return true;
}

static void call_count(const struct http_call *call)
{
	struct http_counts *counts = &call->http->counts;

	counts->calls++;
	counts->failures += call->problem != NULL;
	counts->waited_ms += now_ms() + call->timeout_ms - call->deadline_ms;
	counts->received += call->body.len;
}

static void call_tell(struct http_call *call)
{
	struct http_reply reply = {
		.error = call->problem,
		.status = call->problem ? 0 : call->status,
		.too_large = call->problem && call->too_large,
		.body = call->problem ? (struct str){0} : buf_str(&call->body),
		.content = call->content,
		.retry_after = http_easy_retry_after(call),
		.date = http_easy_date(call),
		.proxy = http_fault_is_by_proxy(call) ? call->proxy : NULL,
	};

	list_remove(&call->link);
	call_count(call);
	call->done(call->data, &reply);
	call_free(call);
}

static void call_answer(struct http_call *call, long status)
{
	call->status = status;
	if (http_read(call, call->http->loop, call_tell))
		call_tell(call);
}

static void call_finish(struct http_call *call, CURLcode code)
{
	long status = 0;

	call_leave(call);
	curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	code = http_compat_code(code, call->heard.begun && status);
	if (code != CURLE_OK)
		call->problem = http_fault_describe(call, code);
	else if (call_follow(call, status))
		return;
	if (!call->problem)
		call->problem = http_fault_of_proxy(call, status);
	call_answer(call, status);
}

static void call_end(struct http_call *call, CURLcode code)
{
	call->runs = false;
	call_finish(call, code);
}

/* Calls that are over. Their done() may send, cancel and close. */
static void http_finish(struct http *http)
{
	struct CURLMsg *message;
	CURLcode code;
	CURL *easy;
	char *call;
	int left;

	while (!http->closing &&
	       (message = curl_multi_info_read(http->multi, &left))) {
		easy = message->easy_handle;
		code = message->data.result;
		curl_multi_remove_handle(http->multi, easy);
		curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call);
		if (call) {
			call_end((struct http_call *)(void *)call, code);
			continue;
		}
		http->parked--;
		curl_easy_cleanup(easy);
	}
}

static struct http_call *call_of(struct list *i)
{
	return CONTAINER_OF(i, struct http_call, link);
}

/* The first call of which @is holds; NULL: none. */
static struct http_call *find_call(const struct http *http,
				   bool (*is)(const struct http_call *call))
{
	struct list *i;

	for (list_each (&http->calls, i))
		if (is(call_of(i)))
			return call_of(i);
	return NULL;
}

static bool has_lines(const struct http_call *call)
{
	return call->whole > 0;
}

static bool rests(const struct http_call *call)
{
	return call->rests;
}

static bool resumes(const struct http_call *call)
{
	return call->resumes;
}

/* Not from within curl, which allows its callbacks nothing. */
static void http_deliver(struct http *http)
{
	struct http_call *call;

	while (!http->closing && (call = find_call(http, has_lines)))
		http_stream_deliver(call);
}

/* A timer of 0 ms that a timer sets is due before the loop polls again: two
 * such, and nobody else has a turn. */
static void start_timer(uv_timer_t *timer, uv_timer_cb callback, uint64_t ms)
{
	uv_timer_start(timer, callback, ms ? ms : 1, 0);
}

static void on_relay(uv_timer_t *timer);

/* What curl did: lines and answers find their way, which may send, cancel and
 * close. */
static void http_settle(struct http *http)
{
	http_deliver(http);
	http_finish(http);
	if (!http->closing && find_call(http, rests))
		start_timer(&http->relay, on_relay, 1);
}

static void http_act(struct http *http, curl_socket_t fd, int events)
{
	struct list *i;
	int running;

	for (list_each (&http->calls, i))
		call_of(i)->taken = 0;
	curl_multi_socket_action(http->multi, fd, events, &running);
	http_settle(http);
}

/* What curl kept of the answer comes first, and it may have to rest again. */
static void call_resume(struct http_call *call)
{
	CURLcode code;

	call->resumes = false;
	call->taken = 0;
	code = curl_easy_pause(call->easy, CURLPAUSE_CONT);
	if (code != CURLE_OK)
		call_finish(call, code);
}

static void http_relay(struct http *http)
{
	struct http_call *call;
	struct list *i;

	for (list_each (&http->calls, i)) {
		call_of(i)->resumes = call_of(i)->rests;
		call_of(i)->rests = false;
	}
	while (!http->closing && (call = find_call(http, resumes)))
		call_resume(call);
	http_settle(http);
}

static void on_relay(uv_timer_t *timer)
{
	http_relay(timer->data);
}

struct http_call *http_send(struct http *http,
			    const struct http_request *request,
			    http_done_fn done, void *data)
{
	struct http_call *call = mem_alloc(sizeof(*call));

	assert(!http->closing);
	assert(!request->reader || !request->on_lines);
	list_init(&call->turn);
	call->http = http;
	call->easy = curl_easy_init();
	assert(call->easy);
	call->limit = request->limit;
	call->reader = request->reader;
	call->timeout_ms = request->timeout_ms;
	call->deadline_ms = now_ms() + request->timeout_ms;
	call->done = done;
	call->data = data;
	if (http_origin_parse(&call->origin, request->url))
		call->server = mem_printf("%s:%s", call->origin.host,
					  call->origin.port);
	http_easy_prepare(call, request, &http->defaults);
	list_add(&http->calls, &call->link);
	call_start(call);
	return call;
}

void http_cancel(struct http_call *call)
{
	if (!call)
		return;
	call_leave(call);
	call_free(call);
}

uint64_t http_silence(const struct http_call *call)
{
	return now_ms() - call->heard_ms;
}

/* --- turns --- */

static void call_take_turn(struct http_call *call)
{
	if (call->deadline_ms > now_ms()) {
		call_run(call);
		return;
	}
	call->problem = http_fault_held_back(call);
	call_answer(call, 0);
}

/* Calls that have waited. Their done() may send, cancel and close. */
static void http_give_turns(struct http *http)
{
	struct http_call *call;

	while (!http->closing &&
	       (call = http_turns_next(&http->servers, now_ms())))
		call_take_turn(call);
	http_await_turn(http);
}

static void on_turn(uv_timer_t *timer)
{
	http_give_turns(timer->data);
}

static void http_await_turn(struct http *http)
{
	uint64_t wait = http_turns_wait(&http->servers, now_ms());

	if (!http->closing && wait != UINT64_MAX)
		start_timer(&http->turn, on_turn, wait);
}

void http_reserve(struct http *http, const char *url, unsigned int per_minute)
{
	http_turns_reserve(&http->servers, url, (int)per_minute);
	http_await_turn(http);
}

void http_release(struct http *http, const char *url, unsigned int per_minute)
{
	http_turns_reserve(&http->servers, url, -(int)per_minute);
}

/* --- limits --- */

static void on_limit(uv_timer_t *timer)
{
	struct http *http = timer->data;
	struct http_call *call;

	while (!http->closing &&
	       (call = http_names_overdue(&http->calls, now_ms())))
		call_finish(call, CURLE_OPERATION_TIMEDOUT);
	http_await_limit(http);
}

static void http_await_limit(struct http *http)
{
	uint64_t wait = http_names_wait(&http->calls, now_ms());

	if (!http->closing && wait != UINT64_MAX)
		start_timer(&http->limit, on_limit, wait);
}

/* --- curl on the loop --- */

static void http_handle_closed(struct http *http)
{
	if (--http->open_handles)
		return;
	http_defaults_deinit(&http->defaults);
	mem_free(http);
	curl_global_cleanup();
}

static void on_closed(uv_handle_t *handle)
{
	http_handle_closed(handle->data);
}

static void on_socket_closed(uv_handle_t *handle)
{
	struct http_socket *socket = handle->data;
	struct http *http = socket->http;

	mem_free(socket);
	http_handle_closed(http);
}

static void on_timer(uv_timer_t *timer)
{
	http_act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static void on_socket_ready(uv_poll_t *poll, int status, int events);

/* libuv stops polling at an error, but curl may have to read several times to
 * come upon it: there may be an answer before the reset. */
static int socket_failed(struct http_socket *socket)
{
	uv_poll_start(&socket->poll, socket->events, on_socket_ready);
	return CURL_CSELECT_ERR | CURL_CSELECT_IN | CURL_CSELECT_OUT;
}

static void on_socket_ready(uv_poll_t *poll, int status, int events)
{
	struct http_socket *socket = poll->data;
	int action = status < 0 ? socket_failed(socket) : 0;

	action |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
	action |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
	http_act(socket->http, socket->fd, action);
}

static void on_soon(uv_idle_t *soon)
{
	uv_idle_stop(soon);
	http_act(soon->data, CURL_SOCKET_TIMEOUT, 0);
}

/* Each call begins by 0 ms, for which a loop that is idle need not sleep. */
static int on_curl_timer(CURLM *multi, long timeout_ms, void *data)
{
	struct http *http = data;

	(void)multi;
	uv_timer_stop(&http->timer);
	uv_idle_stop(&http->soon);
	if (timeout_ms > 0)
		uv_timer_start(&http->timer, on_timer, (uint64_t)timeout_ms, 0);
	else if (timeout_ms == 0)
		uv_idle_start(&http->soon, on_soon);
	return 0;
}

/* Without a poll handle a call still ends, at its deadline. */
static struct http_socket *socket_new(struct http *http, curl_socket_t fd)
{
	struct http_socket *socket = mem_alloc(sizeof(*socket));
	int r = uv_poll_init_socket(http->loop, &socket->poll, fd);

	if (r < 0) {
		log_error("http-poll-failed", LOG_TEXT("why", uv_strerror(r)));
		mem_free(socket);
		return NULL;
	}
	socket->poll.data = socket;
	socket->http = http;
	socket->fd = fd;
	list_add(&http->sockets, &socket->link);
	http->open_handles++;
	curl_multi_assign(http->multi, fd, socket);
	return socket;
}

static void socket_close(struct http_socket *socket)
{
	list_remove(&socket->link);
	curl_multi_assign(socket->http->multi, socket->fd, NULL);
	uv_close((uv_handle_t *)&socket->poll, on_socket_closed);
}

static void socket_want(struct http_socket *socket, int what)
{
	socket->events = (what & CURL_POLL_IN ? UV_READABLE : 0) |
			 (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
	uv_poll_start(&socket->poll, socket->events, on_socket_ready);
}

static int on_curl_socket(CURL *easy, curl_socket_t fd, int what, void *data,
			  void *assigned)
{
	struct http_socket *socket = assigned;

	(void)easy;
	if (!socket && what != CURL_POLL_REMOVE)
		socket = socket_new(data, fd);
	if (socket && what != CURL_POLL_REMOVE)
		socket_want(socket, what);
	else if (socket)
		socket_close(socket);
	return 0;
}

/* --- beginning and end --- */

static void *mem_calloc(size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return mem_alloc(bytes);
}

struct http *http_new(uv_loop_t *loop)
{
	struct http *http = mem_alloc(sizeof(*http));

	/* Keys and tokens pass through curl's memory: wiped like our own. */
	curl_global_init_mem(CURL_GLOBAL_DEFAULT, mem_alloc, mem_free, mem_grow,
			     mem_strdup, mem_calloc);
	http->loop = loop;
	http->multi = curl_multi_init();
	assert(http->multi);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_curl_socket);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	uv_timer_init(loop, &http->timer);
	uv_idle_init(loop, &http->soon);
	uv_timer_init(loop, &http->turn);
	uv_timer_init(loop, &http->relay);
	uv_timer_init(loop, &http->limit);
	http->timer.data = http->turn.data = http->relay.data = http;
	http->soon.data = http->limit.data = http;
	http->open_handles = 5;
	list_init(&http->calls);
	list_init(&http->servers);
	list_init(&http->sockets);
	http_defaults_init(&http->defaults);
	return http;
}

struct http_counts http_counts(const struct http *http)
{
	return http->counts;
}

/* What is parked would be waited for: it ends with the process. */
static void http_leave_curl(struct http *http)
{
	if (http->parked)
		while (!list_is_empty(&http->sockets))
			socket_close(CONTAINER_OF(http->sockets.next,
						  struct http_socket, link));
	else
		curl_multi_cleanup(http->multi);
}

void http_close(struct http *http)
{
	if (http->closing)
		return;
	http->closing = true;
	while (!list_is_empty(&http->calls))
		http_cancel(call_of(http->calls.next));
	http_turns_deinit(&http->servers);
	http_leave_curl(http);
	uv_close((uv_handle_t *)&http->timer, on_closed);
	uv_close((uv_handle_t *)&http->soon, on_closed);
	uv_close((uv_handle_t *)&http->turn, on_closed);
	uv_close((uv_handle_t *)&http->relay, on_closed);
	uv_close((uv_handle_t *)&http->limit, on_closed);
}
