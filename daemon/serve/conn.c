#include "serve/conn.h"

#include <assert.h>
#include <errno.h>

#include "base/log.h"
#include "base/mem.h"
#include "serve/conns.h"
#include "serve/methods.h"
#include "serve/out.h"
#include "serve/pending.h"
#include "serve/reply.h"
#include "serve/request.h"
#include "serve/watcher.h"

/* A write that the socket did not take at once. */
struct conn_write {
	uv_write_t request;
	struct out_rest *rest;
	struct charge charge; /* for the bytes that only this write holds */
};

/* What it costs, about, to go on with a connection that rested. */
#define RESUME_NS UINT64_C(20000)

/* Only an answer that is so long is checked against its user's quota. */
#define LONG_ANSWER ((size_t)16 * 1024)

static void conn_receive(struct conn *conn, struct str input);
static void conn_written(struct conn *conn, int status);
static bool has_had_enough(const struct conn *conn);
static void rest(struct conn *conn);
static void conn_hung_up(struct conn *conn);

/* A connection that rests, or has to, gets no buffer, so that libuv reads
 * nothing and reports UV_ENOBUFS. */
static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct conn *conn = handle->data;
	bool rests = conn->state == CONN_RESTING ||
		     (conn->state == CONN_READING && has_had_enough(conn));

	(void)size;
	*buf = (uv_buf_t){conn->conns->input, rests ? 0 : CONNS_INPUT};
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	if (len == UV_ENOBUFS)
		rest(stream->data);
	else if (len < 0)
		conn_hung_up(stream->data);
	else
		conn_receive(stream->data,
			     (struct str){buf->base, (size_t)len});
}

static void on_written(uv_write_t *request, int status)
{
	conn_written(request->data, status);
}

static void conn_free(struct conn *conn)
{
	struct conns *conns = conn->conns;

	list_remove(&conn->link);
	frame_deinit(&conn->frame);
	charge_release(&conn->input);
	charge_release(&conn->charge);
	peer_deinit(&conn->peer);
	mem_free(conn);
	conns->count--;
	conns_handle_closed(conns);
}

static void on_closed(uv_handle_t *handle)
{
	conn_free(handle->data);
}

struct conn *conn_new(struct conns *conns)
{
	struct conn *conn = mem_alloc(sizeof(*conn));

	conn->conns = conns;
	uv_pipe_init(conns->sweep.loop, &conn->pipe, 0);
	conn->pipe.data = conn;
	list_init(&conn->waits);
	consumer_init(&conn->consumer, &conns->consumers, &conn->peer);
	list_add(&conns->all, &conn->link);
	conns->count++;
	conns->open_handles++;
	return conn;
}

static uv_stream_t *stream_of(struct conn *conn)
{
	return (uv_stream_t *)&conn->pipe;
}

/* A connection that waits goes on reading, because only a read tells that the
 * client has gone; one that rests, because most go on in the next turn. */
static bool reads_in(enum conn_state state)
{
	return state == CONN_READING || state == CONN_RESTING ||
	       state == CONN_WATCHING || state == CONN_WAITING;
}

static void set_state(struct conn *conn, enum conn_state state)
{
	conn->state = state;
	if (reads_in(state))
		(void)uv_read_start(stream_of(conn), on_alloc, on_read);
	else
		(void)uv_read_stop(stream_of(conn));
}

static void forget_consumer(struct conn *conn)
{
	bool reported = conn->consumer.report;

	consumer_deinit(&conn->consumer);
	if (!reported)
		return;
	watchers_mark(&conn->conns->watchers, WATCHER_STATUS);
	conns_tell(conn->conns);
}

void conn_close(struct conn *conn)
{
	if (conn->state == CONN_CLOSING)
		return;
	set_state(conn, CONN_CLOSING);
	watcher_free(TAKE(conn->watcher));
	pending_free(TAKE(conn->pending));
	forget_consumer(conn);
	list_remove(&conn->waits);
	uv_close((uv_handle_t *)&conn->pipe, on_closed);
}

static void free_write(struct conn *conn)
{
	out_rest_free(conn->write->rest);
	charge_release(&conn->write->charge);
	mem_free(TAKE(conn->write));
}

