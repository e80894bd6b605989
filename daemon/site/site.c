#include "site/site.h"

#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "fetch/cache.h"
#include "settings/settings.h"
#include "value/json.h"

/* How long what is new may be unsaved. */
#define SAVE_SOON_MS 500

const char *const site_cache_name = "etcd of the site";

/* --- how long documents are kept --- */

static struct last_good_limits limits_of(const struct site *site)
{
	return last_good_limits(site->settings, site->host.offline);
}

static void expect(struct site *site);

/* Note that until this moment the documents were etcd's. */
static void note_good(struct site *site)
{
	last_good_answered(&site->last_good, clock_boot_ms());
}

static void lapse(struct site *site)
{
	struct last_good_limits limits = limits_of(site);
	enum last_good_lapse lapse =
		last_good_lapse(&site->last_good, &limits, clock_boot_ms());

	if (lapse == LAST_GOOD_ON)
		return;
	log_warning("site-dropped",
		    LOG_TEXT("reason", lapse == LAST_GOOD_STALE
					       ? "no etcd for [poll] "
						 "stale_limit"
					       : "etcd has refused us for "
						 "[poll] revoked_grace"));
	site_docs_clear(&site->docs);
	site_forget(site);
	site->host.on_documents(site->host.data, last_good_cause(lapse));
}

static void save_times(struct site *site)
{
	note_good(site);
	site->host.on_documents(site->host.data, CAUSE_SITE);
}

static void on_time(uv_timer_t *timer)
{
	struct site *site = timer->data;

	if (site_is_well(site))
		save_times(site);
	else
		lapse(site);
	expect(site);
}

/* On a good day the next hour, on a bad one the moment when it has lasted too
 * long. */
static void expect(struct site *site)
{
	struct last_good_limits limits = limits_of(site);
	int64_t ms = site_is_well(site)
			     ? LAST_GOOD_SAVE_MS
			     : last_good_left(&site->last_good, &limits,
					      clock_boot_ms());

	if (ms < 0)
		(void)uv_timer_stop(&site->timer);
	else
		(void)uv_timer_start(&site->timer, on_time, (uint64_t)ms + 1,
				     0);
}

/* --- the feed --- */

/* More than may be at once is looked at by a range, which says so. */
static bool is_too_much(const struct site *site)
{
	return site->docs.bytes + site->docs.rollouts.bytes >
		       site->feed.config.bytes_max ||
	       site->docs.count > site->feed.config.keys_max;
}

static void on_news(void *data, const struct etcd_news *news)
{
	struct site *site = data;

	site_docs_take(&site->docs, news);
	site_confirm(site);
	note_good(site);
	site->host.on_documents(site->host.data, CAUSE_SITE);
	if (is_too_much(site))
		site_refresh(site);
}

static void on_health(void *data)
{
	struct site *site = data;
	enum etcd_health before = site->health;

	site->health = etcd_health(site->etcd);
	if (before == ETCD_WELL || site->health == ETCD_WELL)
		note_good(site);
	if (site->health == ETCD_REJECTED &&
	    last_good_refused(&site->last_good, clock_boot_ms()))
		site->host.on_documents(site->host.data, CAUSE_SITE);
	expect(site);
	site->host.on_health(site->host.data);
}

static void open_feed(struct site *site)
{
	struct etcd_config *config = &site->feed.config;

	if (site->host.offline)
		return;
	config->data = site;
	config->on_news = on_news;
	config->on_health = on_health;
	site->health = ETCD_STARTING;
	site->etcd = etcd_new(site->host.loop, site->host.http, config);
}

/* --- the cache --- */

/* The file is like a workspace's: etcd's prefix is the server, the user is the
 * key. */
void site_save(struct site *site, const struct stack *stack)
{
	const char *user = site->settings->etcd.user;
	_cleanup_(cache_entry_deinit) struct cache_entry entry = {
		.api_server = site->docs.prefix,
		.company_id = "",
		.access_key = user ? user : "",
	};

	last_good_save(&site->last_good, &entry, stack);
}

static void on_save_time(uv_timer_t *timer)
{
	struct site *site = timer->data;

	site->host.on_save(site->host.data);
}

void site_save_soon(struct site *site)
{
	if (site->last_good.cache &&
	    !uv_is_active((uv_handle_t *)&site->saving))
		(void)uv_timer_start(&site->saving, on_save_time, SAVE_SOON_MS,
				     0);
}

void site_forget(struct site *site)
{
	(void)uv_timer_stop(&site->saving);
	last_good_forget(&site->last_good);
}

static void take_entry(struct site *site, const struct cache_entry *entry)
{
	const struct cache_vaults *feed = &entry->feeds[VAULT_CONFIG];

	for (size_t i = 0; i < feed->count; i++)
		site_docs_put(&site->docs, str_from(feed->vaults[i].id),
			      feed->vaults[i].data);
	log_info("site-from-cache", LOG_INT("documents", site->docs.count),
		 LOG_INT("age", time(NULL) - feed->fetched_at));
}

static void restore(struct site *site)
{
	const char *user = site->settings->etcd.user;
	struct last_good_limits limits = limits_of(site);
	struct cache_query whose = {
		.api_server = site->docs.prefix,
		.access_key = user ? user : "",
	};
	_cleanup_(cache_entry_deinit) struct cache_entry entry = {0};

	if (last_good_restore(&site->last_good, &whose, &entry) &&
	    last_good_lapse(&site->last_good, &limits, clock_boot_ms()) ==
		    LAST_GOOD_ON)
		take_entry(site, &entry);
}

