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
#include "base/log.h"
#include "base/mem.h"

#define BACKLOG  4096
#define SLICE    256 /* connections taken in one turn of the loop */
#define SLICE_NS UINT64_C(300000) /* and not for longer than that */
#define PAUSE_MS 100
#define QUIET_MS 60000 /* between two lines of the log about trouble */

static void listener_accept(struct listener *listener);
static void listener_resume(struct listener *listener);

static void on_readable(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	listener_accept(poll->data);
}

static void on_retry(uv_timer_t *timer)
{
	listener_resume(timer->data);
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct listener *listener = handle->data;

	if (--listener->open_handles == 0)
		listener->on_closed(listener->data);
}

void listener_init(struct listener *listener, uv_loop_t *loop)
{
	*listener = (struct listener){.fd = -1, .spare = -1, .lock = -1};
	uv_timer_init(loop, &listener->retry);
	listener->retry.data = listener->poll.data = listener;
	listener->open_handles = 1;
}

static int open_spare(struct listener *listener)
{
	if (listener->spare < 0)
		listener->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return listener->spare;
}

static int accept_one(struct listener *listener)
{
	int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* Take one by the descriptor in reserve and drop it. */
static int shed_one(struct listener *listener)
{
	int fd;

	if (open_spare(listener) < 0)
		return -errno;
	close(listener->spare);
	listener->spare = -1;
	fd = accept_one(listener);
	if (fd >= 0)
		close(fd);
	(void)open_spare(listener);
	return fd;
}

/* Trouble may come with each connection, and need not be told as often. */
static bool is_to_be_told(struct listener *listener)
{
	uint64_t now = uv_now(listener->retry.loop);

	if (now < listener->quiet_until)
		return false;
	listener->quiet_until = now + QUIET_MS;
	return true;
}

static void tell_shed(struct listener *listener)
{
	if (listener->shed == listener->told || !is_to_be_told(listener))
		return;
	log_warning(
		"connections-dropped",
		LOG_INT("count", (int64_t)(listener->shed - listener->told)),
		LOG_TEXT("reason", "no descriptor is left"));
	listener->told = listener->shed;
}

static void listener_pause(struct listener *listener, int error)
{
	if (is_to_be_told(listener))
		log_warning("accept-paused",
			    LOG_TEXT("reason", strerror(-error)));
	(void)uv_poll_stop(&listener->poll);
	(void)uv_timer_start(&listener->retry, on_retry, PAUSE_MS, 0);
}

static void listener_resume(struct listener *listener)
{
	(void)uv_poll_start(&listener->poll, UV_READABLE, on_readable);
}

static bool is_about_one(int error)
{
	return error == -EINTR || error == -ECONNABORTED || error == -EPERM;
}

static void listener_accept(struct listener *listener)
{
	uint64_t end = uv_hrtime() + SLICE_NS;
	int fd = 0;

	for (int i = 0; i < SLICE && fd >= 0 && uv_hrtime() < end; i++) {
		fd = accept_one(listener);
		if (fd >= 0) {
			listener->on_connection(listener->data, fd);
			continue;
		}
		if (fd == -EMFILE || fd == -ENFILE) {
			fd = shed_one(listener);
			listener->shed += fd >= 0;
		}
		if (is_about_one(fd))
			fd = 0;
	}
	tell_shed(listener);
	if (fd < 0 && fd != -EAGAIN)
		listener_pause(listener, fd);
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
 * it listens. */
static int bind_socket(struct listener *listener,
		       const struct sockaddr_un *address)
{
	struct stat st;

	if (bind(listener->fd, (const struct sockaddr *)address,
		 sizeof(*address)) < 0)
		return -errno;
	if (lstat(address->sun_path, &st) < 0)
		return -errno;
	listener->path = mem_strdup(address->sun_path);
	listener->device = st.st_dev;
	listener->inode = st.st_ino;
	return chmod(address->sun_path, 0666) < 0 ? -errno : 0;
}

static int start(struct listener *listener)
{
	int r;

	if (listen(listener->fd, BACKLOG) < 0)
		return -errno;
	r = uv_poll_init(listener->retry.loop, &listener->poll, listener->fd);
	if (r)
		return r;
	listener->open_handles++;
	(void)open_spare(listener);
	return uv_poll_start(&listener->poll, UV_READABLE, on_readable);
}

int listener_open_fd(struct listener *listener, int fd)
{
	listener->fd = fd;
	return start(listener);
}

static int open_bound(struct listener *listener,
		      const struct sockaddr_un *address)
{
	int r;

	listener->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener->fd < 0)
		return -errno;
	r = bind_socket(listener, address);
	return r ? r : start(listener);
}

int listener_open(struct listener *listener, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int r;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	r = take_lock(listener, path);
	if (!r)
		r = remove_dead_socket(&address);
	if (!r)
		r = open_bound(listener, &address);
	return r;
}

static void remove_own_socket(const struct listener *listener)
{
	struct stat st;

	if (listener->path && lstat(listener->path, &st) == 0 &&
	    st.st_dev == listener->device && st.st_ino == listener->inode)
		(void)unlink(listener->path);
}

static void close_fd(int *fd)
{
	file_closep(fd);
	*fd = -1;
}

/* The lock goes last, so that a daemon that waits for it finds no socket. */
void listener_close(struct listener *listener)
{
	remove_own_socket(listener);
	if (listener->open_handles > 1)
		uv_close((uv_handle_t *)&listener->poll, on_handle_closed);
	uv_close((uv_handle_t *)&listener->retry, on_handle_closed);
	close_fd(&listener->fd);
	close_fd(&listener->spare);
	mem_free(TAKE(listener->path));
	close_fd(&listener->lock);
}
