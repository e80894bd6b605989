#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "clearconf.h"
#include "handle.h"
#include "json_scan.h"

#define RECEIVE_AT_ONCE ((size_t)64 << 10)

/* The connection is of no use any more. */
static int lose(struct clearconf *handle, int result, const char *why)
{
	clearconf_disconnect(handle);
	return handle_fail(handle, result, "%s (%s)", why, handle->socket);
}

static int lose_memory(struct clearconf *handle)
{
	return lose(handle, -ENOMEM, "out of memory");
}

/* --- a request ------------------------------------------------------------ */

static bool is_method(const char *method)
{
	return method && *method &&
	       method[strspn(method, "abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789.-_")] == '\0';
}

static bool is_object(const char *parameters)
{
	struct json_slice text = {parameters, strlen(parameters)};

	return json_scan_object(text, NULL, 0);
}

static int check_request(struct clearconf *handle, const char *method,
			 const char *parameters)
{
	if (handle->state == HANDLE_CLOSED)
		return handle_fail(handle, -ENOTCONN, "not connected");
	if (handle->state == HANDLE_BUSY)
		return handle_fail(handle, -EBUSY, "another call is under way");
	if (!is_method(method))
		return handle_fail(handle, -EINVAL,
				   "this is no name of a method");
	if (parameters && !is_object(parameters))
		return handle_fail(handle, -EINVAL,
				   "the parameters are no JSON object");
	return 0;
}

static int add_text(struct bytes *bytes, const char *text)
{
	return bytes_add(bytes, text, strlen(text));
}

static int add_request(struct bytes *out, const char *method,
		       const char *parameters, bool more)
{
	if (add_text(out, "{\"method\":\"") < 0 || add_text(out, method) < 0 ||
	    add_text(out, more ? "\",\"more\":true" : "\"") < 0)
		return -ENOMEM;
	if (parameters && (add_text(out, ",\"parameters\":") < 0 ||
			   add_text(out, parameters) < 0))
		return -ENOMEM;
	return bytes_add(out, "}", 2);
}

static int flush(struct clearconf *handle)
{
	ssize_t n;

	while (handle->out.len) {
		n = send(handle->fd, handle->out.data, handle->out.len,
			 MSG_NOSIGNAL);
		if (n >= 0)
			bytes_drop(&handle->out, (size_t)n);
		else if (errno == EAGAIN)
			return 0;
		else if (errno != EINTR)
			return lose(handle, -ECONNRESET,
				    "the daemon closed the connection");
	}
	return 0;
}

static void forget_reply(struct clearconf *handle)
{
	bytes_drop(&handle->in, handle->handed_out);
	handle->handed_out = 0;
}

int clearconf_send(struct clearconf *handle, const char *method,
		   const char *parameters, bool more)
{
	int r = check_request(handle, method, parameters);

	if (r < 0)
		return r;
	forget_reply(handle);
	if (add_request(&handle->out, method, parameters, more) < 0)
		return lose_memory(handle);
	handle->more = more;
	handle_set_state(handle, HANDLE_BUSY);
	return flush(handle);
}

/* --- a reply -------------------------------------------------------------- */

/* End a slice of the received message where it ends: what stood there has been
 * looked at. */
static char *ended(struct json_slice slice)
{
	char *text = (char *)slice.ptr;

	text[slice.len] = '\0';
	return text;
}

static bool is_name(struct json_slice value)
{
	return value.len > 2 && value.ptr[0] == '"' &&
	       !memchr(value.ptr, '\\', value.len);
}

static bool is_text(struct json_slice value, const char *text)
{
	return value.len == strlen(text) && !memcmp(value.ptr, text, value.len);
}

/* @text is a message without its NUL. */
static bool parse_reply(struct json_slice text, struct clearconf_reply *reply)
{
	enum { PARAMETERS, ERROR, CONTINUES, COUNT };
	struct json_member members[COUNT] = {
		{"parameters", {0}}, {"error", {0}}, {"continues", {0}}};
	struct json_slice parameters, error;

	*reply = (struct clearconf_reply){.parameters = "{}",
					  .parameters_len = 2};
	if (!json_scan_object(text, members, COUNT))
		return false;
	parameters = members[PARAMETERS].value;
	error = members[ERROR].value;
	reply->continues = is_text(members[CONTINUES].value, "true");
	if (parameters.len && !is_text(parameters, "null")) {
		if (parameters.ptr[0] != '{')
			return false;
		reply->parameters_len = parameters.len;
		reply->parameters = ended(parameters);
	}
	if (!error.len || is_text(error, "null"))
		return true;
	if (!is_name(error))
		return false;
	error = (struct json_slice){error.ptr + 1, error.len - 2};
	reply->error = ended(error);
	return true;
}

