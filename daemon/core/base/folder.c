#include "base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

#define LINKS_MAX 40

/* A walk from the root down: what is left of the path, and where it stands. */
struct walk {
	char *rest;
	int fd;
	uid_t owner;
	bool may_be_sticky; /* the last one */
	const char *remedy; /* for a folder of somebody else's */
	unsigned int links;
	char *problem;
};

/* @what and @more: about the open folder or link @fd, whose name the kernel
 * knows. */
static int refuse(struct walk *walk, int fd, const char *what, const char *more)
{
	char link[32], name[PATH_MAX];
	ssize_t len;

	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, name, sizeof(name) - 1);
	walk->problem =
		len < 0 ? mem_printf("a folder on the way %s%s", what, more)
			: mem_printf("%.*s %s%s", (int)len, name, what, more);
	return -EPERM;
}

static bool is_trusted(const struct walk *walk, uid_t uid)
{
	return uid == 0 || uid == walk->owner || uid == geteuid();
}

static int check_folder(struct walk *walk, int fd, const struct stat *st)
{
	bool last = walk->rest[strspn(walk->rest, "/")] == '\0';
	bool shared = (st->st_mode & S_IWOTH) ||
		      ((st->st_mode & S_IWGRP) && st->st_gid != 0);
	bool sticky = st->st_mode & S_ISVTX;

	if (!is_trusted(walk, st->st_uid))
		return refuse(walk, fd, "belongs to somebody else",
			      walk->remedy);
	if (shared && (!sticky || (last && !walk->may_be_sticky)))
		return refuse(walk, fd, "may be written to by others",
			      ": chmod go-w it, or choose another folder");
	return 0;
}

/* Go on from the folder @fd, which is taken over. */
static void move_to(struct walk *walk, int *fd)
{
	file_closep(&walk->fd);
	walk->fd = *fd;
	*fd = -1;
}

static int start_at_root(struct walk *walk)
{
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	move_to(walk, &fd);
	return 0;
}

/* Put what the symbolic link @fd points to in front of the rest. */
static int follow(struct walk *walk, int fd)
{
	char target[PATH_MAX];
	ssize_t len = readlinkat(fd, "", target, sizeof(target) - 1);
	char *rest;

	if (len < 0)
		return -errno;
	if (++walk->links > LINKS_MAX)
		return -ELOOP;
	target[len] = '\0';
	rest = mem_printf("%s/%s", target, walk->rest);
	mem_free(walk->rest);
	walk->rest = rest;
	return target[0] == '/' ? start_at_root(walk) : 0;
}

/* The next name of the rest, taken off it; NULL at the end. */
static char *next_name(struct walk *walk)
{
	char *start = walk->rest + strspn(walk->rest, "/"), *name;
	size_t len = strcspn(start, "/");

	if (!len)
		return NULL;
	name = mem_strndup(start, len);
	memmove(walk->rest, start + len, strlen(start + len) + 1);
	return name;
}

/* One name down: a folder is entered, a link followed. */
static int step(struct walk *walk, const char *name)
{
	_cleanup_(file_closep) int fd =
		openat(walk->fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode)) {
		if (!is_trusted(walk, st.st_uid))
			return refuse(walk, fd, "is a link of somebody else's",
				      "");
		return follow(walk, fd);
	}
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	r = check_folder(walk, fd, &st);
	if (r == 0)
		move_to(walk, &fd);
	return r;
}

static int walk_down(struct walk *walk)
{
	int r = start_at_root(walk);

	while (r == 0) {
		_cleanup_(mem_freep) char *name = next_name(walk);

		if (!name)
			break;
		r = step(walk, name);
	}
	return r;
}

static char *absolute(const char *path)
{
	char here[PATH_MAX];

	if (path[0] == '/')
		return mem_strdup(path);
	if (!getcwd(here, sizeof(here)))
		return NULL;
	return mem_printf("%s/%s", here, path);
}

/* Open @path by @walk, which is released with it. */
static int open_by(struct walk *walk, const char *path, char **problem)
{
	int r;

	walk->fd = -1;
	walk->rest = absolute(path);
	r = walk->rest ? walk_down(walk) : -errno;

	/* The walk's descriptor is O_PATH: fsync(2) needs one that is open. */
	if (r == 0) {
		r = openat(walk->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		r = r < 0 ? -errno : r;
	}
	*problem = walk->problem;
	mem_free(walk->rest);
	file_closep(&walk->fd);
	return r;
}

int folder_open_checked(const char *path, uid_t owner, char **problem)
{
	struct walk walk = {
		.owner = owner,
		.remedy = " (--owner): choose another folder",
	};

	return open_by(&walk, path, problem);
}

/* That of others who are in its group is its owner's business: a user's own
 * group has the name of the user. */
static int check_last(int fd, char **problem)
{
	struct walk walk = {.owner = geteuid()};
	struct stat st;
	int r = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!is_trusted(&walk, st.st_uid))
		r = refuse(&walk, fd, "belongs to somebody else",
			   ": choose another folder");
	else if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX))
		r = refuse(&walk, fd, "may be written to by others",
			   ": chmod o-w it, or choose another folder");
	*problem = walk.problem;
	return r;
}

int folder_check(const char *path, char **problem)
{
	struct walk walk = {
		.owner = geteuid(),
		.may_be_sticky = true,
		.remedy = ": choose another folder",
	};
	_cleanup_(file_closep) int fd = -1;

	*problem = NULL;
	if (geteuid() == 0) {
		fd = open_by(&walk, path, problem);
		return fd < 0 ? fd : 0;
	}
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : check_last(fd, problem);
}

int folder_open(const char *path, uid_t owner, char **problem)
{
	int fd;

	*problem = NULL;
	if (geteuid() == 0)
		return folder_open_checked(path, owner, problem);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
