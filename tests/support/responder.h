#ifndef SUPPORT_RESPONDER_H
#define SUPPORT_RESPONDER_H

/*
 * A server on the test's own loop that says what it was told to say, byte for
 * byte, and remembers what it was asked. Include it after cmocka.h.
 *
 * One request a connection: the next of the planned answers goes out, then the
 * connection ends as planned. A request that nothing was planned for, and
 * nothing is when it comes, fails the test; what hangs fails after half a
 * minute.
 */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/mem.h"
#include "fetch/http.h"

#define RESPONDER_ANSWERS 192
#define RESPONDER_TICK_MS 10
#define RESPONDER_TICKS   3000

enum responder_end {
	RESPONDER_CLOSES,
	RESPONDER_HOLDS,  /* until the client goes */
	RESPONDER_RESETS, /* the connection breaks */
	RESPONDER_DRIPS,  /* a byte a tick, then as RESPONDER_HOLDS */
};

struct responder {
	uv_tcp_t listener;
	char url[64]; /* "http://127.0.0.1:PORT" */
	int port;
	bool blind; /* answers the first bytes, be they a request or not */
	struct {
		struct buf bytes;
		enum responder_end end;
		struct buf request; /* what it answered */
	} answers[RESPONDER_ANSWERS];
	size_t planned, asked;
	/* Plans the answer to a @request for which there is none; NULL: it
	 * fails. */
	void (*plan)(struct responder *responder, const char *request);
	struct list peers;
};

struct responder_peer {
	struct list link;
	uv_tcp_t tcp;
	uv_timer_t drip;
	uv_write_t write;
	const char *left; /* to drip */
	size_t left_bytes;
	struct responder *responder;
	struct buf in;
	enum responder_end end;
	bool answered;
};

static inline void responder_drip_closed(uv_handle_t *handle)
{
	mem_free(handle->data);
}

static inline void responder_peer_closed(uv_handle_t *handle)
{
	struct responder_peer *peer = handle->data;

	list_remove(&peer->link);
	buf_deinit(&peer->in);
	uv_close((uv_handle_t *)&peer->drip, responder_drip_closed);
}

static inline void responder_peer_close(struct responder_peer *peer)
{
	uv_timer_stop(&peer->drip);
	if (!uv_is_closing((uv_handle_t *)&peer->tcp))
		uv_close((uv_handle_t *)&peer->tcp, responder_peer_closed);
}

static inline void responder_written(uv_write_t *write, int status)
{
	struct responder_peer *peer = write->data;

	if (uv_is_closing((uv_handle_t *)&peer->tcp))
		return;
	if (status == 0 && peer->end == RESPONDER_RESETS)
		uv_tcp_close_reset(&peer->tcp, responder_peer_closed);
	else if (status < 0 || peer->end == RESPONDER_CLOSES)
		responder_peer_close(peer);
}

/* The headers and as much body as they announce. */
static inline bool responder_has_request(struct buf *in)
{
	const char *text = buf_str(in).ptr;
	const char *end = strstr(text, "\r\n\r\n");
	const char *length = strcasestr(text, "\r\nContent-Length:");
	size_t body = length ? strtoul(length + 17, NULL, 10) : 0;

	return end && (size_t)(end + 4 - text) + body <= in->len;
}

static inline void responder_drip(uv_timer_t *timer)
{
	struct responder_peer *peer = timer->data;
	uv_buf_t byte = uv_buf_init((char *)peer->left, 1);

	if (!peer->left_bytes ||
	    uv_try_write((uv_stream_t *)&peer->tcp, &byte, 1) != 1)
		return;
	peer->left++;
	peer->left_bytes--;
}

static inline void responder_answer(struct responder_peer *peer)
{
	struct responder *responder = peer->responder;
	size_t turn = responder->asked++;
	uv_buf_t out;

	if (turn >= responder->planned && responder->plan)
		responder->plan(responder, buf_str(&peer->in).ptr);
	assert_true(turn < responder->planned);
	buf_add_str(&responder->answers[turn].request, buf_str(&peer->in));
	out = uv_buf_init(responder->answers[turn].bytes.data,
			  (unsigned int)responder->answers[turn].bytes.len);
	peer->end = responder->answers[turn].end;
	peer->answered = true;
	if (peer->end == RESPONDER_DRIPS) {
		peer->left = out.base;
		peer->left_bytes = out.len;
		uv_timer_start(&peer->drip, responder_drip, 0,
			       RESPONDER_TICK_MS);
		return;
	}
	peer->write.data = peer;
	uv_write(&peer->write, (uv_stream_t *)&peer->tcp, &out, 1,
		 responder_written);
}

static inline void responder_alloc(uv_handle_t *handle, size_t hint,
				   uv_buf_t *out)
{
	struct responder_peer *peer = handle->data;

	out->base = buf_reserve(&peer->in, hint);
	out->len = hint;
}

static inline void responder_read(uv_stream_t *stream, ssize_t n,
				  const uv_buf_t *bytes)
{
	struct responder_peer *peer = stream->data;

	(void)bytes;
	if (n < 0) {
		responder_peer_close(peer);
		return;
	}
	peer->in.len += (size_t)n;
	if (!peer->answered &&
	    (peer->responder->blind || responder_has_request(&peer->in)))
		responder_answer(peer);
}