/* Hand out the first @len bytes of `in`, a message without its NUL. */
static int accept_message(struct clearconf *handle, size_t len,
			  struct clearconf_reply *reply)
{
	struct json_slice text = {handle->in.data, len};

	handle->handed_out = len + 1;
	handle->searched = 0;
	if (handle->state != HANDLE_BUSY)
		return lose(handle, -EPROTO, "an answer that nobody asked for");
	if (!parse_reply(text, reply) || (reply->continues && !handle->more))
		return lose(handle, -EPROTO, "the peer does not speak Varlink");
	if (reply->error)
		reply->continues = false;
	if (!reply->continues)
		handle_set_state(handle, HANDLE_IDLE);
	if (!reply->error)
		return 0;
	handle_explain(handle, reply);
	return CLEARCONF_E_ERROR;
}

/* The length of a complete message at the front of `in`, or -1. */
static ssize_t find_message(struct clearconf *handle)
{
	struct bytes *in = &handle->in;
	char *nul = NULL;

	if (in->len > handle->searched)
		nul = memchr(in->data + handle->searched, '\0',
			     in->len - handle->searched);
	handle->searched = in->len;
	return nul ? nul - in->data : -1;
}

/* Once. 0, CLEARCONF_E_AGAIN, or the connection is lost. */
static int receive(struct clearconf *handle)
{
	struct bytes *in = &handle->in;
	ssize_t n;

	if (in->len > handle->limit)
		return lose(handle, -EMSGSIZE, "the answer is over the limit");
	if (bytes_reserve(in, RECEIVE_AT_ONCE) < 0)
		return lose_memory(handle);
	do
		n = recv(handle->fd, in->data + in->len, in->cap - in->len, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return CLEARCONF_E_AGAIN;
	if (n <= 0)
		return lose(handle, -ECONNRESET,
			    "the daemon closed the connection");
	in->len += (size_t)n;
	return 0;
}

int clearconf_process(struct clearconf *handle, struct clearconf_reply *reply)
{
	ssize_t len;
	int r;

	if (handle->state == HANDLE_CLOSED)
		return handle_fail(handle, -ENOTCONN, "not connected");
	forget_reply(handle);
	r = flush(handle);
	while (r == 0) {
		len = find_message(handle);
		if (len > (ssize_t)handle->limit)
			return lose(handle, -EMSGSIZE,
				    "the answer is over the limit");
		if (len >= 0)
			return accept_message(handle, (size_t)len, reply);
		r = receive(handle);
	}
	return r;
}

/* --- waiting -------------------------------------------------------------- */

static long long now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Until the connection is ready or @deadline has passed; negative: never. */
static int wait_until(struct clearconf *handle, long long deadline)
{
	struct pollfd ready = {handle->fd, (short)clearconf_get_events(handle),
			       0};
	long long left = -1;
	int n;

	if (deadline >= 0) {
		left = deadline - now_ms();
		left = left < 0 ? 0 : left;
	}
	n = poll(&ready, 1, (int)left);
	if (n == 0)
		return handle_fail(handle, -ETIMEDOUT,
				   "no answer in time from %s", handle->socket);
	if (n < 0 && errno != EINTR)
		return handle_fail(handle, -errno, "cannot wait: %s",
				   strerror(errno));
	return 0;
}

int clearconf_wait(struct clearconf *handle, struct clearconf_reply *reply)
{
	long long deadline = -1;
	int r;

	if (handle->state == HANDLE_IDLE)
		return handle_fail(handle, -EINVAL, "no call is under way");
	if (handle->timeout_ms >= 0)
		deadline = now_ms() + handle->timeout_ms;
	for (;;) {
		r = clearconf_process(handle, reply);
		if (r != CLEARCONF_E_AGAIN)
			return r;
		r = wait_until(handle, deadline);
		if (r < 0)
			return r;
	}
}

int clearconf_call(struct clearconf *handle, const char *method,
		   const char *parameters, struct clearconf_reply *reply)
{
	int r = clearconf_send(handle, method, parameters, false);

	if (r == 0)
		r = clearconf_wait(handle, reply);
	/* An answer that still comes must not be taken for the next call's. */
	if (r == -ETIMEDOUT)
		clearconf_disconnect(handle);
	return r;
}
