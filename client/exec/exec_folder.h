#ifndef EXEC_FOLDER_H
#define EXEC_FOLDER_H

/*
 * The private folder of one `exec`, in memory: 0700, for one clearml.conf.
 *
 * It is $XDG_RUNTIME_DIR/clearconf/exec.PID, else one in /dev/shm. Whoever
 * lives holds a lock on its folder; a folder that nobody holds was left by
 * somebody who died, and the next one who comes sweeps it away. The Python
 * client keeps such folders in the same place, by the same rules.
 */

#include <stdbool.h>

#include "base/str.h"

#define EXEC_FOLDER_FILE "clearml.conf"

struct exec_folder {
	int parent, dir; /* descriptors; -1: none */
	char *name;      /* in the parent */
	char *file;      /* absolute path of the file in it */
};

#define EXEC_FOLDER_INIT ((struct exec_folder){.parent = -1, .dir = -1})

/* EXIT_DONE, or EXIT_FAILED and complained about. */
int exec_folder_make(struct exec_folder *folder);

/* 0 or a negative errno; the file is old or new, never torn. */
int exec_folder_write(const struct exec_folder *folder, struct str text);

/* Call @visit with each folder of this user's whose exec, or program in Python,
 * lives no more. @held: what that has started does. */
typedef void (*exec_left_fn)(void *data, const char *path, bool held);
void exec_folder_each_left(exec_left_fn visit, void *data);

/* Remove the folder with all that is in it. */
void exec_folder_remove(struct exec_folder *folder);

#endif
