#include "serve/listener.h"

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

#define LISTEN_BACKLOG 4096

void listener_init(struct listener *listener, uv_loop_t *loop)
{
	*listener = (struct listener){.lock = -1};
	uv_pipe_init(loop, &listener->pipe, 0);
}

static int take_lock(struct listener *listener, const char *path)
{
	_cleanup_(mem_freep) char *name = mem_printf("%s.lock", path);
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return -errno;
	listener->lock = fd;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
	return 0;
}

/* The lock tells daemons apart; what answers here may be something else. */
static int check_nobody_answers(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		r = -errno;
	close(fd);
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

/* Everybody may connect: rights are decided for each peer. Nobody can before
 * uv_listen. */
static int bind_socket(struct listener *listener, int fd,
		       const struct sockaddr_un *address)
{
	struct stat st;

	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return -errno;
	if (lstat(address->sun_path, &st) < 0)
		return -errno;
	listener->path = mem_strdup(address->sun_path);
	listener->device = st.st_dev;
	listener->inode = st.st_ino;
	return chmod(address->sun_path, 0666) < 0 ? -errno : 0;
}

int listener_open_fd(struct listener *listener, int fd,
		     uv_connection_cb on_connection)
{
	int r = uv_pipe_open(&listener->pipe, fd);

	if (r) {
		close(fd);
		return r;
	}
	return uv_listen((uv_stream_t *)&listener->pipe, LISTEN_BACKLOG,
			 on_connection);
}

int listener_open(struct listener *listener, const char *path,
		  uv_connection_cb on_connection)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	_cleanup_(file_closep) int fd = -1;
	int r;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	r = take_lock(listener, path);
	if (!r)
		r = remove_dead_socket(&address);
	if (r)
		return r;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	r = bind_socket(listener, fd, &address);
	if (r)
		return r;
	r = listener_open_fd(listener, fd, on_connection);
	fd = -1;
	return r;
}

static void remove_own_socket(const struct listener *listener)
{
	struct stat st;

	if (listener->path && lstat(listener->path, &st) == 0 &&
	    st.st_dev == listener->device && st.st_ino == listener->inode)
		(void)unlink(listener->path);
}

/* The lock goes last, so that a daemon that waits for it finds no socket. */
void listener_close(struct listener *listener, uv_close_cb on_closed)
{
	remove_own_socket(listener);
	mem_free(TAKE(listener->path));
	file_closep(&listener->lock);
	listener->lock = -1;
	uv_close((uv_handle_t *)&listener->pipe, on_closed);
}
