/* The watch half of etcd.h. */

#include "base/mem.h"
#include "fetch/etcd/etcd_parts.h"

static bool is_at_work(const struct etcd *etcd)
{
	return etcd->state == ETCD_OPENING || etcd->state == ETCD_WATCHING;
}

/* The stream is given up for a range at the same node. */
static void range_instead(struct etcd *etcd)
{
	http_cancel(TAKE(etcd->stream));
	etcd_range(etcd);
}

/* The span of a line; NULL: it is about none of ours. */
static struct etcd_watched *watched_of(struct etcd *etcd,
				       const struct etcd_reply *reply)
{
	if (reply->watch < 1 ||
	    (uint64_t)reply->watch > etcd->config.span_count)
		return NULL;
	return &etcd->spans[reply->watch - 1];
}

/* A node that is behind will catch up; a cluster that was set back will not,
 * and only a range tells which it is. */
static void take_created(struct etcd *etcd, const struct etcd_reply *reply)
{
	const struct etcd_watched *watched = watched_of(etcd, reply);

	if (etcd_is_other_cluster(etcd, reply) || !watched ||
	    reply->revision < watched->next - 1) {
		range_instead(etcd);
		return;
	}
	if (++etcd->created < etcd->config.span_count)
		return;
	etcd_enter(etcd, ETCD_WATCHING);
	etcd_be_well(etcd);
}

/* Events of a revision come in one line. Without any the line says that all of
 * them up to the revision of the store have come. */
static void take_events(struct etcd *etcd, const struct etcd_reply *reply)
{
	struct etcd_watched *watched = watched_of(etcd, reply);
	int64_t told = reply->count ? reply->kvs[reply->count - 1].revision
				    : reply->revision;

	if (!watched)
		return;
	if (!etcd_load_add(etcd, reply)) {
		range_instead(etcd);
		return;
	}
	if (told >= watched->next)
		watched->next = told + 1;
}

/* What came before it must be told: the watch goes on after that. */
static void take_end(struct etcd *etcd, const struct etcd_reply *reply)
{
	etcd_load_tell(etcd, false);
	if (etcd->state != ETCD_CLOSING)
		etcd_fail_by(etcd, reply, NULL);
}

static void take_line(struct etcd *etcd, struct str line)
{
	struct etcd_reply reply;

	etcd_reply_read_line(&reply, line);
	if (reply.kind == ETCD_CREATED)
		take_created(etcd, &reply);
	else if (reply.kind == ETCD_EVENTS)
		take_events(etcd, &reply);
	else
		take_end(etcd, &reply);
	etcd_reply_deinit(&reply);
}

static struct str next_line(struct str *lines)
{
	const char *end = memchr(lines->ptr, '\n', lines->len);
	size_t len = end ? (size_t)(end - lines->ptr) : lines->len;
	struct str line = {lines->ptr, len};

	*lines = str_from_offset(*lines, len + 1);
	return line;
}

/* What came together is told together. */
static void on_lines(void *data, struct str lines)
{
	struct etcd *etcd = data;

	while (lines.len && etcd->stream && is_at_work(etcd))
		take_line(etcd, next_line(&lines));
	if (is_at_work(etcd))
		etcd_load_tell(etcd, false);
}

static void end_by_reply(struct etcd *etcd, const struct http_reply *http)
{
	struct etcd_reply reply;

	etcd_reply_read_line(&reply, http->body);
	etcd_fail_by(etcd, &reply, http);
	etcd_reply_deinit(&reply);
}

static void on_end(void *data, const struct http_reply *http)
{
	struct etcd *etcd = data;

	etcd->stream = NULL;
	if (http->error && http->too_large)
		range_instead(etcd);
	else if (http->error)
		etcd_fail(etcd, ETCD_AWAY, mem_strdup(http->error));
	else if (http->status != 200)
		end_by_reply(etcd, http);
	else
		etcd_fail(etcd, ETCD_AWAY,
			  mem_printf("%s has ended the watch",
				     etcd_endpoint(etcd)));
}

void etcd_watch(struct etcd *etcd)
{
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;

	etcd_enter(etcd, ETCD_OPENING);
	etcd->created = 0;
	for (size_t i = 0; i < etcd->config.span_count; i++)
		etcd_write_watch(&body, &etcd->spans[i].span, (int64_t)i + 1,
				 etcd->spans[i].next);
	etcd->stream = etcd_post(etcd, "watch", &body, on_lines, on_end);
}
