#include "fetch/etcd/etcd_ask.h"

#include <assert.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

/* Pages of a large range, and what is asked again. */
#define CALLS_PER_MINUTE 600

enum ask_state { ASK_IDLE, ASK_LOGGING_IN, ASK_ASKING, ASK_CLOSING };

struct etcd_ask {
	enum ask_state state;
	struct http *http;
	struct etcd_nodes nodes;
	uv_timer_t begin; /* a question never begins while it is asked */
	struct http_call *call;

	size_t at;      /* the node that is asked */
	size_t tried;   /* of this question */
	char *token;    /* NULL: none */
	char *lent;     /* the last one that was; NULL: none */
	bool no_login;  /* etcd has none */
	bool logged_in; /* for this node and question */
	bool unsure;    /* somebody was asked and did not answer */
	bool too_large; /* the last answer was */

	const char *method;
	struct buf body;
	etcd_answer_fn done;
	void *data;

	enum etcd_health worst;
	char *worst_error; /* of the nodes that were tried */
};

const char *etcd_ask_endpoint(const struct etcd_ask *ask)
{
	return ask->nodes.endpoints[ask->at];
}

/* --- the end of a question --- */

static void be_idle(struct etcd_ask *ask)
{
	ask->state = ASK_IDLE;
	buf_deinit(&ask->body);
	mem_free(TAKE(ask->worst_error));
}

/* Whatever it answers with must outlive the next question, which may be asked
 * by who is told. */
static void finish(struct etcd_ask *ask, struct etcd_answer *answer)
{
	answer->unsure = ask->unsure;
	answer->too_large = ask->too_large;
	be_idle(ask);
	ask->done(ask->data, answer);
}

/* --- one node after the other --- */

static void ask_node(struct etcd_ask *ask);

static void fail(struct etcd_ask *ask)
{
	_cleanup_(mem_freep) char *error = TAKE(ask->worst_error);
	struct etcd_answer answer = {.health = ask->worst, .error = error};

	finish(ask, &answer);
}

/* Of the nodes' faults the one that says most is told; @error is taken over. */
static void try_next(struct etcd_ask *ask, enum etcd_health health, char *error)
{
	log_debug("etcd-ask-left", LOG_TEXT("endpoint", etcd_ask_endpoint(ask)),
		  LOG_TEXT("error", error));
	if (health >= ask->worst) {
		mem_free(ask->worst_error);
		ask->worst_error = error;
		ask->worst = health;
	} else {
		mem_free(error);
	}
	ask->logged_in = false;
	ask->at = (ask->at + 1) % ask->nodes.endpoint_count;
	if (++ask->tried < ask->nodes.endpoint_count)
		ask_node(ask);
	else
		fail(ask);
}

/* --- the question --- */

/* gRPC's codes of what another node may do better: Unknown, DeadlineExceeded,
 * Internal, Unavailable. */
static bool is_nodes_own(const struct etcd_reply *reply)
{
	static const int64_t codes[] = {2, 4, 13, 14};

	for (size_t i = 0; i < ARRAY_SIZE(codes); i++)
		if (reply->kind == ETCD_TROUBLE && reply->code == codes[i])
			return true;
	return reply->kind == ETCD_FOREIGN;
}

/* Refusals for want of a token that is good. */
static bool needs_login(const struct etcd_ask *ask,
			const struct etcd_reply *reply)
{
	if (!ask->nodes.user || ask->logged_in)
		return false;
	return reply->kind == ETCD_TOKEN_OVER ||
	       (reply->kind == ETCD_REFUSED &&
		strstr(reply->message, "user name is empty"));
}

static void log_in(struct etcd_ask *ask);

static char *describe(const struct etcd_ask *ask, const struct http_reply *http)
{
	return etcd_node_describe(&ask->nodes, etcd_ask_endpoint(ask),
				  http->content, http);
}

static void take_answer(struct etcd_ask *ask, const struct http_reply *http)
{
	const struct etcd_reply *reply = http->content;
	_cleanup_(mem_freep) char *error =
		reply->kind == ETCD_DONE ? NULL : describe(ask, http);
	struct etcd_answer answer = {
		.reply = reply,
		.error = error,
		.health = error ? etcd_node_health(reply) : ETCD_WELL,
		.date = http->date,
	};

	finish(ask, &answer);
}

static void on_answer(void *data, const struct http_reply *http)
{
	struct etcd_ask *ask = data;
	const struct etcd_reply *reply = http->content;

	ask->call = NULL;
	ask->too_large = http->too_large;
	if (http->error) {
		ask->unsure = true;
		try_next(ask, ETCD_AWAY, mem_strdup(http->error));
	} else if (needs_login(ask, reply)) {
		log_in(ask);
	} else if (is_nodes_own(reply)) {
		ask->unsure = true;
		try_next(ask, etcd_node_health(reply), describe(ask, http));
	} else {
		take_answer(ask, http);
	}
}

