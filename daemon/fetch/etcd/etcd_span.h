#ifndef FETCH_ETCD_SPAN_H
#define FETCH_ETCD_SPAN_H

/*
 * Spans of keys that own the texts which they point to.
 */

#include "fetch/etcd/etcd_wire.h"

/* All keys that begin with @prefix, which is not empty. */
struct etcd_span etcd_span_below(const char *prefix);

void etcd_span_deinit(struct etcd_span *span);

#endif
