#ifndef SERVE_SOCKET_FILE_H
#define SERVE_SOCKET_FILE_H

/*
 * Socket file: the place in the file system where the listener is found.
 *
 * Beside it lies a lock file, held as long as we run: of two daemons that start
 * at once only one gets it. Everybody may connect, rights are decided for each
 * peer; but nobody gets at the name between the making of the socket and its
 * mode, which it is born with. Whether the folder can be trusted is its
 * caller's question.
 *
 * It is removed at the end, but only if it is still the one that was made here.
 * Who removes it before, its folder and the lock included, makes us
 * unreachable: it is made again.
 *
 *   init --make--> THERE --somebody removes it--> GONE
 *                   |  ^------- make_again --------+
 *                   +--remove--> freed
 */

#include <stdbool.h>
#include <sys/types.h>

struct socket_file {
	char *path; /* NULL: none was made */
	int lock;   /* -1: none */
	dev_t device;
	ino_t inode;
};

#define SOCKET_FILE_INIT ((struct socket_file){.lock = -1})

/* A socket that never blocks, bound to @path, not listening yet, in *fd. A dead
 * socket file is replaced. 0, -EADDRINUSE when another daemon serves it, or
 * another negative errno; -ENAMETOOLONG over SOCKET_FILE_PATH_MAX bytes. */
int socket_file_make(struct socket_file *file, const char *path, int *fd);

#define SOCKET_FILE_PATH_MAX 107

/* A new one in place of it, in the same way. */
int socket_file_make_again(struct socket_file *file, int *fd);

bool socket_file_is_gone(const struct socket_file *file);

/* The lock goes last, so that a daemon that waits for it finds no socket. */
void socket_file_remove(struct socket_file *file);

#endif