static void post(struct etcd_ask *ask, const char *method, struct buf *body,
		 http_done_fn done)
{
	const struct etcd_post post = {
		.endpoint = etcd_ask_endpoint(ask),
		.method = method,
		.token = ask->token,
		.body = buf_str(body),
		.keep = true,
		.done = done,
		.data = ask,
	};

	ask->call = etcd_node_post(ask->http, &ask->nodes, &post);
}

static void put_question(struct etcd_ask *ask)
{
	ask->state = ASK_ASKING;
	post(ask, ask->method, &ask->body, on_answer);
}

/* --- login --- */

static void take_login(struct etcd_ask *ask, const struct http_reply *http)
{
	const struct etcd_reply *reply = http->content;
	bool granted = reply->kind == ETCD_DONE && reply->token.len;

	ask->logged_in = true;
	ask->no_login = reply->kind == ETCD_NO_AUTH;
	if (granted)
		ask->token = mem_strdup(reply->token.ptr);
	if (granted || ask->no_login)
		put_question(ask);
	else
		try_next(ask, etcd_node_health(reply), describe(ask, http));
}

static void on_login(void *data, const struct http_reply *http)
{
	struct etcd_ask *ask = data;

	ask->call = NULL;
	if (http->error)
		try_next(ask, ETCD_AWAY, mem_strdup(http->error));
	else
		take_login(ask, http);
}

static void log_in(struct etcd_ask *ask)
{
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;
	char *problem = etcd_node_write_login(&ask->nodes, &body);

	ask->state = ASK_LOGGING_IN;
	mem_free(TAKE(ask->token));
	if (problem)
		try_next(ask, ETCD_REJECTED, problem);
	else
		post(ask, "auth/authenticate", &body, on_login);
}

void etcd_ask_lend(struct etcd_ask *ask, const char *token)
{
	if (!token || str_same(token, ask->lent))
		return;
	mem_free(ask->lent);
	mem_free(ask->token);
	ask->lent = mem_strdup(token);
	ask->token = mem_strdup(token);
}

static void ask_node(struct etcd_ask *ask)
{
	if (ask->nodes.user && !ask->token && !ask->no_login)
		log_in(ask);
	else
		put_question(ask);
}

/* --- from outside --- */

static void on_begin(uv_timer_t *timer)
{
	ask_node(timer->data);
}

void etcd_ask_send(struct etcd_ask *ask, const char *method, struct buf *body,
		   etcd_answer_fn done, void *data)
{
	assert(ask->state == ASK_IDLE);
	ask->state = ASK_ASKING;
	ask->method = method;
	ask->body = *body;
	*body = BUF_INIT;
	ask->done = done;
	ask->data = data;
	ask->tried = 0;
	ask->logged_in = ask->unsure = ask->too_large = false;
	ask->worst = ETCD_STARTING;
	(void)uv_timer_start(&ask->begin, on_begin, 0, 0);
}

/* --- beginning and end --- */

static void reserve(const struct etcd_ask *ask,
		    void (*reserve_or_release)(struct http *http,
					       const char *url,
					       unsigned int per_minute))
{
	for (size_t i = 0; i < ask->nodes.endpoint_count; i++)
		reserve_or_release(ask->http, ask->nodes.endpoints[i],
				   CALLS_PER_MINUTE);
}

struct etcd_ask *etcd_ask_new(uv_loop_t *loop, struct http *http,
			      const struct etcd_nodes *nodes)
{
	struct etcd_ask *ask = mem_alloc(sizeof(*ask));

	assert(nodes->endpoint_count);
	ask->http = http;
	ask->nodes = *nodes;
	ask->at = nodes->first % nodes->endpoint_count;
	(void)uv_timer_init(loop, &ask->begin);
	ask->begin.data = ask;
	reserve(ask, http_reserve);
	return ask;
}

static void on_closed(uv_handle_t *handle)
{
	struct etcd_ask *ask = handle->data;

	mem_free(ask->token);
	mem_free(ask->lent);
	mem_free(ask);
}

void etcd_ask_close(struct etcd_ask *ask)
{
	if (!ask)
		return;
	http_cancel(TAKE(ask->call));
	be_idle(ask);
	reserve(ask, http_release);
	ask->state = ASK_CLOSING;
	uv_close((uv_handle_t *)&ask->begin, on_closed);
}
