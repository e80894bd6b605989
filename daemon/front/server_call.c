#include "front/server_call.h"

#include <assert.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "config/mask.h"
#include "engine/engine.h"
#include "fetch/session.h"
#include "front/front.h"
#include "value/json.h"
#include "value/value.h"

/* So much before the deadline of what is asked over HTTP, whose end would not
 * say what is open. */
#define AHEAD_MS 5

static void send_ask(struct server_call *call);

/* --- the end -------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
	mem_free(handle->data);
}

static void server_call_free(struct server_call *call)
{
	list_remove(&call->link);
	session_cancel(TAKE(call->sent));
	buf_deinit(&call->fields);
	uv_close((uv_handle_t *)&call->deadline, on_closed);
}

struct pending *server_call_end(struct server_call *call)
{
	struct pending *pending = call->pending;

	server_call_free(call);
	return pending;
}

struct workspace *server_call_workspace(struct server_call *call)
{
	struct workspace *workspace =
		engine_workspace(call->engine, call->pending->workspace);

	if (!workspace)
		pending_fail_not_ready(server_call_end(call),
				       "the workspace is no longer declared");
	return workspace;
}

static void on_cancel(struct pending *pending)
{
	server_call_free(pending->work);
}

void server_call_succeed(struct server_call *call)
{
	_cleanup_(buf_deinit) struct buf object = call->fields;

	buf_putc(&object, '}');
	call->fields = BUF_INIT;
	pending_succeed(server_call_end(call), buf_str(&object));
}

/* Without an answer nobody knows whether what was to change has changed. It is
 * never asked for twice: that is for a person to decide. */
static const char *what_is_open(const struct server_ask *ask)
{
	return ask->body ? "; it may have been done all the same: look at the "
			   "list of credentials"
			 : "";
}

static void give_up(struct server_call *call)
{
	const struct server_ask *ask = call->ask;
	_cleanup_(mem_freep) char *message = mem_printf(
		"no answer in time: see [poll] timeout%s", what_is_open(ask));
	const struct pending_fault fault = {
		.endpoint = ask->endpoint ? ask->endpoint : "users.get_vaults",
		.message = message,
	};

	pending_fail_server(server_call_end(call), &fault);
}

static void on_deadline(uv_timer_t *timer)
{
	struct server_call *call = timer->data;

	if (call->method->late)
		call->method->late(call);
	else
		give_up(call);
}

/* --- asking --------------------------------------------------------------- */

void server_call_add(struct server_call *call, const char *key,
		     const struct value *value)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct value *holder = value_new(&arena, VALUE_OBJECT);

	*value_object_slot(holder, &arena, str_from(key)) =
		value_copy(&arena, value);
	if (call->pending->masked)
		holder = mask_tree(call->engine->host.secrets, &arena, holder);
	json_key(&call->fields, key);
	json_write(&call->fields, holder->object.members[0].value);
}

static void go_on(struct server_call *call)
{
	if (call->ask->endpoint)
		send_ask(call);
	else
		server_call_succeed(call);
}

static void fail(struct server_call *call, const struct api_reply *reply,
		 const char *message)
{
	const struct pending_fault fault = {
		.endpoint = call->ask->endpoint,
		.message = message,
		.status = reply->status,
		.code = reply->code,
		.subcode = reply->subcode,
	};

	pending_fail_server(server_call_end(call), &fault);
}

static void fail_with_answer(struct server_call *call,
			     const struct api_reply *reply)
{
	_cleanup_(mem_freep) char *message =
		mask_text(call->engine->host.secrets, reply->message);

	/* Others rely on the same key, so the workspace's login is proved now.
	 */
	if (api_is_key_unknown(reply))
		workspace_prove_now(call->workspace);
	fail(call, reply, message);
}

static void take(struct server_call *call, const struct api_reply *reply)
{
	const struct server_ask *ask = call->ask;
	bool missing = ask->optional && reply->outcome == API_ERROR;

	call->sent = NULL;
	if (reply->outcome != API_OK && !missing) {
		fail_with_answer(call, reply);
		return;
	}
	if (!ask->take(call, reply->data)) {
		fail(call, reply,
		     "the server's answer does not hold what was asked for: is "
		     "it older, or newer, than clearconf knows?");
		return;
	}
	call->ask++;
	go_on(call);
}

