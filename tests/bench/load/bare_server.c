/*
 * The limit of what a server on libuv can do: uv_try_write of one shared reply,
 * uv_write for what a full socket left over. It answers every message that ends
 * with NUL with the same bytes. One that begins with S subscribes its
 * connection, one that begins with T sends a reply to every subscriber.
 *
 *	bare_server SOCKET REPLY_BYTES
 */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/mem.h"
#include "load.h"

#define BATCH 64

struct conn {
	uv_pipe_t pipe;
	size_t place; /* among the subscribers, from 1; 0: it is none */
};

static uv_buf_t reply;
static char input[65536];
static struct conn **subscribers;
static size_t subscriber_count, subscriber_cap;

static void on_written(uv_write_t *request, int status)
{
	(void)status;
	free(request);
}

/* Leave to libuv what is left of @bufs behind the first @sent bytes. */
static void write_rest(struct conn *conn, uv_buf_t *bufs, unsigned int count,
		       size_t sent)
{
	uv_write_t *request;

	while (count && sent >= bufs->len) {
		sent -= bufs->len;
		bufs++;
		count--;
	}
	if (!count)
		return;
	bufs->base += sent;
	bufs->len -= sent;
	request = mem_alloc(sizeof(*request));
	(void)uv_write(request, (uv_stream_t *)&conn->pipe, bufs, count,
		       on_written);
}

static void send_some(struct conn *conn, unsigned int count)
{
	uv_buf_t bufs[BATCH];
	int sent;

	for (unsigned int i = 0; i < count; i++)
		bufs[i] = reply;
	sent = uv_try_write((uv_stream_t *)&conn->pipe, bufs, count);
	write_rest(conn, bufs, count, sent > 0 ? (size_t)sent : 0);
}

static void send_replies(struct conn *conn, size_t count)
{
	for (; count > BATCH; count -= BATCH)
		send_some(conn, BATCH);
	if (count)
		send_some(conn, (unsigned int)count);
}

static void subscribe(struct conn *conn)
{
	if (conn->place)
		return;
	if (subscriber_count == subscriber_cap) {
		subscriber_cap = subscriber_cap ? subscriber_cap * 2 : 1024;
		subscribers = mem_grow(subscribers,
				       subscriber_cap * sizeof(*subscribers));
	}
	subscribers[subscriber_count++] = conn;
	conn->place = subscriber_count;
}

static void unsubscribe(struct conn *conn)
{
	struct conn *last;

	if (!conn->place)
		return;
	last = subscribers[--subscriber_count];
	subscribers[conn->place - 1] = last;
	last->place = conn->place;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle);
}

static void take(struct conn *conn, const char *data, size_t len)
{
	const char *end = data + len, *stop;
	bool triggered = false;
	size_t calls = 0;

	for (; (stop = memchr(data, '\0', (size_t)(end - data))); calls++) {
		if (*data == 'S')
			subscribe(conn);
		triggered |= *data == 'T';
		data = stop + 1;
	}
	send_replies(conn, calls);
	for (size_t i = 0; triggered && i < subscriber_count; i++)
		send_replies(subscribers[i], 1);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	struct conn *conn = (struct conn *)stream;

	if (len >= 0) {
		take(conn, buf->base, (size_t)len);
		return;
	}
	unsubscribe(conn);
	uv_close((uv_handle_t *)stream, on_closed);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	(void)handle;
	(void)size;
	*buf = uv_buf_init(input, sizeof(input));
}

static void on_connection(uv_stream_t *listener, int status)
{
	struct conn *conn;

	if (status)
		return;
	conn = mem_alloc(sizeof(*conn));
	(void)uv_pipe_init(listener->loop, &conn->pipe, 0);
	if (!uv_accept(listener, (uv_stream_t *)&conn->pipe))
		(void)uv_read_start((uv_stream_t *)&conn->pipe, on_alloc,
				    on_read);
}

static void make_reply(unsigned int len)
{
	reply = uv_buf_init(mem_alloc(len), len);
	memset(reply.base, 'x', len - 1);
}

int main(int argc, char **argv)
{
	uv_loop_t *loop = uv_default_loop();
	long len = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
	uv_pipe_t listener;

	if (len <= 0 || len > 1 << 30) {
		(void)fprintf(stderr, "usage: bare_server SOCKET BYTES\n");
		return 2;
	}
	make_reply((unsigned int)len);
	(void)signal(SIGPIPE, SIG_IGN);
	load_raise_files();
	(void)uv_pipe_init(loop, &listener, 0);
	(void)unlink(argv[1]);
	if (uv_pipe_bind(&listener, argv[1]) ||
	    uv_listen((uv_stream_t *)&listener, 4096, on_connection))
		load_fail(argv[1]);
	return uv_run(loop, UV_RUN_DEFAULT);
}
