#ifndef FETCH_HISTORY_FOLDER_H
#define FETCH_HISTORY_FOLDER_H

/*
 * The folder of a workspace's history: its files by name, and its removal.
 *
 *   CLOSED <--open, close--> OPEN (fd >= 0)
 *
 * All of this blocks on the disk.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* How the files end. */
#define HISTORY_RECORD   ".generation"
#define HISTORY_DOCUMENT ".document"

/* Whose they are: the first that comes, and the last that goes. */
#define HISTORY_OWNER "owner"

struct cache_sweep;

struct history_folder {
	char *above; /* STATE/history */
	char *path;
	int fd;
};

void history_folder_init(struct history_folder *folder, const char *state_dir,
			 const char *workspace);
void history_folder_deinit(struct history_folder *folder);

/* 0 or a negative errno, as private_folder_open. */
int history_folder_open(struct history_folder *folder, bool make);
void history_folder_close(struct history_folder *folder);

/* For people; the caller's. */
char *history_folder_path(const struct history_folder *folder,
			  const char *name);

/* 0 or a negative errno: of a file that is replaced, or is there no more. */
int history_folder_write(struct history_folder *folder, const char *name,
			 struct str bytes);
int history_folder_remove(struct history_folder *folder, const char *name);

/* Write a file whose name says what it holds, so that it may be there already.
 * Unless @waits it is on the disk after history_folder_sync only. 0 or a
 * negative errno. */
int history_folder_put(struct history_folder *folder, const char *name,
		       struct str bytes, bool waits);
int history_folder_sync(struct history_folder *folder);

/* Tell of each file; what writers that were killed have left goes. */
void history_folder_each(struct history_folder *folder,
			 void (*take)(void *data, const char *name),
			 void *data);

/* Rename @name so that it is the last that was set aside of those that end like
 * @ending. */
void history_folder_set_aside(struct history_folder *folder, const char *name,
			      const char *ending);

/* The same for the whole folder, which is closed after, and removed where it
 * cannot be renamed. 0 or a negative errno: it is still there. */
int history_folder_set_all_aside(struct history_folder *folder);

/* Remove the folders of other workspaces than @sweep's, and those set aside,
 * once nothing has changed in them for so long. How many went. */
size_t history_folder_sweep(const struct cache_sweep *sweep);

/* Remove it and what was set aside. It is closed. 0 or a negative errno. */
int history_folder_clear(struct history_folder *folder);

#endif
