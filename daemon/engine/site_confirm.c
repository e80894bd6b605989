/* The part of a site that asks etcd whether a rollout is still to be taken. */

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/site.h"
#include "fetch/backoff.h"
#include "fetch/etcd/etcd_ask.h"

/* Not all hosts of a fleet in one moment; and after a failure. */
#define SPREAD_MS 250
#define AGAIN_MS  2000

static void later(struct site *site, uint64_t ms);

static void take(struct site *site, const struct etcd_reply *reply)
{
	_cleanup_(mem_freep) char *key = NULL;
	const struct site_rollout *rollout =
		site_docs_awaited(&site->docs, &key);
	const struct etcd_kv *kv = reply->count ? &reply->kvs[0] : NULL;

	if (!rollout || !kv || !str_is(kv->key, key))
		kv = NULL; /* the watch has told of another one meanwhile */
	if (rollout &&
	    site_docs_confirm(&site->docs, rollout, kv ? kv->revision : 0))
		site->host.on_documents(site->host.data, CAUSE_SITE);
}

static void on_answer(void *data, const struct etcd_answer *answer)
{
	struct site *site = data;

	if (answer->health == ETCD_WELL)
		take(site, answer->reply);
	else
		log_warning("rollout-not-confirmed",
			    LOG_TEXT("error", answer->error));
	later(site, answer->health == ETCD_WELL ? 0 : AGAIN_MS);
}

static void ask(struct site *site, const char *key)
{
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;
	const struct etcd_get get = {.span.key = str_from(key)};

	if (!site->ask)
		site->ask = etcd_ask_new(site->host.loop, site->host.http,
					 &site->feed.config.nodes);
	etcd_ask_lend(site->ask, site_token(site));
	etcd_write_get(&body, &get);
	etcd_ask_send(site->ask, "kv/range", &body, on_answer, site);
}

static void on_time(uv_timer_t *timer)
{
	struct site *site = timer->data;
	_cleanup_(mem_freep) char *key = NULL;

	if (site_docs_awaited(&site->docs, &key))
		ask(site, key);
}

static void later(struct site *site, uint64_t ms)
{
	uint64_t spread = (uint64_t)SPREAD_MS * backoff_random() >> 32;
	_cleanup_(mem_freep) char *key = NULL;

	if (site_docs_awaited(&site->docs, &key))
		(void)uv_timer_start(&site->confirming, on_time, ms + spread,
				     0);
}

void site_confirm(struct site *site)
{
	bool asks = uv_is_active((uv_handle_t *)&site->confirming) ||
		    (site->ask && etcd_ask_is_busy(site->ask));

	if (!asks)
		later(site, 0);
}

void site_confirm_end(struct site *site)
{
	(void)uv_timer_stop(&site->confirming);
	etcd_ask_close(TAKE(site->ask));
}
