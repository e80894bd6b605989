#include "trust.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "handle.h"
#include "wire.h"

#define SYSTEM_PARENT "/run"
#define BY_OTHERS     (S_IWGRP | S_IWOTH)

/* The folder of @path, which is a file's. False: there is none. */
static bool find_folder(const char *path, struct stat *folder)
{
	char name[sizeof(((struct clearconf *)0)->socket)];
	char *end;

	(void)strncpy(name, path, sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	end = strrchr(name, '/');
	if (!end)
		return stat(".", folder) == 0;
	end[1] = '\0';
	return stat(name, folder) == 0;
}

/* Did root give the folder of the system instance, in which @path is, to
 * @uid? */
static bool is_system_user(const char *path, uid_t uid)
{
	struct stat parent, system, folder;

	if (stat(SYSTEM_PARENT, &parent) < 0 ||
	    !find_folder(WIRE_SYSTEM_SOCKET, &system) ||
	    !find_folder(path, &folder))
		return false;
	return parent.st_uid == 0 && !(parent.st_mode & BY_OTHERS) &&
	       folder.st_dev == system.st_dev &&
	       folder.st_ino == system.st_ino && system.st_uid == uid &&
	       !(system.st_mode & BY_OTHERS);
}

int trust_check(struct clearconf *handle)
{
	struct ucred server;
	socklen_t size = sizeof(server);

	if (getsockopt(handle->fd, SOL_SOCKET, SO_PEERCRED, &server, &size) < 0)
		return handle_fail(handle, -errno, "cannot tell who serves %s",
				   handle->socket);
	if (server.uid == 0 || server.uid == geteuid() ||
	    is_system_user(handle->socket, server.uid))
		return 0;
	return handle_fail(handle, -EPERM,
			   "the socket %s is served by uid %u, who is neither "
			   "root nor this user (uid %u)",
			   handle->socket, (unsigned int)server.uid,
			   (unsigned int)geteuid());
}
