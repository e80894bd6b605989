#ifndef CONFIG_ACCESS_H
#define CONFIG_ACCESS_H

/*
 * Access: who may do what (clearconfd.conf(5), "Section access").
 *
 * A right's list is names: `user`, `group:name`, numbers, `*` for everybody.
 * They are resolved once; an unknown one grants nothing, of which whoever reads
 * the settings warns. The
 * daemon's own uid has every right, and so has root of this host, unless it is
 * to have none; root of a container has what a list gives it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum access_right {
	ACCESS_READ = 1 << 0,
	ACCESS_SECRETS = 1 << 1,
	ACCESS_ADMIN = 1 << 2,
};

struct access_user {
	uid_t uid;
	gid_t *groups; /* the primary and the supplementary ones */
	size_t group_count;
	bool elsewhere; /* of uid 0: not known to be this host's own */
};

/* "No change" to chown(2) and setuid(2). */
#define ACCESS_NOBODY ((id_t)-1)

struct access;

/* The id of a user or a group by its name, or by its number. False: there is
 * none of that name. */
bool access_resolve(const char *name, bool group, id_t *id);

bool access_user_in_group(const struct access_user *user, gid_t group);

/* Does @name, of a list as below, grant somebody something? */
bool access_knows(const char *name);

/* Lists as the settings have them, names separated by blanks; NULL or "":
 * nobody else. @root: this host's has every right. */
struct access *access_new(const char *read, const char *secrets,
			  const char *admin, bool root);
void access_free(struct access *access);

/* The sum of the rights that @user has. */
unsigned int access_rights(const struct access *access,
			   const struct access_user *user);

/* The name of a right: "read", "secrets", "admin". */
const char *access_right_name(enum access_right right);

#endif