/* Leave to libuv what is in the outbox behind its first @sent bytes. */
static int write_rest(struct conn *conn, size_t sent)
{
	struct conns *conns = conn->conns;
	struct out_rest *rest = out_take_rest(&conns->out, sent);
	uv_buf_t bufs[OUT_PIECES];

	conn->write = mem_alloc(sizeof(*conn->write));
	conn->write->rest = rest;
	conn->write->request.data = conn;
	if (!charge_set_bytes(&conn->write->charge, &conns->quota,
			      conn->peer.user.uid, rest->own)) {
		free_write(conn);
		return -EDQUOT;
	}
	for (size_t i = 0; i < rest->count; i++)
		bufs[i] = uv_buf_init((char *)rest->pieces[i].ptr,
				      (unsigned int)rest->pieces[i].len);
	return uv_write(&conn->write->request, stream_of(conn), bufs,
			(unsigned int)rest->count, on_written);
}

/* The bytes that the socket takes now, or a negative errno. */
static int try_write(struct conn *conn)
{
	struct out *out = &conn->conns->out;
	uv_buf_t bufs[OUT_PIECES];
	int r;

	for (size_t i = 0; i < out->count; i++) {
		struct str bytes = out_bytes(out, i);

		bufs[i] = (uv_buf_t){(char *)bytes.ptr, bytes.len};
	}
	r = uv_try_write(stream_of(conn), bufs, (unsigned int)out->count);
	return r == UV_EAGAIN ? 0 : r;
}

static int write_out(struct conn *conn)
{
	struct out *out = &conn->conns->out;
	int sent;

	if (!out_close(out))
		return 0;
	assert(!conn->write);
	conn->conns->sent += out->size;
	sent = try_write(conn);
	if (sent >= 0 && (size_t)sent < out->size)
		return write_rest(conn, (size_t)sent);
	out_clear(out);
	return sent < 0 ? sent : 0;
}

static void when_written(struct conn *conn)
{
	if (conn->state == CONN_ENDING)
		conn_close(conn);
	else if (conn->state == CONN_WATCHING)
		watcher_settle(conn->watcher);
}

/* Send what is in the outbox, and change the state accordingly. */
static void flush(struct conn *conn)
{
	if (write_out(conn) < 0)
		conn_close(conn);
	else if (!conn->write)
		when_written(conn);
	else if (conn->state == CONN_READING)
		set_state(conn, CONN_WRITING);
}

/* The reply in the outbox is the last one. */
static void end(struct conn *conn)
{
	list_remove(&conn->waits);
	watcher_free(TAKE(conn->watcher));
	pending_free(TAKE(conn->pending));
	set_state(conn, CONN_ENDING);
	flush(conn);
}

static void refuse_input(struct conn *conn)
{
	log_debug("message-too-long", LOG_INT("uid", conn->peer.user.uid));
	/* An error may not come into the middle of another reply. */
	if (conn->write) {
		conn_close(conn);
		return;
	}
	reply_error(&conn->conns->out, REPLY_INVALID_PARAMETER, STR("message"));
	end(conn);
}

static void reply_bytes_exceeded(struct conn *conn)
{
	struct conns *conns = conn->conns;

	log_debug("bytes-exceeded", LOG_INT("uid", conn->peer.user.uid));
	reply_quota_exceeded(&conns->out, quota_name(QUOTA_BYTES),
			     conns->limits.bytes_per_user);
}

/* Charge the user for what is kept of the input; false: his quota refused it
 * and the connection has ended. */
static bool pay_for_input(struct conn *conn)
{
	size_t held = frame_held(&conn->frame);

	if (held == conn->input.amount ||
	    charge_set_bytes(&conn->input, &conn->conns->quota,
			     conn->peer.user.uid, held))
		return true;
	if (conn->write) {
		conn_close(conn);
		return false;
	}
	reply_bytes_exceeded(conn);
	end(conn);
	return false;
}

/* What was written after @before is held for this user alone until he reads it;
 * it is replaced by an error when his quota has no room for that. */
