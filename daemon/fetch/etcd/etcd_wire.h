#ifndef FETCH_ETCD_WIRE_H
#define FETCH_ETCD_WIRE_H

/*
 * What is said between us and the JSON gateway of etcd v3: questions are
 * written, answers and the lines of a watch are read. Pure: bytes in, bytes
 * out.
 *
 * The gateway writes 64-bit numbers as strings, keys and values in base64, and
 * leaves out what is zero or empty. What a reply points to lies in its arena,
 * which is the caller's to end (etcd_reply_deinit).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"

/* Keys from @key up to, but not with, @end. */
struct etcd_span {
	struct str key, end;
};

/* A key and its value, or that it is gone (value.ptr NULL). Any bytes. */
struct etcd_kv {
	struct str key, value;
	int64_t revision; /* that wrote or deleted it */
};

enum etcd_reply_kind {
	ETCD_FOREIGN,   /* no words of etcd's */
	ETCD_DONE,      /* of a call: kvs and more, or token */
	ETCD_CREATED,   /* a watch is in place */
	ETCD_EVENTS,    /* of a watch, in their order; none: it is up to date */
	ETCD_COMPACTED, /* what was asked for has been forgotten */
	ETCD_TOKEN_OVER,
	ETCD_REFUSED, /* the login, or what it may read */
	ETCD_NO_AUTH, /* there is no login here, nor need for one */
	ETCD_TROUBLE, /* any other error */
};

struct etcd_reply {
	struct arena arena;
	enum etcd_reply_kind kind;
	struct str cluster; /* its id; empty: not said */
	int64_t revision;   /* of the store; 0: not said */
	int64_t watch;      /* of a line: which of those asked for */
	struct etcd_kv *kvs;
	size_t count;
	bool more;           /* keys that the limit cut off */
	struct str token;    /* empty: none */
	const char *message; /* of an error, as one line; else NULL */
};

/* Keys of @span, @limit of them at most, as they were at @revision (0: now). */
void etcd_write_range(struct buf *out, const struct etcd_span *span,
		      int64_t limit, int64_t revision);

/* Watch number @watch (from 1 on), from @revision on. Several of them one after
 * the other make one stream. */
void etcd_write_watch(struct buf *out, const struct etcd_span *span,
		      int64_t watch, int64_t revision);

void etcd_write_login(struct buf *out, const char *user, struct str password);

/* The answer to a call; what HTTP said of it does not matter. */
void etcd_reply_read(struct etcd_reply *reply, struct str body);

/* Read one line of a stream. */
void etcd_reply_read_line(struct etcd_reply *reply, struct str line);

void etcd_reply_deinit(struct etcd_reply *reply);

#endif
