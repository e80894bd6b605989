#ifndef FOLDER_H
#define FOLDER_H

#include <sys/types.h>

/* Open the folder @path for use with openat(2) and fsync(2). Run by root, each
 * folder on the way, those behind symbolic links included, must belong to root
 * or @owner and be writable by nobody else; a sticky one will do, the last one
 * excepted, since nobody can replace what is in it. A descriptor, or a negative
 * errno with *problem, which names the folder and is the caller's, or NULL. */
int folder_open(const char *path, uid_t owner, char **problem);

/* The same whoever runs it. */
int folder_open_checked(const char *path, uid_t owner, char **problem);

#endif