static inline void responder_accept(uv_stream_t *listener, int status)
{
	struct responder *responder = listener->data;
	struct responder_peer *peer = mem_alloc(sizeof(*peer));

	assert_int_equal(status, 0);
	uv_tcp_init(listener->loop, &peer->tcp);
	uv_timer_init(listener->loop, &peer->drip);
	peer->tcp.data = peer->drip.data = peer;
	peer->responder = responder;
	list_add(&responder->peers, &peer->link);
	assert_int_equal(uv_accept(listener, (uv_stream_t *)&peer->tcp), 0);
	uv_read_start((uv_stream_t *)&peer->tcp, responder_alloc,
		      responder_read);
}

/* A socket at a port of the kernel's choice, to be started later. */
static inline int responder_bind(struct responder *responder)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	*responder = (struct responder){0};
	list_init(&responder->peers);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size),
			 0);
	responder->port = ntohs(address.sin_port);
	(void)snprintf(responder->url, sizeof(responder->url),
		       "http://127.0.0.1:%d", responder->port);
	return fd;
}

static inline void responder_listen(struct responder *responder,
				    uv_loop_t *loop, int fd)
{
	uv_tcp_init(loop, &responder->listener);
	responder->listener.data = responder;
	assert_int_equal(uv_tcp_open(&responder->listener, fd), 0);
	assert_int_equal(uv_listen((uv_stream_t *)&responder->listener, 64,
				   responder_accept),
			 0);
}

static inline void responder_start(struct responder *responder, uv_loop_t *loop)
{
	int fd = responder_bind(responder);

	responder_listen(responder, loop, fd);
}

/* Run the loop once more after this. */
static inline void responder_stop(struct responder *responder)
{
	struct list *next;

	for (struct list *i = responder->peers.next; i != &responder->peers;
	     i = next) {
		next = i->next;
		responder_peer_close(
			CONTAINER_OF(i, struct responder_peer, link));
	}
	uv_close((uv_handle_t *)&responder->listener, NULL);
	for (size_t i = 0; i < RESPONDER_ANSWERS; i++) {
		buf_deinit(&responder->answers[i].bytes);
		buf_deinit(&responder->answers[i].request);
	}
}

/* --- plans --- */

static inline void responder_plan(struct responder *responder, struct str bytes,
				  enum responder_end end)
{
	size_t turn = responder->planned++;

	assert_true(turn < RESPONDER_ANSWERS);
	buf_add_str(&responder->answers[turn].bytes, bytes);
	responder->answers[turn].end = end;
}

static inline void responder_plan_text(struct responder *responder,
				       const char *text)
{
	responder_plan(responder, str_from(text), RESPONDER_CLOSES);
}

/* @head: "200 OK\r\nRetry-After: 2"; the length is added. */
static inline void responder_plan_body(struct responder *responder,
				       const char *head, struct str body)
{
	_cleanup_(buf_deinit) struct buf bytes = BUF_INIT;

	buf_printf(&bytes, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n", head,
		   body.len);
	buf_puts(&bytes, "Connection: close\r\n\r\n");
	buf_add_str(&bytes, body);
	responder_plan(responder, buf_str(&bytes), RESPONDER_CLOSES);
}

/* A ClearML envelope around @data. */
static inline void responder_plan_data(struct responder *responder,
				       const char *data)
{
	_cleanup_(mem_freep) char *body = mem_printf(
		"{\"meta\":{\"result_code\":200,\"result_subcode\":0,"
		"\"result_msg\":\"OK\"},\"data\":%s}",
		data);

	responder_plan_body(responder, "200 OK", str_from(body));
}

static inline void responder_plan_error(struct responder *responder, int code,
					int subcode, const char *message)
{
	_cleanup_(mem_freep) char *head = mem_printf("%d ERROR", code);
	_cleanup_(mem_freep) char *body =
		mem_printf("{\"meta\":{\"result_code\":%d,"
			   "\"result_subcode\":%d,\"result_msg\":\"%s\"},"
			   "\"data\":{}}",
			   code, subcode, message);

	responder_plan_body(responder, head, str_from(body));
}

/* --- what was asked --- */

static inline const char *responder_request(struct responder *responder,
					    size_t turn)
{
	assert_true(turn < responder->asked);
	return buf_str(&responder->answers[turn].request).ptr;
}

static inline bool responder_was_asked(struct responder *responder, size_t turn,
				       const char *text)
{
	return strstr(responder_request(responder, turn), text) != NULL;
}

/* --- the loop --- */

/* A tick may have nothing to do: it only lets the loop come round. */
static inline void responder_tick(uv_timer_t *timer)
{
	unsigned int *ticks = timer->data;

	++*ticks;
}

/* Until @done, which must come. */
static inline void responder_run(uv_loop_t *loop, const bool *done)
{
	unsigned int ticks = 0;
	uv_timer_t timer;

	uv_timer_init(loop, &timer);
	timer.data = &ticks;
	uv_timer_start(&timer, responder_tick, RESPONDER_TICK_MS,
		       RESPONDER_TICK_MS);
	while (!*done && ticks < RESPONDER_TICKS)
		uv_run(loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&timer, NULL);
	uv_run(loop, UV_RUN_NOWAIT);
	assert_true(*done);
}

/* Everything must have been closed: what is still open is a leak. */
static inline void responder_end_loop(uv_loop_t *loop)
{
	for (int i = 0; i < RESPONDER_TICKS && uv_run(loop, UV_RUN_NOWAIT); i++)
		uv_sleep(1);
	assert_int_equal(uv_loop_close(loop), 0);
}

#endif
