#ifndef SITE_FEED_H
#define SITE_FEED_H

/*
 * Site feed: what a feed of etcd is made from, out of [site], [poll] and
 * [limits] of the settings. Settings that make an equal one need no other feed.
 *
 * It owns all texts and lists of its configuration, so it outlives the feed.
 */

#include "fetch/etcd/etcd.h"

struct settings;
struct site_docs;

struct site_feed {
	struct etcd_config config; /* without its callbacks */
	char *urls;                /* the endpoints lie in it */
	const char **endpoints;
	struct etcd_span *spans;
	char *user, *password_file, *ca, *cert, *key;
};

/* @docs: whose keys are asked for. */
void site_feed_init(struct site_feed *feed, const struct settings *settings,
		    const struct site_docs *docs);
void site_feed_deinit(struct site_feed *feed);

#endif
