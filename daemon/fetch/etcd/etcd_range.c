/* The range half of etcd.h. */

#include "base/mem.h"
#include "fetch/etcd/etcd_parts.h"

/* Keys on the first page. */
#define LIMIT_FIRST 512

/* --- what has come --- */

void etcd_load_clear(struct etcd_load *load)
{
	arena_free(&load->arena);
	mem_free(load->kvs);
	*load = (struct etcd_load){0};
}

static void load_push(struct etcd_load *load, const struct etcd_kv *kv)
{
	struct etcd_kv ours = {
		.key = arena_str(&load->arena, kv->key),
		.revision = kv->revision,
	};

	if (kv->value.ptr)
		ours.value = arena_str(&load->arena, kv->value);
	load->kvs = mem_room(load->kvs, load->count, sizeof(*load->kvs));
	load->kvs[load->count++] = ours;
	load->bytes += kv->key.len + kv->value.len;
}

bool etcd_load_add(struct etcd *etcd, const struct etcd_reply *reply)
{
	struct etcd_load *load = &etcd->load;

	for (size_t i = 0; i < reply->count; i++) {
		if (load->count == etcd->config.keys_max ||
		    load->bytes > etcd->config.bytes_max)
			return false;
		load_push(load, &reply->kvs[i]);
	}
	return load->bytes <= etcd->config.bytes_max;
}

void etcd_load_tell(struct etcd *etcd, bool whole)
{
	struct etcd_load load = etcd->load;
	const struct etcd_news news = {whole, load.kvs, load.count};

	etcd->load = (struct etcd_load){0};
	if (whole || load.count)
		etcd->config.on_news(etcd->config.data, &news);
	etcd_load_clear(&load);
}

/* --- pages --- */

static void ask_page(struct etcd *etcd);

static void begin_span(struct etcd *etcd, size_t number)
{
	etcd->ranged = number;
	buf_deinit(&etcd->from);
	if (number < etcd->config.span_count)
		buf_add_str(&etcd->from, etcd->spans[number].span.key);
}

/* All spans were read as of one revision, so one is where all watches begin. */
static void end_range(struct etcd *etcd)
{
	for (size_t i = 0; i < etcd->config.span_count; i++)
		etcd->spans[i].next = etcd->revision + 1;
	etcd_load_tell(etcd, true);
	if (etcd->state != ETCD_CLOSING)
		etcd_watch(etcd);
}

static void go_on(struct etcd *etcd, const struct etcd_reply *reply)
{
	/* The next key there can be: the last one and a NUL. */
	if (reply->more && reply->count) {
		buf_deinit(&etcd->from);
		buf_add_str(&etcd->from, reply->kvs[reply->count - 1].key);
		buf_putc(&etcd->from, '\0');
	} else {
		begin_span(etcd, etcd->ranged + 1);
	}
	if (etcd->ranged == etcd->config.span_count)
		end_range(etcd);
	else
		ask_page(etcd);
}

static void take_page(struct etcd *etcd, const struct etcd_reply *reply,
		      const struct http_reply *http)
{
	if (reply->kind != ETCD_DONE || !reply->revision) {
		etcd_fail_by(etcd, reply, http);
		return;
	}
	(void)etcd_is_other_cluster(etcd, reply);
	if (!etcd->revision)
		etcd->revision = reply->revision;
	if (etcd_load_add(etcd, reply))
		go_on(etcd, reply);
	else
		etcd_fail(etcd, ETCD_AILING,
			  mem_printf("%s has more than %zu documents or %zu "
				     "bytes under the prefix: see response in "
				     "[limits] of clearconfd.conf",
				     etcd_endpoint(etcd), etcd->config.keys_max,
				     etcd->config.bytes_max));
}

/* An answer that is too large is asked for in smaller parts. */
static bool may_halve(struct etcd *etcd, const struct http_reply *http)
{
	if (!http->too_large || etcd->limit == 1)
		return false;
	etcd->limit /= 2;
	return true;
}

static void on_page(void *data, const struct http_reply *http)
{
	struct etcd *etcd = data;

	etcd->call = NULL;
	if (http->error && may_halve(etcd, http)) {
		ask_page(etcd);
		return;
	}
	if (http->error) {
		etcd_fail(etcd, ETCD_AWAY, mem_strdup(http->error));
		return;
	}
	take_page(etcd, http->content, http);
}

static void ask_page(struct etcd *etcd)
{
	const struct etcd_span span = {
		buf_str(&etcd->from),
		etcd->spans[etcd->ranged].span.end,
	};
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;

	etcd_write_range(&body, &span, etcd->limit, etcd->revision);
	etcd->call = etcd_post(etcd, "kv/range", &body, NULL, on_page);
}

void etcd_range(struct etcd *etcd)
{
	etcd_enter(etcd, ETCD_RANGING);
	etcd_load_clear(&etcd->load);
	etcd->limit = LIMIT_FIRST;
	etcd->revision = 0;
	begin_span(etcd, 0);
	ask_page(etcd);
}
