#include "text/target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/folder.h"
#include "base/mem.h"
#include "text/ending_signals.h"

/* Refuse the target for the reason @why, a static text. */
static int refuse(struct target *target, const char *problem)
{
	target->problem = problem;
	return -EPERM;
}

/* "a/b" is b in a, "b" is b in ".". */
static void split(const char *path, char **folder, char **name)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	while (len > 1 && path[len - 1] == '/')
		len--;
	if (!slash)
		*folder = mem_strdup(".");
	else
		*folder = len ? mem_strndup(path, len) : mem_strdup("/");
	*name = mem_strdup(slash ? slash + 1 : path);
}

static bool is_name(const char *name)
{
	return *name && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/* A missing one is made in the folder above, which is looked at as all are. */
static int open_folder(struct target *target, const char *path)
{
	_cleanup_(mem_freep) char *above = NULL, *name = NULL;
	_cleanup_(file_closep) int dirfd = -1;
	uid_t uid = target->wish.uid;
	int r = folder_open(path, uid, &target->refusal);

	if (r != -ENOENT || !target->wish.make_folders)
		return r;
	split(path, &above, &name);
	if (!strcmp(above, path))
		return r;
	dirfd = open_folder(target, above);
	if (dirfd < 0)
		return dirfd;
	if (mkdirat(dirfd, name, 0755) < 0 && errno != EEXIST)
		return -errno;
	return folder_open(path, uid, &target->refusal);
}

int target_open(struct target *target, const struct target_wish *wish)
{
	*target = (struct target){.wish = *wish, .dirfd = -1};
	split(wish->path, &target->folder, &target->name);
	if (!is_name(target->name))
		return -EISDIR;
	if (strlen(target->folder) >= PATH_MAX)
		return -ENAMETOOLONG;
	target->dirfd = open_folder(target, target->folder);
	target->problem = target->refusal;
	return target->dirfd < 0 ? target->dirfd : 0;
}

void target_deinit(struct target *target)
{
	file_closep(&target->dirfd);
	mem_free(target->folder);
	mem_free(target->name);
	mem_free(target->refusal);
	*target = (struct target){.dirfd = -1};
}

/* --- what is there -------------------------------------------------------- */

/* Only a plain file that has no other name may be written over. */
static int check_existing(struct target *target, const struct stat *st)
{
	if (S_ISLNK(st->st_mode))
		return refuse(target, "it is a symbolic link");
	if (!S_ISREG(st->st_mode))
		return refuse(target, "it is not a regular file");
	if (st->st_nlink > 1)
		return refuse(target, "it has another name (hard link)");
	return 0;
}

/* Has the open file @fd, which is @size long, the content @bytes? */
static bool holds(int fd, off_t size, struct str bytes)
{
	_cleanup_(mem_freep) char *old = NULL;
	ssize_t n;

	if (size < 0 || (size_t)size != bytes.len)
		return false;
	old = mem_alloc(bytes.len + 1);
	for (size_t at = 0; at < bytes.len; at += (size_t)n) {
		n = pread(fd, old + at, bytes.len - at, (off_t)at);
		if (n <= 0)
			return false;
	}
	return !memcmp(old, bytes.ptr, bytes.len);
}

static bool has_rights(const struct target *target, const struct stat *st)
{
	const struct target_wish *wish = &target->wish;
	uid_t uid = wish->uid == TARGET_NOBODY ? geteuid() : wish->uid;

	return (st->st_mode & 07777) == wish->mode && st->st_uid == uid &&
	       (wish->gid == (gid_t)-1 || st->st_gid == wish->gid);
}

/* --- writing -------------------------------------------------------------- */

static int replace(struct target *target, struct str bytes)
{
	_cleanup_(file_closep) int fd =
		openat(target->dirfd, target->name,
		       O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct file_rights rights = {target->wish.mode, target->wish.uid,
				     target->wish.gid};
	struct stat st;
	int r;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    has_rights(target, &st) && holds(fd, st.st_size, bytes))
		return TARGET_UNCHANGED;
	r = file_replace_as(target->dirfd, target->name, bytes, &rights);
	return r < 0 ? r : TARGET_WRITTEN;
}

static int overwrite(int fd, struct str bytes)
{
	int r = file_write_all(fd, bytes);

	if (r == 0 && ftruncate(fd, (off_t)bytes.len) < 0)
		r = -errno;
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	return r < 0 ? r : TARGET_WRITTEN;
}

/* A mount point cannot be renamed over, so a reader may see the file torn;
 * that is what was asked for. The descriptor is looked at again, since the
 * name may have changed hands meanwhile. */
static int write_in_place(struct target *target, struct str bytes)
{
	_cleanup_(file_closep) int fd =
		openat(target->dirfd, target->name,
		       O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	uid_t uid = target->wish.uid == TARGET_NOBODY ? geteuid()
						      : target->wish.uid;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	r = check_existing(target, &st);
	if (r < 0)
		return r;
	if (st.st_uid != uid)
		return refuse(target, "it belongs to somebody else (--owner)");
	if (!target->wish.keep_mode && fchmod(fd, target->wish.mode) < 0)
		return -errno;
	if (holds(fd, st.st_size, bytes))
		return TARGET_UNCHANGED;
	return overwrite(fd, bytes);
}

int target_write(struct target *target, struct str bytes)
{
	struct stat st;
	sigset_t old;
	int r = 0;

	target->problem = NULL;
	if (fstatat(target->dirfd, target->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		r = check_existing(target, &st);
	else if (errno != ENOENT || target->wish.in_place)
		r = -errno;
	if (r < 0)
		return r;
	/* No temporary file with secrets is to be left. */
	ending_signals_block(&old);
	r = target->wish.in_place ? write_in_place(target, bytes)
				  : replace(target, bytes);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	return r;
}

/* --- is it somebody's source? --------------------------------------------- */

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool target_is_beside(const struct target *target, const char *path)
{
	_cleanup_(mem_freep) char *folder = NULL;
	_cleanup_(mem_freep) char *name = NULL;
	struct stat theirs, ours;

	split(path, &folder, &name);
	return stat(folder, &theirs) == 0 && fstat(target->dirfd, &ours) == 0 &&
	       same_file(&theirs, &ours);
}

/* One name in one folder, whether or not the file exists. */
static bool is_same_name(const struct target *target, const char *path)
{
	const char *slash = strrchr(path, '/');

	return !strcmp(slash ? slash + 1 : path, target->name) &&
	       target_is_beside(target, path);
}

bool target_is(const struct target *target, const char *path)
{
	struct stat theirs, ours;

	if (is_same_name(target, path))
		return true;
	return stat(path, &theirs) == 0 &&
	       fstatat(target->dirfd, target->name, &ours, 0) == 0 &&
	       same_file(&theirs, &ours);
}
