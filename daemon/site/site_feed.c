#include "site/site_feed.h"

#include "base/mem.h"
#include "fetch/poll_phase.h"
#include "settings/places.h"
#include "settings/settings.h"
#include "site/site_docs.h"

static char *file_of(const struct settings *settings, const char *name)
{
	return name && *name ? places_file(name, settings->path) : NULL;
}

/* The texts and lists, which the configuration borrows. */
static void make_parts(struct site_feed *feed, const struct settings *settings,
		       const struct site_docs *docs)
{
	*feed = (struct site_feed){
		.password_file =
			file_of(settings, settings->etcd.password_file),
		.ca = file_of(settings, settings->etcd.ca),
		.cert = file_of(settings, settings->etcd.cert),
		.key = file_of(settings, settings->etcd.key),
	};
	if (feed->password_file)
		feed->user = mem_strdup(settings->etcd.user);
	feed->urls = mem_strdup(settings->etcd.etcd);
	feed->endpoints =
		etcd_split_urls(feed->urls, &feed->config.nodes.endpoint_count);
	feed->spans = site_docs_spans(docs, &feed->config.span_count);
}

/* A fleet spreads over the nodes by where each host begins. */
void site_feed_init(struct site_feed *feed, const struct settings *settings,
		    const struct site_docs *docs)
{
	size_t count;

	make_parts(feed, settings, docs);
	count = feed->config.nodes.endpoint_count;
	feed->config = (struct etcd_config){
		.nodes =
			{
				.endpoints = feed->endpoints,
				.endpoint_count = count,
				.first = poll_phase_part(
					poll_phase_here("etcd"), count),
				.user = feed->user,
				.password_file = feed->password_file,
				.tls = {true, feed->ca, feed->cert, feed->key},
				.timeout_ms = (uint64_t)settings->timeout,
			},
		.spans = feed->spans,
		.span_count = feed->config.span_count,
		.probe_ms = (uint64_t)settings->etcd.probe,
		.backoff_max_ms = (uint64_t)settings->backoff_max,
		.keys_max = SITE_DOCS_MAX,
		.bytes_max = (size_t)settings->limits.response,
	};
}

void site_feed_deinit(struct site_feed *feed)
{
	site_spans_free(feed->spans, feed->config.span_count);
	mem_free(feed->urls);
	mem_free(feed->endpoints);
	mem_free(feed->user);
	mem_free(feed->password_file);
	mem_free(feed->ca);
	mem_free(feed->cert);
	mem_free(feed->key);
	*feed = (struct site_feed){0};
}
