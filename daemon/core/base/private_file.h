#ifndef BASE_PRIVATE_FILE_H
#define BASE_PRIVATE_FILE_H

/*
 * Files that nobody but this user may have written or read: regular, 0600, of
 * one name, in a folder 0700. What is anything else is not believed.
 *
 * All of this blocks on the disk.
 */

#include <stdbool.h>
#include <stddef.h>

struct buf;
struct diag;

/* A descriptor or a negative errno: -EPERM also when the folder is somebody
 * else's, or others may write there. @make: for writing, and made if it is
 * missing, but not its parents. */
int private_folder_open(const char *path, bool make);

/* Set @diag to why the folder @path cannot be: @r is what that said, but for
 * -ENOENT. */
void private_folder_complain(const char *path, int r, struct diag *diag);

/* What is not believed, and set aside, has this behind its name. */
#define PRIVATE_ASIDE ".bad"

struct private_file {
	int dir;
	const char *name, *path; /* in the folder, and for people */
	const char *what;        /* it is, for people: "cache" */
	size_t limit;            /* bytes that none of these has */
};

enum {
	PRIVATE_E_WRONG = 1, /* not to be believed, or not to be read */
};

/* Append its bytes. 0, PRIVATE_E_WRONG or, when it cannot be opened and is not
 * to blame for that, a negative errno; @diag says why, but for -ENOENT. */
int private_file_read(const struct private_file *file, struct buf *bytes,
		      struct diag *diag);

/* 0 or a negative errno: a file that is not there is fine. */
int private_file_remove(int dir, const char *name);

#endif