/* --- how it stands --- */

bool site_is_starting(const struct site *site)
{
	return site && site->etcd && site->health == ETCD_STARTING &&
	       !site->last_good.kept;
}

bool site_is_well(const struct site *site)
{
	return !site || (site->etcd && site->health == ETCD_WELL);
}

bool site_has_asked(const struct site *site)
{
	return !site || !site->etcd || site->health != ETCD_STARTING;
}

bool site_is_asking(const struct site *site)
{
	return site && site->etcd && etcd_is_asking(site->etcd);
}

const char *site_problem(const struct site *site)
{
	return site && site->etcd ? etcd_error(site->etcd) : NULL;
}

int64_t site_lag(const struct site *site)
{
	int64_t age = last_good_age(&site->last_good, clock_boot_ms());

	if (site_is_well(site))
		return 0;
	return age < 0 ? -1 : age / 1000;
}

int64_t site_stale(const struct site *site)
{
	int64_t age = site_is_well(site) ? -1
					 : last_good_age(&site->last_good,
							 clock_boot_ms());

	return age > 2 * site->settings->interval ? age / 1000 : -1;
}

const char *site_state_name(const struct site *site)
{
	static const char *const names[] = {
		[ETCD_STARTING] = "offline",  [ETCD_WELL] = "ready",
		[ETCD_AWAY] = "offline",      [ETCD_AILING] = "degraded",
		[ETCD_REJECTED] = "degraded",
	};

	return site->etcd ? names[site->health] : "offline";
}

const char *site_token(const struct site *site)
{
	return site->etcd ? etcd_token(site->etcd) : NULL;
}

void site_write_status(const struct site *site, const char *problem,
		       struct buf *json)
{
	int64_t revision = site->etcd ? etcd_revision(site->etcd) : 0;

	if (site->etcd)
		json_add_string(json, "endpoint", etcd_endpoint(site->etcd));
	if (revision)
		json_add_int(json, "revision", revision);
	json_add_string(json, "state", site_state_name(site));
	json_add_optional_string(json, "last_error", problem);
}

/* --- beginning and end --- */

bool site_is_named(const struct settings *settings)
{
	return settings->etcd.etcd && *settings->etcd.etcd;
}

static void open_last_good(struct site *site)
{
	const struct last_good_place place = {
		.loop = site->host.loop,
		.state_dir = site->host.state_dir,
		.name = site_cache_name,
		.read_only = site->host.read_only,
		.kinds = {LAYER_ETCD, LAYER_KINDS},
	};

	last_good_init(&site->last_good, &place);
}

struct site *site_new(const struct site_host *host,
		      const struct settings *settings)
{
	struct site *site;

	if (!site_is_named(settings))
		return NULL;
	site = mem_alloc(sizeof(*site));
	site->host = *host;
	site->settings = settings;
	site_docs_init(&site->docs, settings->etcd.prefix,
		       settings->etcd.groups, host->machine);
	site_feed_init(&site->feed, settings, &site->docs);
	(void)uv_timer_init(host->loop, &site->timer);
	(void)uv_timer_init(host->loop, &site->saving);
	(void)uv_timer_init(host->loop, &site->confirming);
	site->timer.data = site->saving.data = site->confirming.data = site;
	site->open_handles = 3;
	open_last_good(site);
	restore(site);
	open_feed(site);
	expect(site);
	return site;
}

/* What is still for this host stays until the new feed has said what is. The
 * old ones are the caller's after. */
static void change_feed(struct site *site, struct site_docs *docs,
			struct site_feed *feed)
{
	struct site_docs old_docs = site->docs;
	struct site_feed old_feed = site->feed;

	site_confirm_end(site);
	etcd_close(TAKE(site->etcd));
	site->docs = *docs;
	site->feed = *feed;
	*docs = old_docs;
	*feed = old_feed;
	site_docs_inherit(&site->docs, docs);
	if (!str_same(site->docs.prefix, docs->prefix))
		last_good_drop(&site->last_good);
	open_feed(site);
	expect(site);
}

void site_set_settings(struct site *site, const struct settings *settings)
{
	_cleanup_(site_docs_deinit) struct site_docs docs;
	_cleanup_(site_feed_deinit) struct site_feed feed;

	site_docs_init(&docs, settings->etcd.prefix, settings->etcd.groups,
		       site->host.machine);
	site_feed_init(&feed, settings, &docs);
	site->settings = settings;
	if (etcd_config_equal(&site->feed.config, &feed.config))
		site_refresh(site);
	else
		change_feed(site, &docs, &feed);
}

void site_refresh(struct site *site)
{
	if (site->etcd)
		etcd_refresh(site->etcd);
}

static void on_closed(uv_handle_t *handle)
{
	struct site *site = handle->data;

	if (--site->open_handles == 0)
		mem_free(site);
}

void site_close(struct site *site)
{
	if (!site)
		return;
	site_confirm_end(site);
	etcd_close(TAKE(site->etcd));
	last_good_close(&site->last_good);
	site_feed_deinit(&site->feed);
	site_docs_deinit(&site->docs);
	uv_close((uv_handle_t *)&site->timer, on_closed);
	uv_close((uv_handle_t *)&site->saving, on_closed);
	uv_close((uv_handle_t *)&site->confirming, on_closed);
}
