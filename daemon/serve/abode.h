#ifndef SERVE_ABODE_H
#define SERVE_ABODE_H

/*
 * Abode: does a process live where this one does, or in a container of its own?
 *
 * For the kernel root of a container is often the host's uid 0, and a socket
 * that is mounted into a container would give it all that root may. What tells
 * them apart can be read without any privilege: the user namespace (by its
 * inode where that may be seen, else by its map of users), the PID namespace
 * (how many PIDs a process has) and the container in the path of the cgroup.
 *
 * A process that has ended, or may not be seen, lives elsewhere.
 */

#include <sys/types.h>

/* NULL: the process @pid at the other end of the socket @fd lives here; else
 * why it does not, or why that cannot be told. */
const char *abode_of_peer(int fd, pid_t pid);

/* The same of two folders of proc(5), such as /proc/self and /proc/1. */
const char *abode_compare(const char *mine, const char *theirs);

#endif
