#ifndef SERVE_PEER_H
#define SERVE_PEER_H

/*
 * Peer: the process at the other end of a connection, as the kernel knew it
 * when it connected. What it may do is said by config/access.
 */

#include <stdbool.h>
#include <stdint.h>

#include "config/access.h"

struct abode;
struct caller_rule;
struct callers;

struct peer {
	struct access_user user;
	pid_t pid;     /* 0: of a namespace that ours does not see */
	int fd;        /* the socket, the connection's */
	int64_t since; /* it was accepted; milliseconds of the boot clock */

	/* For peer_own: what it has found. */
	char *cgroup; /* its path, empty: cannot be told; NULL: not read */
	const struct caller_rule *own;
	uint64_t own_serial; /* of the callers that `own` is of */
};

/* User and primary group of who is at the other end of the socket @fd, and, of
 * root, whether it lives where @here is; then its supplementary groups, which
 * cost more to learn. 0 or a negative errno. */
int peer_init(struct peer *peer, int fd, const struct abode *here);
int peer_add_groups(struct peer *peer);

/* Has the process that connected ended, so that others hold its connection? Its
 * PID may be another's then. */
bool peer_has_ended(const struct peer *peer);

/* Which workspace is its own by @callers, and why: theirs; NULL: none is. Its
 * cgroup is read once, when that is asked for. */
const struct caller_rule *peer_own(struct peer *peer,
				   const struct callers *callers);

void peer_deinit(struct peer *peer);

/* Are there users of this host whom this process's namespace cannot name? They
 * all would be one uid, and nobody could tell who asks. */
bool peer_users_are_hidden(void);

/* The uid that the kernel shows for those whom it cannot name in our namespace:
 * it is nobody's, and grants nothing. */
uid_t peer_overflow_uid(void);

#endif
