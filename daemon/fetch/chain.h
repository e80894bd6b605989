#ifndef FETCH_CHAIN_H
#define FETCH_CHAIN_H

/*
 * Chain: the folders in which a path is looked up, step by step.
 *
 * Whatever makes a path lead elsewhere happens in one of them: a file is
 * replaced, any symbolic link on the way is pointed elsewhere, a folder is
 * moved, or the first missing step comes into being. So these are the folders
 * to watch. All of a chain lies in its arena.
 *
 *	/etc/c.conf -> ../srv/c.conf	gives / /etc /srv
 *	~/a/b/c.conf, without ~/a	gives / /home ~
 */

#include <sys/types.h>

#include "base/arena.h"

struct chain_folder {
	struct chain_folder *next;
	const char *path; /* absolute, without symbolic links */
	dev_t device;
	ino_t inode;
};

/* Each folder once, parents before their children. */
struct chain {
	struct arena arena;
	struct chain_folder *first, *last;
};

#define CHAIN_INIT ((struct chain){0})

/* Add the folders of @path, relative to the working folder. When it leads to a
 * folder, that is one of them, and so are those of the links it holds. */
void chain_add(struct chain *chain, const char *path);

void chain_deinit(struct chain *chain);

#endif