static void on_answer(void *data, const struct api_reply *reply)
{
	take(data, reply);
}

static struct session *session_of(const struct server_call *call)
{
	return call->workspace->upstream->session;
}

static void post(struct server_call *call)
{
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;

	buf_putc(&body, '{');
	call->ask->body(call, &body);
	buf_putc(&body, '}');
	call->sent = session_send(session_of(call), call->ask->endpoint,
				  buf_str(&body).ptr, on_answer, call);
}

static void send_ask(struct server_call *call)
{
	const struct server_ask *ask = call->ask;

	if (ask->mint)
		call->sent = session_mint(session_of(call), ask->mint(call),
					  on_answer, call);
	else if (ask->body)
		post(call);
	else
		call->sent = session_send(session_of(call), ask->endpoint, NULL,
					  on_answer, call);
}

/* NULL, or why its server cannot be asked: the caller's. */
char *server_call_why_not(const struct workspace *workspace)
{
	const char *problem = workspace_problem(workspace);

	if (workspace->upstream)
		return NULL;
	if (problem)
		return mem_strdup(problem);
	return mem_printf("no server is asked for the workspace '%s': %s",
			  workspace->name, workspace->unasked);
}

/* --- the beginning -------------------------------------------------------- */

static const struct server_method *find_in(const struct server_method *table,
					   const char *name)
{
	while (table->name && strcmp(table->name, name) != 0)
		table++;
	return table->name ? table : NULL;
}

const struct server_method *server_method_find(const char *name)
{
	static const struct server_method *const tables[] = {
		server_asks, server_waits, server_holds};
	const struct server_method *method = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(tables) && !method; i++)
		method = find_in(tables[i], name);
	return method;
}

static bool asks(const struct server_method *method)
{
	return method->asks[0].endpoint != NULL;
}

static struct server_call *server_call_new(struct front *front,
					   struct pending *pending)
{
	struct engine *engine = front->engine;
	struct server_call *call = mem_alloc(sizeof(*call));

	call->front = front;
	call->engine = engine;
	call->workspace = engine_workspace(engine, pending->workspace);
	call->pending = pending;
	call->asked = &pending->call;
	call->method = server_method_find(pending->method);
	assert(call->method);
	call->ask = call->method->asks;
	call->generation = engine->active->snapshot->generation;
	buf_putc(&call->fields, '{');
	(void)uv_timer_init(&engine->loop, &call->deadline);
	call->deadline.data = call;
	list_add(&front->server_calls, &call->link);
	pending->work = call;
	pending->cancel = on_cancel;
	return call;
}

/* False: the call has ended. */
static bool may_begin(struct server_call *call)
{
	const struct server_method *method = call->method;
	_cleanup_(mem_freep) char *reason =
		asks(method) ? server_call_why_not(call->workspace) : NULL;

	if (reason)
		pending_fail_not_ready(server_call_end(call), reason);
	return !reason && (!method->begin || method->begin(call));
}

void server_call_begin(struct front *front, struct pending *pending)
{
	struct server_call *call = server_call_new(front, pending);
	const struct server_method *method = call->method;
	unsigned int timeouts = method->timeouts ? method->timeouts : 1;
	uint64_t timeout = (uint64_t)front->engine->settings->timeout;

	(void)uv_timer_start(&call->deadline, on_deadline,
			     timeouts * timeout - AHEAD_MS, 0);
	if (!may_begin(call))
		return;
	call->begun = true;
	if (asks(method))
		send_ask(call);
	else
		method->look(call);
}

void server_calls_look(struct front *front)
{
	struct list *i, *next;
	struct server_call *call;

	for (i = front->server_calls.next; i != &front->server_calls;
	     i = next) {
		next = i->next;
		call = CONTAINER_OF(i, struct server_call, link);
		if (call->begun && call->method->look)
			call->method->look(call);
	}
}

void server_calls_log_out(struct front *front,
			  const struct workspace *workspace)
{
	struct list *i, *next;
	struct server_call *call;

	for (i = front->server_calls.next; i != &front->server_calls;
	     i = next) {
		next = i->next;
		call = CONTAINER_OF(i, struct server_call, link);
		if (!workspace ||
		    (call->workspace == workspace && asks(call->method)))
			pending_fail_not_ready(server_call_end(call),
					       "the login has been replaced "
					       "meanwhile: ask again");
	}
}
