#include <string.h>

#include "fetch/http_call.h"

bool http_stream_take(struct http_call *call, struct str bytes)
{
	const char *end = memrchr(bytes.ptr, '\n', bytes.len);

	if (end)
		call->whole = call->body.len + (size_t)(end - bytes.ptr) + 1;
	buf_add_str(&call->body, bytes);
	call->too_large = call->body.len - call->whole > call->limit;
	return !call->too_large;
}

void http_stream_deliver(struct http_call *call)
{
	_cleanup_(buf_deinit) struct buf all = call->body;
	struct str lines = {all.data, call->whole};

	call->body = BUF_INIT;
	buf_add_str(
		&call->body,
		str_from_offset((struct str){all.data, all.len}, call->whole));
	call->whole = 0;
	call->on_lines(call->data, lines);
}
