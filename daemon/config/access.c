#include "config/access.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define ALL_RIGHTS  (ACCESS_READ | ACCESS_SECRETS | ACCESS_ADMIN)
#define NAME_BUFFER ((size_t)4 * 1024)
#define NAME_LIMIT  ((size_t)1024 * 1024) /* of one entry of passwd or group */

/* One name of a list: a user or a group, resolved. */
struct grant {
	unsigned int rights;
	bool group, everybody;
	id_t id;
};

struct access {
	uid_t own;
	bool root; /* this host's has every right */
	size_t count;
	struct grant *grants;
};

static const struct {
	enum access_right right;
	const char *name;
} right_names[] = {
	{ACCESS_READ, "read"},
	{ACCESS_SECRETS, "secrets"},
	{ACCESS_ADMIN, "admin"},
};

const char *access_right_name(enum access_right right)
{
	for (size_t i = 0; i < ARRAY_SIZE(right_names); i++)
		if (right_names[i].right == right)
			return right_names[i].name;
	return NULL;
}

static int user_lookup(const char *name, char *buffer, size_t size, id_t *id)
{
	struct passwd entry, *found = NULL;
	int r = getpwnam_r(name, &entry, buffer, size, &found);

	*id = found ? found->pw_uid : ACCESS_NOBODY;
	return r;
}

static int group_lookup(const char *name, char *buffer, size_t size, id_t *id)
{
	struct group entry, *found = NULL;
	int r = getgrnam_r(name, &entry, buffer, size, &found);

	*id = found ? found->gr_gid : ACCESS_NOBODY;
	return r;
}

static bool parse_id(const char *text, id_t *id)
{
	unsigned long long number;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno || *end || number >= ACCESS_NOBODY)
		return false;
	*id = (id_t)number;
	return true;
}

bool access_resolve(const char *name, bool group, id_t *id)
{
	_cleanup_(mem_freep) char *buffer = NULL;
	size_t size = NAME_BUFFER;
	int r;

	if (parse_id(name, id))
		return true;
	do {
		buffer = mem_grow(buffer, size);
		r = group ? group_lookup(name, buffer, size, id)
			  : user_lookup(name, buffer, size, id);
		size *= 2;
	} while (r == ERANGE && size <= NAME_LIMIT);
	return *id != ACCESS_NOBODY;
}

static bool parse_grant(const char *name, struct grant *grant)
{
	static const char prefix[] = "group:";

	grant->everybody = !strcmp(name, "*");
	if (grant->everybody)
		return true;
	grant->group = !strncmp(name, prefix, sizeof(prefix) - 1);
	if (grant->group)
		name += sizeof(prefix) - 1;
	return access_resolve(name, grant->group, &grant->id);
}

bool access_knows(const char *name)
{
	struct grant grant;

	return parse_grant(name, &grant);
}

static void add_grant(struct access *access, struct grant grant)
{
	size_t size = (access->count + 1) * sizeof(grant);

	access->grants = mem_grow(access->grants, size);
	access->grants[access->count++] = grant;
}

static void add_list(struct access *access, enum access_right right,
		     const char *list)
{
	_cleanup_(mem_freep) char *names = mem_strdup(list ? list : "");
	char *rest = names, *name;

	while ((name = strtok_r(rest, " \t,", &rest))) {
		struct grant grant = {.rights = right};

		if (parse_grant(name, &grant))
			add_grant(access, grant);
	}
}

struct access *access_new(const char *read, const char *secrets,
			  const char *admin, bool root)
{
	struct access *access = mem_alloc(sizeof(*access));

	access->root = root;
	access->own = geteuid();
	add_list(access, ACCESS_READ, read);
	add_list(access, ACCESS_SECRETS, secrets);
	add_list(access, ACCESS_ADMIN, admin);
	return access;
}

void access_free(struct access *access)
{
	if (!access)
		return;
	mem_free(access->grants);
	mem_free(access);
}

bool access_user_in_group(const struct access_user *user, gid_t group)
{
	for (size_t i = 0; i < user->group_count; i++)
		if (user->groups[i] == group)
			return true;
	return false;
}

static bool holds_for(const struct grant *grant, const struct access_user *user)
{
	if (grant->everybody)
		return true;
	return grant->group ? access_user_in_group(user, grant->id)
			    : user->uid == grant->id;
}

static bool has_every_right(const struct access *access,
			    const struct access_user *user)
{
	if (user->uid == 0)
		return access->root && !user->elsewhere;
	return user->uid == access->own;
}

unsigned int access_rights(const struct access *access,
			   const struct access_user *user)
{
	unsigned int rights = 0;

	if (has_every_right(access, user))
		return ALL_RIGHTS;
	for (size_t i = 0; i < access->count; i++)
		if (holds_for(&access->grants[i], user))
			rights |= access->grants[i].rights;
	return rights;
}
