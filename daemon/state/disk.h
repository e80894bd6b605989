#ifndef STATE_DISK_H
#define STATE_DISK_H

/*
 * Disk: one file replaced or removed by the thread pool, so that no disk keeps
 * the loop waiting. The file is old or new, never torn, and 0600.
 *
 *   WORKING --done--> told, freed
 *      |
 *      +-- disk_abandon: done all the same, nobody is told
 */

#include <uv.h>

#include "base/str.h"

struct buf;
struct disk_work;

/* @result: 0 or a negative errno. */
typedef void (*disk_done_fn)(void *data, int result);

/* The callback that is told how it went. */
struct disk_told {
	disk_done_fn done;
	void *data;
};

/* What takes long to write is written by the thread pool: appended to
 * @bytes. */
struct disk_content {
	void (*write)(struct buf *bytes, const void *data);
	const void *data; /* stays until it is done */
};

/* @bytes are copied, and wiped when done. */
struct disk_work *disk_replace(uv_loop_t *loop, const char *path,
			       struct str bytes, struct disk_told told);

/* The same of what @content will write. */
struct disk_work *disk_compose(uv_loop_t *loop, const char *path,
			       const struct disk_content *content,
			       struct disk_told told);

/* A file that is not there is fine. */
struct disk_work *disk_remove(uv_loop_t *loop, const char *path,
			      struct disk_told told);

void disk_abandon(struct disk_work *work); /* NULL is allowed */

#endif
