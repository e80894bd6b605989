/*
 * What a program costs that has libuv, libcurl and jansson and does next to
 * nothing with them: it starts all three, parses one small text, listens, and
 * answers each message that ends with NUL. For start-up time and idle memory.
 *
 *	bare_program SOCKET
 */

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

static char input[65536], reply[] = "{\"parameters\":{}}";

static void on_closed(uv_handle_t *handle)
{
	free(handle);
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buf)
{
	uv_buf_t answer = uv_buf_init(reply, sizeof(reply));

	if (len < 0)
		uv_close((uv_handle_t *)stream, on_closed);
	else if (len && !buf->base[len - 1])
		(void)uv_try_write(stream, &answer, 1);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	(void)handle;
	(void)size;
	*buf = uv_buf_init(input, sizeof(input));
}

static void on_connection(uv_stream_t *listener, int status)
{
	uv_pipe_t *pipe = status ? NULL : malloc(sizeof(*pipe));

	if (!pipe)
		return;
	(void)uv_pipe_init(listener->loop, pipe, 0);
	if (!uv_accept(listener, (uv_stream_t *)pipe))
		(void)uv_read_start((uv_stream_t *)pipe, on_alloc, on_read);
}

static CURLM *start_curl(void)
{
	CURLM *multi;
	CURL *easy;

	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return NULL;
	multi = curl_multi_init();
	easy = curl_easy_init();
	if (easy)
		(void)curl_easy_setopt(easy, CURLOPT_URL, "http://localhost/");
	curl_easy_cleanup(easy);
	return multi;
}

int main(int argc, char **argv)
{
	uv_loop_t *loop = uv_default_loop();
	json_t *tree = json_loads("{\"a\":[1,2]}", 0, NULL);
	CURLM *multi = start_curl();
	uv_pipe_t listener;

	if (argc != 2 || !tree || !multi)
		return 2;
	(void)uv_pipe_init(loop, &listener, 0);
	(void)unlink(argv[1]);
	if (uv_pipe_bind(&listener, argv[1]) ||
	    uv_listen((uv_stream_t *)&listener, 128, on_connection))
		return 1;
	return uv_run(loop, UV_RUN_DEFAULT);
}
