#include "text/owner.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define ID_MAX 4294967294UL /* the one above means nobody */

static bool parse_number(const char *text, unsigned int *id)
{
	unsigned long number;

	if (!*text || text[strspn(text, "0123456789")] || strlen(text) > 10)
		return false;
	number = strtoul(text, NULL, 10);
	*id = (unsigned int)number;
	return number <= ID_MAX;
}

static bool parse_user(const char *name, uid_t *uid, gid_t *gid)
{
	struct passwd *user = getpwnam(name);

	if (!user)
		return parse_number(name, uid);
	*uid = user->pw_uid;
	*gid = user->pw_gid;
	return true;
}

static bool parse_group(const char *name, gid_t *gid)
{
	struct group *group = getgrnam(name);

	if (!group)
		return parse_number(name, gid);
	*gid = group->gr_gid;
	return true;
}

bool owner_parse(const char *text, uid_t *uid, gid_t *gid)
{
	_cleanup_(mem_freep) char *user = mem_strdup(text);
	char *group = strchr(user, ':');

	*uid = (uid_t)-1;
	*gid = (gid_t)-1;
	if (group)
		*group++ = '\0';
	if (*user && !parse_user(user, uid, gid))
		return false;
	if (group && *group)
		return parse_group(group, gid);
	return *user != '\0';
}
