#ifndef BASE_FOLDER_H
#define BASE_FOLDER_H

/*
 * Folders that can be trusted: nobody but root and the right user can put
 * another file where one is expected.
 */

#include <sys/types.h>

/* Open the folder @path for use with openat(2) and fsync(2). Run by root, each
 * folder on the way, those behind symbolic links included, must belong to root
 * or @owner and be writable by nobody else; a sticky one will do, the last one
 * excepted, since nobody can replace what is in it. A descriptor, or a negative
 * errno with *problem, which names the folder and is the caller's, or NULL. */
int folder_open(const char *path, uid_t owner, char **problem);

/* Like folder_open, with the same checks whoever runs it. */
int folder_open_checked(const char *path, uid_t owner, char **problem);

/* May this process's user put a socket into the folder @path, or a file that is
 * never replaced? It must belong to root or to that user, and others must not
 * write to it, unless it is sticky; run by root, so must each folder on the
 * way. 0 or a negative errno with *problem as above. */
int folder_check(const char *path, char **problem);

#endif
