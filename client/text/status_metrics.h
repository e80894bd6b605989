#ifndef STATUS_METRICS_H
#define STATUS_METRICS_H

struct buf;
struct value;

/* The Status object of io.clearconf as OpenMetrics text, which the textfile
 * collector of node_exporter reads too: there are gauges and counters only.
 * Only the workspace @name unless NULL. */
void status_metrics_write(struct buf *out, const struct value *status,
			  const char *name);

#endif
