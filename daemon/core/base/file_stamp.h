#ifndef BASE_FILE_STAMP_H
#define BASE_FILE_STAMP_H

/*
 * File stamp: what a path leads to at a moment, without reading it.
 *
 * Equal stamps mean the same content, as far as the file system tells: any
 * write, replacement, move, link pointed elsewhere or change of permissions
 * gives another one. A folder's covers its entries, but not what is below them.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

struct file_stamp {
	uint64_t error; /* errno when the path leads nowhere; the rest is 0 */
	uint64_t device, inode, type, size;
	uint64_t modified_ns, changed_ns;
	uint64_t entries; /* digest of a folder's, whatever their order */
};

/* Symbolic links are followed; a loop of them leads nowhere. */
void file_stamp_of(struct file_stamp *stamp, const char *path);

/* Of what @seen says, but for a folder's entries. */
void file_stamp_from(struct file_stamp *stamp, const struct stat *seen);

/* Would a change from @now on, by the clock on the wall, give another stamp?
 * Not where the last one is so young that the next may bear the same time. */
bool file_stamp_is_settled(const struct file_stamp *stamp, struct timespec now);

bool file_stamp_equal(const struct file_stamp *a, const struct file_stamp *b);

#endif
