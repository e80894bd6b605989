/* What a server may send, byte for byte: heads, chunks, gzip, redirects. The
 * first byte says how the call is made, the second into how large pieces the
 * rest comes. The call ends once, with an answer within its limits or with a
 * reason; each line of a stream is whole. */

#include <assert.h>
#include <signal.h>
#include <string.h>
#include <uv.h>

#include "base/buf.h"
#include "fetch/http.h"
#include "fuzz_cost.h"

#define LIMIT      ((size_t)32 * 1024) /* of a body, or of a line */
#define TIMEOUT_MS 1000
#define PER_MINUTE 1000000 /* more than the bucket of one server holds */
#define PIECES_MAX 256
#define RETRY_MAX  1000000000

enum how { HOW_STREAM = 1, HOW_POST = 2, HOW_KEEP = 4, HOW_READER = 8 };

/* --- the peer ------------------------------------------------------------- */

/* A connection: it says its bytes, piece by piece, and ends. */
struct peer {
	uv_tcp_t tcp;
	uv_write_t write;
	struct str left;
	size_t piece;
};

static uv_tcp_t listener;
static char url[64];
static struct str says;
static size_t piece;
static char heard[4096];

static void on_peer_closed(uv_handle_t *handle)
{
	mem_free(handle->data);
}

static void peer_close(struct peer *peer)
{
	if (!uv_is_closing((uv_handle_t *)&peer->tcp))
		uv_close((uv_handle_t *)&peer->tcp, on_peer_closed);
}

static void peer_say(struct peer *peer);

static void on_said(uv_write_t *write, int status)
{
	struct peer *peer = write->data;

	if (status < 0 || !peer->left.len)
		peer_close(peer);
	else
		peer_say(peer);
}

static void peer_say(struct peer *peer)
{
	size_t len =
		peer->left.len < peer->piece ? peer->left.len : peer->piece;
	uv_buf_t buf = uv_buf_init((char *)peer->left.ptr, (unsigned int)len);

	peer->left = str_from_offset(peer->left, len);
	peer->write.data = peer;
	if (uv_write(&peer->write, (uv_stream_t *)&peer->tcp, &buf, 1, on_said))
		peer_close(peer);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	(void)handle;
	(void)size;
	*buf = uv_buf_init(heard, sizeof(heard));
}

/* The first bytes of a request are answered. */
static void on_request(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	struct peer *peer = stream->data;

	(void)buf;
	if (len < 0) {
		peer_close(peer);
	} else if (len > 0 && !peer->write.data) {
		peer->left = says;
		peer_say(peer);
	}
}

static void on_connection(uv_stream_t *stream, int status)
{
	struct peer *peer = mem_alloc(sizeof(*peer));

	assert(status == 0);
	peer->piece = piece;
	uv_tcp_init(stream->loop, &peer->tcp);
	peer->tcp.data = peer;
	assert(uv_accept(stream, (uv_stream_t *)&peer->tcp) == 0);
	uv_tcp_nodelay(&peer->tcp, 1);
	uv_read_start((uv_stream_t *)&peer->tcp, on_alloc, on_request);
}

static void listen_once(void)
{
	struct sockaddr_in address;
	int size = sizeof(address);

	if (*url)
		return;
	(void)signal(SIGPIPE, SIG_IGN); /* a call may end before its answer */
	uv_ip4_addr("127.0.0.1", 0, &address);
	uv_tcp_init(uv_default_loop(), &listener);
	assert(uv_tcp_bind(&listener, (struct sockaddr *)&address, 0) == 0);
	assert(uv_listen((uv_stream_t *)&listener, 64, on_connection) == 0);
	uv_tcp_getsockname(&listener, (struct sockaddr *)&address, &size);
	uv_unref((uv_handle_t *)&listener);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%d/x",
		       ntohs(address.sin_port));
}

/* --- the call ------------------------------------------------------------- */

struct ask {
	struct http *http;
	unsigned int how;
	int ended;
};

static void *read_body(struct str body)
{
	return mem_strndup(body.ptr, body.len);
}

static void check_message(const char *text)
{
	for (const char *c = text; *c; c++)
		assert((unsigned char)*c >= ' ' && *c != 0x7f);
}

static void on_lines(void *data, struct str lines)
{
	const struct ask *ask = data;

	assert(!ask->ended);
	assert(lines.len && lines.ptr[lines.len - 1] == '\n');
}

static void on_done(void *data, const struct http_reply *reply)
{
	struct ask *ask = data;

	assert(!ask->ended++);
	assert(!reply->error == (reply->status != 0));
	assert(reply->status >= 0 && reply->status < 1000);
	if (reply->error)
		check_message(reply->error);
	assert(!reply->too_large || reply->error);
	assert(reply->body.len <= LIMIT);
	assert(!reply->content || ask->how & HOW_READER);
	assert(reply->retry_after >= -1 && reply->retry_after <= RETRY_MAX);
	http_release(ask->http, url, PER_MINUTE);
	http_close(ask->http);
}

static void test(struct str input)
{
	static const struct http_reader reader = {read_body, mem_free};
	struct ask ask = {0};
	struct http_request request = {
		.url = url,
		.authorization = "Bearer the-secret",
		.timeout_ms = TIMEOUT_MS,
		.limit = LIMIT,
	};

	if (input.len < 2)
		return;
	listen_once();
	ask.how = (unsigned char)input.ptr[0];
	says = str_from_offset(input, 2);
	piece = 1 + (size_t)(unsigned char)input.ptr[1] * 64 +
		says.len / PIECES_MAX;
	request.on_lines = ask.how & HOW_STREAM ? on_lines : NULL;
	request.body = ask.how & HOW_POST ? "{}" : NULL;
	request.keep = ask.how & HOW_KEEP;
	if (ask.how & HOW_READER && !(ask.how & HOW_STREAM))
		request.reader = &reader;
	ask.http = http_new(uv_default_loop());
	http_reserve(ask.http, url, PER_MINUTE);
	(void)http_send(ask.http, &request, on_done, &ask);
	assert(uv_run(uv_default_loop(), UV_RUN_DEFAULT) == 0);
	assert(ask.ended == 1);
}

FUZZ_TARGET("http", test)
