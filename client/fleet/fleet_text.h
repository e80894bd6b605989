#ifndef FLEET_FLEET_TEXT_H
#define FLEET_FLEET_TEXT_H

/*
 * The fleet as it is shown: for people, as JSON and for Prometheus.
 */

struct buf;
struct fleet;
struct host;

/* A line for hosts that are alike, and one for each rollout. */
void fleet_text_add(struct buf *out, const struct fleet *fleet);
void fleet_text_add_json(struct buf *out, const struct fleet *fleet);
void fleet_text_add_metrics(struct buf *out, const struct fleet *fleet);

/* One host, all that it says. */
void fleet_text_add_host(struct buf *out, const struct fleet *fleet,
			 const struct host *host);
void fleet_text_add_host_json(struct buf *out, const struct host *host);

#endif