static bool can_hold_answer(struct conn *conn, struct out_mark before)
{
	struct conns *conns = conn->conns;
	size_t own = out_own(&conns->out);

	if (own < LONG_ANSWER ||
	    own <= quota_bytes_left(&conns->quota, conn->peer.user.uid))
		return true;
	out_rewind(&conns->out, before);
	reply_bytes_exceeded(conn);
	return false;
}

static void on_reply(struct pending *pending)
{
	struct conn *conn = pending->owner;

	list_add(&conn->conns->replied, &pending->link);
	conns_tell(conn->conns);
}

/* Keep what goes on after the call: a watcher, a pending reply. */
static void keep(struct conn *conn, struct request *request)
{
	if (request->watcher) {
		conn->watcher = TAKE(request->watcher);
		watcher_set_owner(conn->watcher, conn);
		set_state(conn, CONN_WATCHING);
	} else if (request->pending) {
		conn->pending = TAKE(request->pending);
		pending_set_owner(conn->pending, conn, on_reply);
		set_state(conn, CONN_WAITING);
	}
	if (conn->consumer.report)
		conns_tell(conn->conns);
}

static void answer(struct conn *conn, struct str message)
{
	struct conns *conns = conn->conns;
	struct request *request = &conns->request;

	conns->calls++;
	request->peer = &conn->peer;
	request->consumer = &conn->consumer;
	request->now = uv_now(conn->pipe.loop);
	methods_answer(request, message);
	if (!can_hold_answer(conn, request->before)) {
		watcher_free(TAKE(request->watcher));
		pending_free(TAKE(request->pending));
	}
	keep(conn, request);
	if (out_is_full(&conns->out))
		flush(conn);
}

/* Has the user used up his share of this turn? */
static bool has_had_enough(const struct conn *conn)
{
	return budget_is_exhausted(&conn->conns->budget, &conn->charge);
}

static void spend(struct conn *conn)
{
	budget_spend(&conn->conns->budget, &conn->charge);
}

/* Who rests for more than a turn is told of again, and no more then. */
static void rest(struct conn *conn)
{
	if (conn->state == CONN_RESTING) {
		(void)uv_read_stop(stream_of(conn));
		return;
	}
	set_state(conn, CONN_RESTING);
	list_remove(&conn->waits);
	list_add(&conn->conns->resting, &conn->waits);
	conns_tell(conn->conns);
}

/* Start the time limit for a request that is only half there. */
static void watch_half_sent(struct conn *conn, bool restart)
{
	struct conns *conns = conn->conns;
	bool half = conn->state == CONN_READING && frame_held(&conn->frame);

	if (restart || !half)
		list_remove(&conn->waits);
	if (!half || !list_is_empty(&conn->waits))
		return;
	conn->half_sent_since = uv_now(conn->pipe.loop);
	list_add(&conns->half_sent, &conn->waits);
	conns_expect_sweep(conns);
}

/* Answer the calls that are whole, until the socket is full or the user has
 * used up his share. */
static void take_calls(struct conn *conn, struct str input)
{
	size_t limit = (size_t)conn->conns->limits.message, answered = 0;
	struct str message;
	int r = 0;

	while (conn->state == CONN_READING && !has_had_enough(conn)) {
		r = frame_next(&conn->frame, &input, limit, &message);
		if (r)
			break;
		answer(conn, message);
		answered++;
		if (!input.len && !frame_held(&conn->frame))
			break;
		spend(conn);
	}
	if (conn->state == CONN_CLOSING)
		return;
	if (r == FRAME_E_TOO_LONG) {
		refuse_input(conn);
		return;
	}
	frame_keep(&conn->frame, input);
	if (!pay_for_input(conn))
		return;
	flush(conn);
	if (conn->state == CONN_READING && !r && frame_held(&conn->frame))
		rest(conn);
	else
		watch_half_sent(conn, answered > 0);
}

static void answer_calls(struct conn *conn, struct str input)
{
	budget_begin(&conn->conns->budget);
	take_calls(conn, input);
	spend(conn);
}

