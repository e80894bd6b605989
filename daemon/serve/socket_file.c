#include "serve/socket_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

_Static_assert(sizeof(((struct sockaddr_un *)0)->sun_path) ==
		       SOCKET_FILE_PATH_MAX + 1,
	       "room for a path and its end");

/* --- the lock --- */

static bool is_same_file(int fd, const char *path)
{
	struct stat ours, theirs;

	return fd >= 0 && fstat(fd, &ours) == 0 && lstat(path, &theirs) == 0 &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

/* One that is held already must not be taken again: it would be refused. */
static int take_lock(struct socket_file *file, const char *path)
{
	_cleanup_(mem_freep) char *name = mem_printf("%s.lock", path);
	_cleanup_(file_closep) int fd = -1;

	if (is_same_file(file->lock, name))
		return 0;
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
	file_closep(&file->lock);
	file->lock = file_take(&fd);
	return 0;
}

/* --- what is there --- */

/* The lock tells daemons apart; what answers here may be something else. */
static int check_nobody_answers(const struct sockaddr_un *address)
{
	_cleanup_(file_closep) int fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		r = -errno;
	if (r == -ECONNREFUSED || r == -ENOENT)
		return 0;
	return r && r != -EAGAIN ? r : -EADDRINUSE;
}

/* Only a socket that nobody listens to may go. */
static int remove_dead_socket(const struct sockaddr_un *address)
{
	struct stat st;
	int r;

	if (lstat(address->sun_path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	r = check_nobody_answers(address);
	if (r)
		return r;
	return unlink(address->sun_path) < 0 && errno != ENOENT ? -errno : 0;
}

/* --- the socket --- */

/* The file takes the mode of the socket that is bound to it, less the umask
 * (unix(7)): a chmod(2) of the name after it could hit another file. No other
 * thread makes files whose mode is not said. */
static int bind_for_everybody(int fd, const struct sockaddr_un *address)
{
	mode_t mask;
	int r;

	if (fchmod(fd, 0666) < 0)
		return -errno;
	mask = umask(0);
	r = bind(fd, (const struct sockaddr *)address, sizeof(*address));
	r = r < 0 ? -errno : 0;
	(void)umask(mask);
	return r;
}

static int bind_new(struct socket_file *file, const struct sockaddr_un *address,
		    int *fd)
{
	_cleanup_(file_closep) int fresh =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;
	int r;

	if (fresh < 0)
		return -errno;
	r = bind_for_everybody(fresh, address);
	if (r)
		return r;
	if (lstat(address->sun_path, &st) < 0)
		return -errno;
	file->device = st.st_dev;
	file->inode = st.st_ino;
	*fd = file_take(&fresh);
	return 0;
}

static int make(struct socket_file *file, const char *path, int *fd)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int r;

	if (strlen(path) > SOCKET_FILE_PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	r = take_lock(file, path);
	if (!r)
		r = remove_dead_socket(&address);
	if (!r)
		r = bind_new(file, &address, fd);
	return r;
}

int socket_file_make(struct socket_file *file, const char *path, int *fd)
{
	int r = make(file, path, fd);

	if (!r)
		file->path = mem_strdup(path);
	return r;
}

int socket_file_make_again(struct socket_file *file, int *fd)
{
	return make(file, file->path, fd);
}

static bool is_ours(const struct socket_file *file)
{
	struct stat st;

	return lstat(file->path, &st) == 0 && st.st_dev == file->device &&
	       st.st_ino == file->inode;
}

bool socket_file_is_gone(const struct socket_file *file)
{
	return file->path && !is_ours(file);
}

void socket_file_remove(struct socket_file *file)
{
	if (file->path && is_ours(file))
		(void)unlink(file->path);
	mem_free(file->path);
	file_closep(&file->lock);
	*file = SOCKET_FILE_INIT;
}
