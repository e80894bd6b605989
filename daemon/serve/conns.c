#include "serve/conns.h"

#include <assert.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "serve/abode.h"
#include "serve/conn.h"
#include "serve/pending.h"

#define LOOK_EVERY 8 /* watchers told between looks at the clock */

static void conns_sweep(struct conns *conns);
static void conns_round(struct conns *conns);
static void conns_poll(struct conns *conns);

static void on_sweep(uv_timer_t *timer)
{
	conns_sweep(timer->data);
}

static void on_round(uv_idle_t *idle)
{
	conns_round(idle->data);
}

static void on_prepare(uv_prepare_t *prepare)
{
	conns_poll(prepare->data);
}

static void on_job_due(struct offload *offload)
{
	conns_tell(CONTAINER_OF(offload, struct conns, offload));
}

static void on_offload_closed(struct offload *offload)
{
	conns_handle_closed(CONTAINER_OF(offload, struct conns, offload));
}

static void on_watcher_wakes(struct watchers *watchers)
{
	conns_tell(CONTAINER_OF(watchers, struct conns, watchers));
}

static void on_handle_closed(uv_handle_t *handle)
{
	conns_handle_closed(handle->data);
}

void conns_init(struct conns *conns, uv_loop_t *loop,
		const struct service *service)
{
	*conns = (struct conns){.service = service,
				.overflow_uid = peer_overflow_uid(),
				.here = abode_new("/proc/self")};
	call_init();
	quota_init(&conns->quota);
	budget_init(&conns->budget, &conns->quota);
	watchers_init(&conns->watchers, service);
	conns->watchers.on_wake = on_watcher_wakes;
	list_init(&conns->all);
	list_init(&conns->half_sent);
	list_init(&conns->replied);
	consumers_init(&conns->consumers);
	conns->consumers.service = service;
	list_init(&conns->resting);
	offload_init(&conns->offload, loop);
	conns->offload.on_due = on_job_due;
	conns->offload.on_closed = on_offload_closed;
	conns->request = (struct request){
		.service = service,
		.quota = &conns->quota,
		.offload = &conns->offload,
		.watchers = &conns->watchers,
		.out = &conns->out,
		.memo = &conns->memo,
		.scratch = &conns->scratch,
	};
	conns->input = mem_alloc(CONNS_INPUT);
	uv_timer_init(loop, &conns->sweep);
	uv_idle_init(loop, &conns->round);
	uv_prepare_init(loop, &conns->prepare);
	conns->sweep.data = conns->round.data = conns->prepare.data = conns;
	uv_prepare_start(&conns->prepare, on_prepare);
	conns->open_handles = 4; /* the offload counts as one */
}

void conns_deinit(struct conns *conns)
{
	assert(!conns->open_handles);
	out_deinit(&conns->out);
	call_memo_deinit(&conns->memo);
	arena_free(&conns->scratch);
	watchers_deinit(&conns->watchers);
	quota_deinit(&conns->quota);
	mem_free(conns->input);
	abode_free(conns->here);
}

void conns_handle_closed(struct conns *conns)
{
	if (--conns->open_handles == 0)
		conns->on_closed(conns);
}

void conns_accept(struct conns *conns, int fd)
{
	struct conn *conn = conn_new(conns);

	conns->accepted++;
	if (uv_pipe_open(&conn->pipe, fd)) {
		(void)close(fd);
		conn_close(conn);
	} else {
		conn_start(conn, fd);
	}
	budget_pause(&conns->budget);
}

void conns_tell(struct conns *conns)
{
	if (!uv_is_closing((uv_handle_t *)&conns->round))
		uv_idle_start(&conns->round, on_round);
}

/* Not as soon as there is a reply: that may be in the middle of another
 * connection's answer. */
static void write_replies(struct conns *conns)
{
	uint64_t end = uv_hrtime() + BUDGET_SHARE_NS;
	struct pending *pending;

	while (!list_is_empty(&conns->replied) && uv_hrtime() < end) {
		pending =
			CONTAINER_OF(conns->replied.next, struct pending, link);
		list_remove(&pending->link);
		conn_write_pending(pending->owner);
	}
}

/* Resting connections go on in the order in which they came to rest; one that
 * has to rest longer keeps its place. */
static void answer_resting(struct conns *conns)
{
	struct list all, *first;

	list_init(&all);
	list_splice(&all, &conns->resting);
	while (!list_is_empty(&all)) {
		first = all.next;
		list_remove(first);
		list_add(&conns->resting, first);
		conn_go_on(CONTAINER_OF(first, struct conn, waits));
	}
}

/* Tell watchers until their share of the turn is used up; true when all have
 * been told. */
static bool tell_watchers(struct conns *conns)
{
	uint64_t start = uv_hrtime();
	struct conn *conn;

	for (unsigned int told = 1; (conn = watchers_next(&conns->watchers));
	     told++) {
		conn_fetch_soon(watchers_peek(&conns->watchers));
		conn_tell(conn);
		if (told % LOOK_EVERY == 0 &&
		    uv_hrtime() - start > BUDGET_SHARE_NS)
			return false;
	}
	return true;
}

/* A round is a turn of its own, so that resting connections need not wait until
 * the others have used up their shares. */
static void conns_round(struct conns *conns)
{
	bool told;

	budget_next_turn(&conns->budget);
	offload_go_on(&conns->offload);
	write_replies(conns);
	answer_resting(conns);
	told = tell_watchers(conns);
	if (told && !conns->offload.due && list_is_empty(&conns->replied) &&
	    list_is_empty(&conns->resting))
		uv_idle_stop(&conns->round);
}

/* The loop looks for input, and may sleep until there is some. */
static void conns_poll(struct conns *conns)
{
	budget_next_turn(&conns->budget);
}

static struct conn *oldest_half_sent(struct conns *conns)
{
	if (list_is_empty(&conns->half_sent))
		return NULL;
	return CONTAINER_OF(conns->half_sent.next, struct conn, waits);
}

/* When the oldest half-sent request is over its time. */
static uint64_t sweep_time(struct conns *conns)
{
	return oldest_half_sent(conns)->half_sent_since +
	       (uint64_t)conns->limits.half_sent;
}

void conns_expect_sweep(struct conns *conns)
{
	uint64_t now = uv_now(conns->sweep.loop), then = sweep_time(conns);

	if (!uv_is_active((uv_handle_t *)&conns->sweep))
		uv_timer_start(&conns->sweep, on_sweep,
			       then > now ? then - now : 0, 0);
}

static void conns_sweep(struct conns *conns)
{
	struct conn *conn;

	while ((conn = oldest_half_sent(conns)) &&
	       sweep_time(conns) <= uv_now(conns->sweep.loop)) {
		log_debug("request-half-sent",
			  LOG_INT("uid", conn->peer.user.uid));
		conn_close(conn);
	}
	if (conn)
		conns_expect_sweep(conns);
}

/* conn_close takes none out of the list: that comes with the end of CLOSING. */
static void each_conn(struct conns *conns, void (*visit)(struct conn *conn))
{
	struct list *i;

	for (list_each (&conns->all, i))
		visit(CONTAINER_OF(i, struct conn, link));
}

void conns_finish(struct conns *conns)
{
	uv_close((uv_handle_t *)&conns->sweep, on_handle_closed);
	uv_close((uv_handle_t *)&conns->round, on_handle_closed);
	uv_close((uv_handle_t *)&conns->prepare, on_handle_closed);
	each_conn(conns, conn_finish);
	offload_close(&conns->offload);
}

void conns_abort(struct conns *conns)
{
	each_conn(conns, conn_close);
}
