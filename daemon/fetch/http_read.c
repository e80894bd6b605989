/* Bodies that their callers have read, and are done with: in the loop, or if
 * that would stop it for long by another thread. */

#include "base/mem.h"
#include "fetch/http_call.h"

/* A body of so many bytes is read in half a millisecond. */
#define HERE_MAX ((size_t)64 * 1024)

struct http_reading {
	uv_work_t work;
	struct http_call *call; /* NULL: cancelled meanwhile */
	const struct http_reader *reader;
	struct buf body; /* the call's, meanwhile */
	void *content;
	http_read_fn done;
};

/* --- in the other thread --- */

static void on_work(uv_work_t *work)
{
	struct http_reading *reading = work->data;

	reading->content = reading->reader->read(buf_str(&reading->body));
}

static void drop(struct http_reading *reading)
{
	if (reading->content)
		reading->reader->drop(TAKE(reading->content));
	buf_deinit(&reading->body);
}

static void on_drop(uv_work_t *work)
{
	drop(work->data);
}

/* --- in the loop --- */

static void give_back(struct http_reading *reading)
{
	struct http_call *call = reading->call;

	call->reading = NULL;
	call->body = reading->body;
	call->content = TAKE(reading->content);
	reading->body = BUF_INIT;
}

static void finish(struct http_reading *reading)
{
	struct http_call *call = reading->call;
	http_read_fn done = reading->done;

	if (call)
		give_back(reading);
	drop(reading);
	mem_free(reading);
	if (call)
		done(call);
}

static void on_done(uv_work_t *work, int status)
{
	(void)status;
	finish(work->data);
}

static void on_dropped(uv_work_t *work, int status)
{
	(void)status;
	mem_free(work->data);
}

/* The call's body and content, to be looked after elsewhere. */
static struct http_reading *take_over(struct http_call *call)
{
	struct http_reading *reading = mem_alloc(sizeof(*reading));

	reading->work.data = reading;
	reading->reader = call->reader;
	reading->body = call->body;
	reading->content = TAKE(call->content);
	call->body = BUF_INIT;
	return reading;
}

static void begin(struct http_call *call, uv_loop_t *loop, http_read_fn done)
{
	struct http_reading *reading = take_over(call);

	reading->call = call;
	reading->done = done;
	call->reading = reading;
	(void)uv_queue_work(loop, &reading->work, on_work, on_done);
}

bool http_read(struct http_call *call, uv_loop_t *loop, http_read_fn done)
{
	if (!call->reader || call->problem)
		return true;
	if (call->body.len > HERE_MAX) {
		begin(call, loop, done);
		return false;
	}
	call->content = call->reader->read(buf_str(&call->body));
	return true;
}

void http_read_end(struct http_call *call, uv_loop_t *loop)
{
	struct http_reading *reading = call->reading;

	if (reading) {
		reading->call = NULL;
		(void)uv_cancel((uv_req_t *)&reading->work);
		return;
	}
	reading = take_over(call);
	if (reading->body.len > HERE_MAX) {
		(void)uv_queue_work(loop, &reading->work, on_drop, on_dropped);
		return;
	}
	drop(reading);
	mem_free(reading);
}
