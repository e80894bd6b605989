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
	int64_t lease;    /* that it lives by; 0: none */
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
	ETCD_MISSING, /* what it was about is not there: a lease */
	ETCD_TROUBLE, /* any other error */
};

struct etcd_reply {
	struct arena arena;
	enum etcd_reply_kind kind;
	struct str cluster;  /* its id; empty: not said */
	int64_t revision;    /* of the store; 0: not said */
	int64_t watch;       /* of a line: which of those asked for */
	struct etcd_kv *kvs; /* of a transaction those of all its ranges */
	size_t count, room;
	bool more;           /* keys that the limit cut off */
	bool succeeded;      /* of a transaction: its conditions held */
	int64_t lease, ttl;  /* ttl: in seconds; 0: it has run out */
	int64_t code;        /* gRPC's, of an error; 0: not said */
	struct str token;    /* empty: none */
	const char *message; /* of an error, as one line; else NULL */
};

/* Keys of @span, @limit of them at most, as they were at @revision (0: now). */
void etcd_write_range(struct buf *out, const struct etcd_span *span,
		      int64_t limit, int64_t revision);

/* Which keys, and what of them. */
struct etcd_get {
	struct etcd_span span; /* end empty: the key alone */
	int64_t limit;         /* of keys; 0: none */
	int64_t revision;      /* as of which; 0: now */
	bool keys_only;
	bool local; /* as the node that is asked knows it: it may be behind */
	bool last_first;
};

void etcd_write_get(struct buf *out, const struct etcd_get *get);

/* --- what changes something --- */

enum etcd_op_kind { ETCD_OP_PUT, ETCD_OP_DELETE, ETCD_OP_GET };

struct etcd_op {
	enum etcd_op_kind kind;
	struct etcd_span span; /* of a put the key; end empty: the key alone */
	struct str value;      /* of a put */
	int64_t lease;         /* of a put; 0: it stays */
	bool keep_lease;       /* of a put: that of the key as it is */
};

/* What a key must have for a transaction to do what it is for. A key that is
 * not there has 0 of everything. */
enum etcd_compare_target {
	ETCD_COMPARE_REVISION, /* that wrote it */
	ETCD_COMPARE_CREATED,
	ETCD_COMPARE_LEASE,
};

struct etcd_compare {
	enum etcd_compare_target target;
	struct str key;
	int64_t is;
};

/* If all of @compares hold @then, else @otherwise. No key may be put twice. */
struct etcd_txn {
	const struct etcd_compare *compares;
	size_t compare_count;
	const struct etcd_op *then;
	size_t then_count;
	const struct etcd_op *otherwise;
	size_t otherwise_count;
};

/* kv/txn */
void etcd_write_txn(struct buf *out, const struct etcd_txn *txn);

/* lease/grant */
void etcd_write_lease(struct buf *out, int64_t ttl_s);

/* lease/keepalive, lease/revoke */
void etcd_write_lease_id(struct buf *out, int64_t lease);

/* --- the feed's --- */

/* Watch number @watch (from 1 on), from @revision on. Several of them one after
 * the other make one stream. */
void etcd_write_watch(struct buf *out, const struct etcd_span *span,
		      int64_t watch, int64_t revision);

void etcd_write_login(struct buf *out, const char *user, struct str password);

/* The answer to a call, also that of lease/keepalive, which is the one line of
 * a stream; what HTTP said of it does not matter. */
void etcd_reply_read(struct etcd_reply *reply, struct str body);

/* Read one line of a stream. */
void etcd_reply_read_line(struct etcd_reply *reply, struct str line);

void etcd_reply_deinit(struct etcd_reply *reply);

#endif
