#include "base/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/diag.h"
#include "base/file.h"
#include "base/mem.h"

static int trust_folder(int fd, bool repair)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid != geteuid())
		return -EPERM;
	if (!(st.st_mode & 0077))
		return 0;
	if (!repair)
		return st.st_mode & 0022 ? -EPERM : 0;
	return fchmod(fd, 0700) < 0 ? -errno : 0;
}

int private_folder_open(const char *path, bool make)
{
	int r = make ? file_make_folder(path, 0700) : 0, fd;

	if (r < 0)
		return r;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = trust_folder(fd, make);
	if (r == 0)
		return fd;
	file_closep(&fd);
	return r;
}

void private_folder_complain(const char *path, int r, struct diag *diag)
{
	if (r == -EPERM)
		(void)diag_set(diag, path,
			       "is not this user's alone, so nothing in it is "
			       "used: its mode must be 0700");
	else
		(void)diag_set(diag, path, "cannot be opened: %s",
			       strerror(-r));
}

static bool is_ours_alone(const struct private_file *file,
			  const struct stat *st, struct diag *diag)
{
	const char *reason = NULL;

	if (!S_ISREG(st->st_mode))
		reason = "is not a regular file";
	else if (st->st_uid != geteuid())
		reason = "belongs to another user";
	else if (st->st_mode & 0077)
		reason = "is open to other users: its mode must be 0600";
	else if (st->st_nlink != 1)
		reason = "has another name elsewhere (a hard link)";
	if (reason)
		return diag_set(diag, file->path, "%s", reason);
	return (uintmax_t)st->st_size <= file->limit ||
	       diag_set(diag, file->path,
			"is larger than any %s of clearconf's", file->what);
}

static bool read_bytes(const struct private_file *file, int fd, size_t size,
		       struct buf *bytes, struct diag *diag)
{
	size_t left = size;
	ssize_t n;

	(void)buf_reserve(bytes, size + 1);
	while (left) {
		n = read(fd, bytes->data + bytes->len, left);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return diag_set(diag, file->path, "cannot be read: %s",
					strerror(errno));
		if (n == 0)
			break;
		bytes->len += (size_t)n;
		left -= (size_t)n;
	}
	return true;
}

/* Why it cannot be opened. That another time it could be is not its fault. */
static int not_opened(const struct private_file *file, int error,
		      struct diag *diag)
{
	if (error == ELOOP)
		(void)diag_set(diag, file->path, "is a symbolic link");
	else if (error != ENOENT)
		(void)diag_set(diag, file->path, "cannot be opened: %s",
			       strerror(error));
	return error == ELOOP || error == ENXIO || error == EACCES
		       ? PRIVATE_E_WRONG
		       : -error;
}

int private_file_read(const struct private_file *file, struct buf *bytes,
		      struct diag *diag)
{
	/* O_NONBLOCK: a FIFO in the place of the file must not hang us. */
	_cleanup_(file_closep) int fd = openat(
		file->dir, file->name,
		O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return not_opened(file, errno, diag);
	if (fstat(fd, &st) < 0) {
		(void)diag_set(diag, file->path, "cannot be looked at: %s",
			       strerror(errno));
		return PRIVATE_E_WRONG;
	}
	return is_ours_alone(file, &st, diag) &&
			       read_bytes(file, fd, (size_t)st.st_size, bytes,
					  diag)
		       ? 0
		       : PRIVATE_E_WRONG;
}

int private_file_remove(int dir, const char *name)
{
	return unlinkat(dir, name, 0) < 0 && errno != ENOENT ? -errno : 0;
}
