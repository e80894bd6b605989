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

struct abode;

/* What a folder of proc(5) shows, such as /proc/self: looked at once, as a
 * process does not move. */
struct abode *abode_new(const char *folder);
void abode_free(struct abode *abode);

/* NULL: the process @pid at the other end of the socket @fd lives where @here
 * is; else why it does not, or why that cannot be told. */
const char *abode_of_peer(const struct abode *here, int fd, pid_t pid);

/* The same of what the folder @theirs shows. */
const char *abode_compare(const struct abode *here, const char *theirs);

#endif
