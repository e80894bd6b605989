#include "handle.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clearconf.h"

const char *handle_variable(const char *name)
{
	const char *value = secure_getenv(name);

	return value && *value ? value : NULL;
}

int clearconf_new(struct clearconf **handle)
{
	struct clearconf *fresh = calloc(1, sizeof(*fresh));

	*handle = fresh;
	if (!fresh)
		return -ENOMEM;
	fresh->fd = fresh->epoll_fd = -1;
	fresh->timeout_ms = HANDLE_TIMEOUT_MS;
	fresh->limit = HANDLE_LIMIT;
	return 0;
}

void handle_set_state(struct clearconf *handle, enum handle_state state)
{
	handle->state = state;
	if (state != HANDLE_CLOSED)
		return;
	/* Closing would not take it out of an epoll descriptor as long as a
	 * forked child has it open. */
	if (handle->fd >= 0 && handle->epoll_fd >= 0)
		(void)epoll_ctl(handle->epoll_fd, EPOLL_CTL_DEL, handle->fd,
				NULL);
	if (handle->fd >= 0)
		(void)close(handle->fd);
	handle->fd = -1;
	bytes_deinit(&handle->in);
	bytes_deinit(&handle->out);
	handle->handed_out = handle->searched = 0;
}

void clearconf_disconnect(struct clearconf *handle)
{
	handle_set_state(handle, HANDLE_CLOSED);
}

void clearconf_free(struct clearconf *handle)
{
	if (!handle)
		return;
	clearconf_disconnect(handle);
	bytes_deinit(&handle->workspace);
	explicit_bzero(handle, sizeof(*handle));
	free(handle);
}

const char *clearconf_socket(const struct clearconf *handle)
{
	return handle->socket;
}

void clearconf_set_timeout(struct clearconf *handle, int milliseconds)
{
	handle->timeout_ms = milliseconds;
}

void clearconf_allow_any_server(struct clearconf *handle, bool allowed)
{
	handle->any_server = allowed;
}

void clearconf_set_limit(struct clearconf *handle, size_t bytes)
{
	handle->limit = bytes;
}

int clearconf_get_fd(const struct clearconf *handle)
{
	return handle->fd;
}

int clearconf_get_events(const struct clearconf *handle)
{
	return handle->out.len ? POLLIN | POLLOUT : POLLIN;
}

const char *clearconf_strerror(const struct clearconf *handle)
{
	return handle->error;
}
