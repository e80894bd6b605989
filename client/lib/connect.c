#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "clearconf.h"
#include "handle.h"
#include "trust.h"
#include "wire.h"

static int use(struct clearconf *handle, const char *path)
{
	size_t len = strlen(path);

	handle->socket[0] = '\0';
	if (len >= sizeof(handle->socket))
		return handle_fail(handle, -ENAMETOOLONG,
				   "the socket's path %s is longer than the "
				   "%zu bytes that Unix sockets allow",
				   path, sizeof(handle->socket) - 1);
	memcpy(handle->socket, path, len + 1);
	return 0;
}

/* Where a user's own daemon listens, in handle->socket; "" when this process
 * has no such place. */
static void use_user_socket(struct clearconf *handle)
{
	const char *run = handle_variable("XDG_RUNTIME_DIR");
	const char *state = handle_variable("XDG_STATE_HOME");
	const char *home = handle_variable("HOME");
	size_t size = sizeof(handle->socket);
	int len = 0;

	if (run || state)
		len = snprintf(handle->socket, size, "%s/%s", run ? run : state,
			       WIRE_SOCKET_NAME);
	else if (home)
		len = snprintf(handle->socket, size, "%s/%s/%s", home,
			       WIRE_STATE_HOME, WIRE_SOCKET_NAME);
	if (len <= 0 || (size_t)len >= size)
		handle->socket[0] = '\0';
}

static bool is_socket(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISSOCK(st.st_mode);
}

/* The order of clearconf(1), "FILES". */
static int choose_socket(struct clearconf *handle, const char *path)
{
	char user[sizeof(handle->socket)];

	if (!path)
		path = handle_variable(WIRE_SOCKET_VARIABLE);
	if (path)
		return use(handle, path);
	use_user_socket(handle);
	if (is_socket(handle->socket))
		return 0;
	memcpy(user, handle->socket, sizeof(user));
	(void)use(handle, WIRE_SYSTEM_SOCKET);
	if (is_socket(handle->socket))
		return 0;
	handle->socket[0] = '\0';
	return handle_fail(handle, -ENOENT,
			   "no daemon: there is no socket %s%s%s", user,
			   *user ? " and no " : "", WIRE_SYSTEM_SOCKET);
}

/* A full backlog makes connect(2) wait; a Unix socket cannot be polled for
 * that, but obeys the time limit for sending. */
static int set_connect_timeout(int fd, int timeout_ms)
{
	struct timeval limit = {timeout_ms / 1000, timeout_ms % 1000 * 1000L};

	if (timeout_ms < 0)
		return 0;
	if (timeout_ms == 0)
		limit.tv_usec = 1; /* 0 would be no limit */
	return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static int connect_to(int fd, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int r;

	memcpy(address.sun_path, path, strlen(path) + 1);
	do
		r = connect(fd, (struct sockaddr *)&address, sizeof(address));
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	return 0;
}

int clearconf_connect(struct clearconf *handle, const char *path)
{
	int r;

	clearconf_disconnect(handle);
	r = choose_socket(handle, path);
	if (r < 0)
		return r;
	handle->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (handle->fd < 0)
		return handle_fail(handle, -errno, "cannot make a socket: %s",
				   strerror(errno));
	r = set_connect_timeout(handle->fd, handle->timeout_ms);
	r = r < 0 ? -errno : connect_to(handle->fd, handle->socket);
	if (r < 0)
		handle_fail(handle, r, "no daemon answers on %s: %s",
			    handle->socket, strerror(-r));
	else if (!handle->any_server)
		r = trust_check(handle);
	if (r < 0)
		clearconf_disconnect(handle);
	else
		handle_set_state(handle, HANDLE_IDLE);
	return r;
}
