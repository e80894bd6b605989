#include "serve/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"

#define BACKLOG  4096
#define SLICE    256 /* connections accepted in one turn of the loop */
#define SLICE_NS UINT64_C(300000) /* and at most so long */
#define PAUSE_MS 100
#define AGAIN_MS 200   /* before a socket file is made again */
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
	*listener = (struct listener){
		.fd = -1, .spare = -1, .file = SOCKET_FILE_INIT};
	uv_timer_init(loop, &listener->retry);
	uv_fs_event_init(loop, &listener->folder);
	uv_timer_init(loop, &listener->pause);
	listener->retry.data = listener->poll.data = listener;
	listener->folder.data = listener->pause.data = listener;
	listener->open_handles = 3;
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

/* Accept one connection with the descriptor kept in reserve, and close it. */
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

/* The same trouble may come with each connection, so it is logged once in a
 * while only. */
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

static void on_pause_over(uv_timer_t *timer)
{
	struct listener *listener = timer->data;

	if (listener_is_unreachable(listener) && listener->on_unreachable)
		listener->on_unreachable(listener->data);
}

/* Wait a moment: somebody may be removing the whole folder, and would stumble
 * over a new file. */
static void on_folder_changed(uv_fs_event_t *event, const char *name,
			      int events, int status)
{
	struct listener *listener = event->data;

	(void)name;
	(void)events;
	(void)status;
	if (listener_is_unreachable(listener))
		(void)uv_timer_start(&listener->pause, on_pause_over, AGAIN_MS,
				     0);
}

/* Without inotify, a removed file is noticed only when listener_is_unreachable
 * is asked. */
static void watch_folder(struct listener *listener)
{
	_cleanup_(mem_freep) char *path = mem_strdup(listener->file.path);

	(void)uv_fs_event_stop(&listener->folder);
	(void)uv_fs_event_start(&listener->folder, on_folder_changed,
				dirname(path), 0);
}

int listener_open(struct listener *listener, const char *path)
{
	int r = socket_file_make(&listener->file, path, &listener->fd);

	if (!r)
		r = start(listener);
	if (!r)
		watch_folder(listener);
	return r;
}

bool listener_is_unreachable(const struct listener *listener)
{
	return socket_file_is_gone(&listener->file);
}

/* Clients that are connected stay so; those that wait to be accepted have to
 * connect again. */
int listener_open_again(struct listener *listener)
{
	_cleanup_(file_closep) int fd = -1;
	int r = socket_file_make_again(&listener->file, &fd);

	if (r)
		return r;
	if (listen(fd, BACKLOG) < 0)
		return -errno;
	(void)uv_poll_stop(&listener->poll);
	if (dup3(fd, listener->fd, O_CLOEXEC) < 0)
		return -errno;
	listener_resume(listener);
	watch_folder(listener);
	return 0;
}

static void close_fd(int *fd)
{
	file_closep(fd);
	*fd = -1;
}

void listener_close(struct listener *listener)
{
	uv_handle_t *const handles[] = {(uv_handle_t *)&listener->retry,
					(uv_handle_t *)&listener->folder,
					(uv_handle_t *)&listener->pause,
					(uv_handle_t *)&listener->poll};

	for (unsigned int i = listener->open_handles; i > 0; i--)
		uv_close(handles[i - 1], on_handle_closed);
	close_fd(&listener->fd);
	close_fd(&listener->spare);
	socket_file_remove(&listener->file);
}
