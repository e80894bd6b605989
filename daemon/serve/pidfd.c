#include "serve/pidfd.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

int pidfd_of_peer(int fd, pid_t pid)
{
	socklen_t size = sizeof(int);
	int held = -1;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &held, &size) == 0)
		return held;
	if (errno != ENOPROTOOPT)
		return PIDFD_ENDED;
#ifdef SYS_pidfd_open
	held = (int)syscall(SYS_pidfd_open, pid, 0);
	if (held >= 0)
		return held;
	if (errno == ESRCH)
		return PIDFD_ENDED;
#else
	(void)pid;
#endif
	return PIDFD_UNKNOWN;
}

/* A process that has ended makes its descriptor readable. A signal that comes
 * meanwhile says nothing of it. */
bool pidfd_has_ended(int pidfd)
{
	struct pollfd look = {pidfd, POLLIN, 0};
	int ready;

	do
		ready = poll(&look, 1, 0);
	while (ready < 0 && errno == EINTR);
	return pidfd == PIDFD_ENDED || ready != 0;
}
