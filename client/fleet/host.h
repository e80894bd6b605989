#ifndef FLEET_HOST_H
#define FLEET_HOST_H

/*
 * Host: what one daemon says of itself in its report (daemon/doc/fleet.md), or
 * that nothing is heard of it. Any daemon's host may have written anything
 * there: what is damaged, newer than this program or from the future is kept as
 * just that. All texts lie in the arena it was read into.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct buf;

#define HOST_REPORT_BYTES ((size_t)64 * 1024) /* four times a report's most */
#define HOST_DOCUMENTS    64
#define HOST_BAD          8
#define HOST_GROUPS       64
#define HOST_REVISIONS    2

/* What is to be looked at first comes first. */
enum host_status {
	HOST_OFFLINE,    /* known, and nothing is heard of it */
	HOST_UNREADABLE, /* its report cannot be understood */
	HOST_DOUBLED,    /* two machines report under one name */
	HOST_BROKEN,     /* it refuses a document, or finds a rollout bad */
	HOST_BEHIND,     /* it has not what etcd holds for it */
	HOST_HELD,       /* somebody holds its configuration */
	HOST_DRIFTING,   /* same documents as others, another result */
	HOST_AILING,     /* it says so itself: degraded, offline, ... */
	HOST_WAITING,    /* the server has other vaults than it serves */
	HOST_READY,
	HOST_STATUSES,
};

struct host_document {
	struct str name;
	int64_t revision;   /* 0: it is from the host's cache */
	struct str rollout; /* whose text it is; empty: the document's own */
	bool broken;        /* the last good text is served in its place */
};

/* Of a rollout of the document @name, or of @vaults, a revision; the other is
 * empty. */
struct host_bad {
	struct str rollout, name, vaults, kind, reason;
};

struct host {
	struct str name;
	int64_t revision;  /* of its key; 0: it has none, it is offline */
	const char *fault; /* the report is none: why; NULL: it is one */

	struct str machine, version;
	struct str *groups;
	size_t group_count;
	int64_t time, started, clock; /* clock: seconds ahead of etcd's */

	struct str state; /* of the active workspace, as are these: */
	int64_t since;
	struct str workspace, digest;
	bool keyed; /* the digest is comparable with others that are */
	struct str problem, rival;
	bool held;
	int64_t held_since, held_until; /* -1: for good */
	struct str held_why;
	struct str waiting, skipped; /* revisions of vaults; empty: none */

	int64_t site_revision;
	int64_t document_total; /* of which there may be more than listed */
	struct host_document *documents;
	size_t document_count;
	int64_t consumers, consumers_behind;
	struct host_bad *bad;
	size_t bad_count;

	/* By the fleet: what is made of it. */
	enum host_status status;
	int64_t status_since; /* -1: not known */
	const char *reason;   /* one line; "": none is needed */
};

/* Read the report @json of @host, whose name and revision are set; texts are
 * copied. */
void host_read(struct host *host, struct arena *arena, struct str json);

/* What is to be remembered of a host that was there, as a report that
 * host_read understands: its machine and groups, and in @since when it was
 * missed first (-1: it is there). */
void host_write_memory(struct buf *json, const struct host *host,
		       int64_t since);

/* Its member "groups" alone. */
void host_write_groups(struct buf *json, const struct host *host);

/* Would that be the same? */
bool host_is_same_memory(const struct host *a, const struct host *b);

/* "ready", "behind", ... */
const char *host_status_word(enum host_status status);

/* NULL: it has none of that name. */
const struct host_document *host_document(const struct host *host,
					  struct str name);
const struct host_bad *host_bad(const struct host *host, struct str rollout);
const struct host_bad *host_bad_vaults(const struct host *host,
				       struct str revision);

/* " (gpu-01: left: it ended with status 1)" */
void host_add_bad(struct buf *out, const struct host *host,
		  const struct host_bad *bad);
bool host_is_in(const struct host *host, struct str group);

#endif
