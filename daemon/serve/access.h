#ifndef SERVE_ACCESS_H
#define SERVE_ACCESS_H

/*
 * Access: who may do what, by peer credentials (INTERFACE.md "Rights").
 *
 * A right's list is names: `user`, `group:name`, numbers, `*` for everybody.
 * They are resolved once; an unknown one grants nothing and is a warning. The
 * daemon's own uid and root have every right.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum access_right {
	ACCESS_READ = 1 << 0,
	ACCESS_SECRETS = 1 << 1,
	ACCESS_ADMIN = 1 << 2,
};

struct peer {
	uid_t uid;
	pid_t pid;     /* 0: of a namespace that ours does not see */
	gid_t *groups; /* the primary and the supplementary ones */
	size_t group_count;
};

struct access;

/* Lists as the settings have them, names separated by blanks; NULL or "":
 * nobody else. */
struct access *access_new(const char *read, const char *secrets,
			  const char *admin);
void access_free(struct access *access);

/* The sum of the rights that @peer has. */
unsigned int access_rights(const struct access *access,
			   const struct peer *peer);

/* Are there users of this host whom this process's namespace cannot name? They
 * all would be one uid, and nobody could tell who asks. */
bool access_hides_users(void);

/* "read", "secrets", "admin". */
const char *access_right_name(enum access_right right);

/* The uid that the kernel shows for those whom it cannot name in our namespace:
 * it is nobody's, and grants nothing. */
uid_t access_overflow_uid(void);

/* User and primary group of the process at the other end of the socket @fd,
 * when it connected; then its supplementary groups, which cost more to learn. 0
 * or a negative errno. */
int peer_init(struct peer *peer, int fd);
int peer_add_groups(struct peer *peer, int fd);
void peer_deinit(struct peer *peer);

#endif
