/* What a node of etcd may say: the answer to a call, and a line of a watch. */

#include <assert.h>

#include "fetch/etcd/etcd_wire.h"
#include "fuzz_text.h"

static bool is_error(enum etcd_reply_kind kind)
{
	return kind == ETCD_REFUSED || kind == ETCD_TROUBLE ||
	       kind == ETCD_TOKEN_OVER || kind == ETCD_NO_AUTH;
}

static void check(struct etcd_reply *reply)
{
	assert(!is_error(reply->kind) || reply->message);
	assert(reply->kind != ETCD_FOREIGN || !reply->count);
	for (const char *c = reply->message; c && *c; c++)
		assert((unsigned char)*c >= ' ');
	for (size_t i = 0; i < reply->count; i++) {
		assert(reply->kvs[i].key.len && reply->kvs[i].revision > 0);
		assert(!reply->kvs[i].value.len || reply->kvs[i].value.ptr);
	}
	etcd_reply_deinit(reply);
}

static void test(struct str input)
{
	struct etcd_reply reply;

	etcd_reply_read(&reply, input);
	check(&reply);
	etcd_reply_read_line(&reply, input);
	check(&reply);
}

FUZZ_TARGET("etcd", test)
