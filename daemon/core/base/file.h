#ifndef BASE_FILE_H
#define BASE_FILE_H

/*
 * Files that are old or new, never torn.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/str.h"

/* Replace @name in the folder @dirfd by @bytes: a temporary file beside it with
 * @mode set before any content, fsync, rename, fsync of the folder, which must
 * be open for reading (not O_PATH). 0 or a negative errno; on failure the old
 * file stands and nothing is left behind, unless the last step is what failed:
 * then the new file is there, but may not survive a crash. Where the file
 * system knows files without a name, whoever is killed meanwhile leaves nothing
 * either, but for a whole file between the last two steps. Blocks on the disk.
 */
int file_replace(int dirfd, const char *name, struct str bytes, mode_t mode);

/* Put a file @name, 0600, into the folder @dirfd, as a whole; there may be one.
 * Unless @waits, whether it survives a crash of the system is for the caller to
 * see to: so is its name in any case. 0 or a negative errno. */
int file_put(int dirfd, const char *name, struct str bytes, bool waits);

struct file_rights {
	mode_t mode;
	uid_t uid; /* -1: whoever runs this */
	gid_t gid;
};

/* Like file_replace, and the owner is set before there is any content. */
int file_replace_as(int dirfd, const char *name, struct str bytes,
		    const struct file_rights *rights);

/* 0 or a negative errno. */
int file_write_all(int fd, struct str bytes);

/* Create the folder @path and its missing parents, the last with @mode. 0 or a
 * negative errno; an existing folder is fine. */
int file_make_folder(const char *path, mode_t mode);

/* First thing in a program: of the descriptors 0, 1 and 2, those that are
 * closed are opened so that using them fails. Else a socket gets their number,
 * and what is meant for people goes to the daemon. */
void file_guard_standard(void);

/* Hand over a descriptor that a _cleanup_ would otherwise close. */
int file_take(int *fd);

/* For _cleanup_ on a descriptor; -1 is none. */
void file_closep(const int *fd);

#endif