void conn_go_on(struct conn *conn)
{
	if (has_had_enough(conn))
		return;
	list_remove(&conn->waits);
	set_state(conn, CONN_READING);
	budget_add(&conn->conns->budget, &conn->charge, RESUME_NS);
	answer_calls(conn, STR(""));
}

static void conn_receive(struct conn *conn, struct str input)
{
	conn->conns->received += input.len;
	if (conn->state == CONN_READING) {
		answer_calls(conn, input);
		return;
	}
	budget_pause(&conn->conns->budget);
	frame_keep(&conn->frame, input);
	if (frame_held(&conn->frame) > (size_t)conn->conns->limits.message)
		refuse_input(conn);
	else
		(void)pay_for_input(conn);
}

static void conn_hung_up(struct conn *conn)
{
	budget_pause(&conn->conns->budget);
	conn_close(conn);
}

static void conn_written(struct conn *conn, int status)
{
	budget_pause(&conn->conns->budget);
	free_write(conn);
	if (status < 0 || conn->state == CONN_ENDING) {
		conn_close(conn);
	} else if (conn->state == CONN_WATCHING) {
		watcher_wake(conn->watcher);
		conns_tell(conn->conns);
	} else if (conn->state == CONN_WAITING) {
		conn_write_pending(conn);
	} else {
		set_state(conn, CONN_READING);
		answer_calls(conn, STR(""));
	}
}

/* The answer that was waited for is written: go on with the calls behind it. */
static void go_on(struct conn *conn)
{
	flush(conn);
	if (conn->state == CONN_READING)
		answer_calls(conn, STR(""));
}

void conn_tell(struct conn *conn)
{
	struct out_mark before = out_mark(&conn->conns->out);
	enum watcher_outcome outcome =
		watcher_answer(conn->watcher, &conn->peer, &conn->conns->out);

	if (!can_hold_answer(conn, before) || outcome == WATCHER_HAS_ENDED) {
		watcher_free(TAKE(conn->watcher));
		set_state(conn, CONN_READING);
	}
	go_on(conn);
}

/* Earlier answers are written first. */
void conn_write_pending(struct conn *conn)
{
	struct out_mark before = out_mark(&conn->conns->out);

	if (conn->write || !pending_has_reply(conn->pending))
		return;
	pending_write(conn->pending, &conn->peer, &conn->conns->out);
	pending_free(TAKE(conn->pending));
	(void)can_hold_answer(conn, before);
	set_state(conn, CONN_READING);
	go_on(conn);
}

void conn_finish(struct conn *conn)
{
	if (conn->state == CONN_WAITING && !conn->write)
		reply_error(&conn->conns->out, REPLY_NOT_READY,
			    STR("clearconfd is stopping"));
	if (conn->state != CONN_CLOSING)
		end(conn);
}

/* 0; or a negative errno, with the reason in the outbox when there is one to
 * tell. Which workspace is its own is found out while it is surely there. */
static int admit(struct conn *conn, int fd)
{
	struct conns *conns = conn->conns;
	int r = peer_init(&conn->peer, fd, conns->here);

	if (r)
		return r;
	if (conn->peer.user.uid && conn->peer.user.uid == conns->overflow_uid) {
		reply_error(&conns->out, REPLY_ACCESS_DENIED, STR("read"));
		return -EACCES;
	}
	if (!charge_take(&conn->charge, &conns->quota, conn->peer.user.uid,
			 QUOTA_CONNECTIONS, 1)) {
		reply_quota_exceeded(&conns->out, quota_name(QUOTA_CONNECTIONS),
				     conns->limits.connections_per_user);
		return -EDQUOT;
	}
	r = peer_add_groups(&conn->peer);
	if (!r)
		conns->service->own_view(conns->service->data, &conn->peer,
					 &(struct view){0});
	return r;
}

void conn_start(struct conn *conn, int fd)
{
	int r = admit(conn, fd);

	if (!r) {
		(void)uv_read_start(stream_of(conn), on_alloc, on_read);
		return;
	}
	log_debug("connection-refused", LOG_INT("uid", conn->peer.user.uid),
		  LOG_TEXT("reason", strerror(-r)));
	end(conn);
}
