#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

int file_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

void file_closep(const int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

int file_write_all(int fd, struct str bytes)
{
	ssize_t n;

	while (bytes.len) {
		n = write(fd, bytes.ptr, bytes.len);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			bytes = str_from_offset(bytes, (size_t)n);
	}
	return 0;
}

struct filling {
	struct file_rights rights;
	bool waits; /* until it is on the disk */
};

static int fill(int fd, struct str bytes, const struct filling *filling)
{
	const struct file_rights *rights = &filling->rights;
	int r;

	if ((rights->uid != (uid_t)-1 || rights->gid != (gid_t)-1) &&
	    fchown(fd, rights->uid, rights->gid) < 0)
		return -errno;
	if (fchmod(fd, rights->mode) < 0)
		return -errno;
	r = file_write_all(fd, bytes);
	if (r == 0 && filling->waits && fsync(fd) < 0)
		r = -errno;
	return r;
}

#define NO_SUCH_FILES 1 /* not on this file system */

/* A file that has no name until it is whole: whoever is killed meanwhile leaves
 * no half of one behind. 0, a negative errno or NO_SUCH_FILES. */
static int fill_unnamed(int dirfd, const char *temporary, struct str bytes,
			const struct filling *filling)
{
	_cleanup_(file_closep) int fd =
		openat(dirfd, ".", O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600);
	char link[32];
	int r;

	if (fd < 0)
		return NO_SUCH_FILES;
	r = fill(fd, bytes, filling);
	if (r < 0)
		return r;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, link, dirfd, temporary, AT_SYMLINK_FOLLOW) < 0
		       ? NO_SUCH_FILES
		       : 0;
}

static int fill_named(int dirfd, const char *temporary, struct str bytes,
		      const struct filling *filling)
{
	_cleanup_(file_closep) int fd = openat(
		dirfd, temporary,
		O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int r = fd < 0 ? -errno : fill(fd, bytes, filling);

	if (fd >= 0 && r < 0)
		(void)unlinkat(dirfd, temporary, 0);
	return r;
}

static int rename_to(int dirfd, const char *temporary, const char *name)
{
	int r = renameat(dirfd, temporary, dirfd, name) < 0 ? -errno : 0;

	if (r < 0)
		(void)unlinkat(dirfd, temporary, 0);
	return r;
}

static int replace(int dirfd, const char *name, struct str bytes,
		   const struct filling *filling)
{
	_cleanup_(mem_freep) char *temporary = NULL;
	uint64_t unique;
	int r;

	if (getrandom(&unique, sizeof(unique), 0) != sizeof(unique))
		return -errno;
	/* A name may be as long as names can be: the beginning of it will do.
	 */
	temporary =
		mem_printf(".%.128s.%016llx", name, (unsigned long long)unique);
	r = fill_unnamed(dirfd, temporary, bytes, filling);
	if (r == NO_SUCH_FILES)
		r = fill_named(dirfd, temporary, bytes, filling);
	return r == 0 ? rename_to(dirfd, temporary, name) : r;
}

int file_replace_as(int dirfd, const char *name, struct str bytes,
		    const struct file_rights *rights)
{
	const struct filling filling = {*rights, true};
	int r = replace(dirfd, name, bytes, &filling);

	if (r == 0 && fsync(dirfd) < 0)
		r = -errno;
	return r;
}

int file_put(int dirfd, const char *name, struct str bytes, bool waits)
{
	const struct filling filling = {{0600, (uid_t)-1, (gid_t)-1}, waits};

	return replace(dirfd, name, bytes, &filling);
}

int file_replace(int dirfd, const char *name, struct str bytes, mode_t mode)
{
	struct file_rights rights = {mode, (uid_t)-1, (gid_t)-1};

	return file_replace_as(dirfd, name, bytes, &rights);
}

static int make_one(const char *path, mode_t mode)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno != EEXIST || stat(path, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

int file_make_folder(const char *path, mode_t mode)
{
	_cleanup_(mem_freep) char *part = mem_strdup(path);
	size_t len = strlen(part);
	int r = 0;

	/* "a/" names the folder a, which gets @mode. */
	while (len > 1 && part[len - 1] == '/')
		part[--len] = '\0';
	for (size_t i = 1; r == 0 && i < len; i++) {
		if (part[i] != '/')
			continue;
		part[i] = '\0';
		r = make_one(part, 0755);
		part[i] = '/';
	}
	return r < 0 ? r : make_one(part, mode);
}

void file_guard_standard(void)
{
	static const int wrong_way[] = {O_WRONLY, O_RDONLY, O_RDONLY};

	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF)
			(void)open("/dev/null", wrong_way[fd]);
}
