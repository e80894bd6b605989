/* What a daemon may say to the library, its first byte apart, which says who
 * asks: a plain call, a getter of each type, or a watch. A reply is a whole
 * JSON object, or the connection is lost with a reason. */

#include <assert.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/socket.h>

#include "clearconf.h"
#include "fuzz_cost.h"
#include "lib/handle.h"
#include "lib/json_scan.h"
#include "lib/json_text.h"

#define REPLIES_MAX 64

/* --- the peer ------------------------------------------------------------- */

/* @input lies in the socket, as much of it as there is room, and then the
 * connection ends. */
static struct clearconf *connected(struct str input, int *peer)
{
	struct clearconf *handle;
	const int room = 1 << 20;
	int fds[2];

	assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	(void)setsockopt(fds[1], SOL_SOCKET, SO_SNDBUFFORCE, &room,
			 sizeof(room));
	(void)!write(fds[1], input.ptr, input.len);
	(void)shutdown(fds[1], SHUT_WR);
	assert(clearconf_new(&handle) == 0);
	handle->fd = fds[0];
	handle_set_state(handle, HANDLE_IDLE);
	*peer = fds[1];
	return handle;
}

static void check_error(const struct clearconf *handle)
{
	for (const char *c = clearconf_strerror(handle); *c; c++)
		assert((unsigned char)*c >= ' ' && *c != 0x7f);
}

/* --- calls ---------------------------------------------------------------- */

static void check_reply(const struct clearconf_reply *reply)
{
	assert(strlen(reply->parameters) == reply->parameters_len);
	assert(reply->parameters[0] == '{');
	assert(!reply->error || *reply->error);
}

static void call(struct clearconf *handle)
{
	struct clearconf_reply reply;
	int r = 0;

	for (int i = 0; i < REPLIES_MAX && r >= 0; i++) {
		if (handle->state == HANDLE_IDLE &&
		    clearconf_send(handle, "a.B", NULL, i % 2) < 0)
			break;
		r = clearconf_process(handle, &reply);
		if (r == 0 || r == CLEARCONF_E_ERROR)
			check_reply(&reply);
	}
	check_error(handle);
}

static void get(struct clearconf *handle)
{
	const char *text = "";
	int64_t number;
	double real;
	bool truth;

	(void)clearconf_get_json(handle, "a", &text);
	(void)clearconf_get_string(handle, "a", &text);
	(void)clearconf_get_text(handle, "a", &text);
	(void)clearconf_get_int(handle, "a", &number);
	(void)clearconf_get_double(handle, "a", &real);
	(void)clearconf_get_bool(handle, "a", &truth);
	check_error(handle);
}

/* --- scanners ------------------------------------------------------------- */

/* Who reads JSON strictly accepts no object that the scanner refuses. */
static void check_scanner(struct str input)
{
	struct json_member member = {"parameters", {0}};
	bool scanned = json_scan_object(
		(struct json_slice){input.ptr, input.len}, &member, 1);
	json_t *json = json_loadb(input.ptr, input.len, JSON_ALLOW_NUL, NULL);

	assert(scanned || !json_is_object(json));
	assert(!member.value.ptr ||
	       (member.value.ptr >= input.ptr &&
		member.value.ptr + member.value.len <= input.ptr + input.len));
	json_decref(json);
}

/* What was decoded is written, and decoded to the same again. */
static void check_text(struct str input)
{
	_cleanup_(mem_freep) char *text = mem_strndup(input.ptr, input.len);
	_cleanup_(bytes_deinit) struct bytes again = {0};
	long len = json_text_decode(text, input.len);

	if (len < 0 || memchr(text, '\0', (size_t)len))
		return;
	assert(json_text_add(&again, text) == 0);
	assert(json_text_decode(again.data, again.len) == len);
	assert(!memcmp(again.data, text, (size_t)len));
}

static void test(struct str input)
{
	struct clearconf *handle;
	bool gets;
	int peer;

	if (!input.len)
		return;
	gets = input.ptr[0] & 1;
	input = str_from_offset(input, 1);
	check_scanner(input);
	check_text(input);
	handle = connected(input, &peer);
	if (gets)
		get(handle);
	else
		call(handle);
	clearconf_free(handle);
	(void)close(peer);
}

FUZZ_TARGET("client", test)
