#ifndef SUPPORT_STAND_IN_H
#define SUPPORT_STAND_IN_H

/*
 * Stand-in daemon for tests of the library, in the test's own thread: a socket
 * in a scratch folder, one connection at a time, and what it says is what the
 * test writes. Include it after cmocka.h.
 */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "scratch.h"

#define STAND_IN_SOCKET "sock"

struct stand_in {
	int listener, peer; /* -1: none */
};

static inline void stand_in_start(struct stand_in *daemon)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX,
				      .sun_path = STAND_IN_SOCKET};

	daemon->peer = -1;
	daemon->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	(void)unlink(STAND_IN_SOCKET);
	assert_return_code(bind(daemon->listener, (struct sockaddr *)&address,
				sizeof(address)),
			   errno);
	assert_return_code(listen(daemon->listener, 4), errno);
}

static inline void stand_in_hang_up(struct stand_in *daemon)
{
	if (daemon->peer >= 0)
		assert_return_code(close(daemon->peer), errno);
	daemon->peer = -1;
}

/* The socket's file stays, as a killed daemon's does. */
static inline void stand_in_stop(struct stand_in *daemon)
{
	stand_in_hang_up(daemon);
	if (daemon->listener >= 0)
		assert_return_code(close(daemon->listener), errno);
	daemon->listener = -1;
}

/* Is somebody new at the door? Then the one before is shown out. */
static inline bool stand_in_accept(struct stand_in *daemon)
{
	int fd = accept4(daemon->listener, NULL, NULL, SOCK_NONBLOCK);

	if (fd < 0)
		return false;
	stand_in_hang_up(daemon);
	daemon->peer = fd;
	return true;
}

static inline void stand_in_say(struct stand_in *daemon, const char *message)
{
	size_t size = strlen(message) + 1;

	assert_int_equal(write(daemon->peer, message, size), size);
}

static inline void stand_in_assert_asked(struct stand_in *daemon,
					 const char *message)
{
	char bytes[512] = "";
	ssize_t n = read(daemon->peer, bytes, sizeof(bytes));

	assert_string_equal(bytes, message);
	assert_int_equal(n, strlen(message) + 1);
}

#endif
