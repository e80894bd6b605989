#include "fetch/etcd/etcd_span.h"

#include <string.h>

#include "base/mem.h"

struct etcd_span etcd_span_below(const char *prefix)
{
	size_t len = strlen(prefix);
	char *end = mem_strdup(prefix);

	end[len - 1]++;
	return (struct etcd_span){{mem_strdup(prefix), len}, {end, len}};
}

void etcd_span_deinit(struct etcd_span *span)
{
	mem_free((char *)span->key.ptr);
	mem_free((char *)span->end.ptr);
}
