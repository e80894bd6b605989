#ifndef SERVE_PIDFD_H
#define SERVE_PIDFD_H

/*
 * Pidfd: holds the process at the other end of a socket fast, while something
 * is read of it by its PID: a later process of the same PID is not taken for
 * it. What was read is of it if it had not ended after that.
 */

#include <stdbool.h>
#include <sys/types.h>

#define PIDFD_ENDED   (-1)
#define PIDFD_UNKNOWN (-2) /* this kernel can hold nobody */

/* A descriptor, the caller's, of who connected to the socket @fd; or one of the
 * above. Before Linux 6.5 the one that has its @pid by now is meant. */
int pidfd_of_peer(int fd, pid_t pid);

/* For all that pidfd_of_peer returns; false for PIDFD_UNKNOWN. */
bool pidfd_has_ended(int pidfd);

#endif
