/* The part of a site that asks etcd whether a rollout is still to be taken. */

#include "base/buf.h"
#include "base/log.h"
#include "base/mem.h"
#include "fetch/backoff.h"
#include "fetch/etcd/etcd_ask.h"
#include "site/site.h"

/* Not all hosts of a fleet in one moment; and after a failure. */
#define SPREAD_MS 250
#define AGAIN_MS  2000

static void later(struct site *site, uint64_t ms);

static void on_answer(void *data, const struct etcd_answer *answer)
{
	struct site *site = data;
	_cleanup_(mem_freep) char *key = TAKE(site->asked);
	bool well = answer->health == ETCD_WELL;

	if (!well)
		log_warning("rollout-not-confirmed",
			    LOG_TEXT("error", answer->error));
	else if (site_docs_confirm(&site->docs, str_from(key), answer->reply))
		site->host.on_documents(site->host.data, CAUSE_SITE);
	later(site, well ? 0 : AGAIN_MS);
}

static void on_time(uv_timer_t *timer)
{
	struct site *site = timer->data;
	_cleanup_(buf_deinit) struct buf body = BUF_INIT;
	struct etcd_get get = {0};

	site->asked = site_docs_awaited(&site->docs);
	if (!site->asked)
		return;
	if (!site->ask)
		site->ask = etcd_ask_new(site->host.loop, site->host.http,
					 &site->feed.config.nodes);
	etcd_ask_lend(site->ask, site_token(site));
	get.span.key = str_from(site->asked);
	etcd_write_get(&body, &get);
	etcd_ask_send(site->ask, "kv/range", &body, on_answer, site);
}

static void later(struct site *site, uint64_t ms)
{
	_cleanup_(mem_freep) char *key = site_docs_awaited(&site->docs);
	uint64_t spread = (uint64_t)SPREAD_MS * backoff_random() >> 32;

	if (key)
		(void)uv_timer_start(&site->confirming, on_time, ms + spread,
				     0);
}

void site_confirm(struct site *site)
{
	bool asks =
		uv_is_active((uv_handle_t *)&site->confirming) || site->asked;

	if (!asks)
		later(site, 0);
}

void site_confirm_end(struct site *site)
{
	(void)uv_timer_stop(&site->confirming);
	etcd_ask_close(TAKE(site->ask));
	mem_free(TAKE(site->asked));
}
