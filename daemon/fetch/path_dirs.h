#ifndef FETCH_PATH_DIRS_H
#define FETCH_PATH_DIRS_H

/*
 * Path folders: those in which a path is looked up, step by step.
 *
 * Whatever makes a path lead elsewhere happens in one of them: a file is
 * replaced, any symbolic link on the way is pointed elsewhere, a folder is
 * moved, or the first missing step comes into being. So these are the folders
 * to watch. All of it lies in its arena.
 *
 *	/etc/c.conf -> ../srv/c.conf	gives / /etc /srv
 *	~/a/b/c.conf, without ~/a	gives / /home ~
 */

#include <sys/stat.h>
#include <sys/types.h>

#include "base/arena.h"

struct path_dir {
	struct path_dir *next;
	const char *path; /* absolute, without symbolic links */
	dev_t device;
	ino_t inode;
};

/* Each folder once, parents before their children. */
struct path_dirs {
	struct arena arena;
	struct path_dir *first, *last;

	/* Where the folder of the last path led, because the next one is often
	 * in the same; NULL: nowhere. */
	const char *way, *folder;
	struct stat seen;
};

#define PATH_DIRS_INIT ((struct path_dirs){0})

/* Add the folders of @path, relative to the working folder. When it leads to a
 * folder, that is one of them, and so are those of the links it holds. */
void path_dirs_add(struct path_dirs *dirs, const char *path);

void path_dirs_deinit(struct path_dirs *dirs);

#endif
