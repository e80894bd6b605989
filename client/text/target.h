#ifndef TARGET_H
#define TARGET_H

/*
 * The file that `dump --output` writes: replaced whole or not at all, and only
 * where nobody else can meddle.
 *
 * Everything goes through the descriptor of the folder, opened once: what
 * happens to the path afterwards cannot lead the write elsewhere.
 *
 *	target_init --> target_open --> target_write ... --> target_deinit
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/str.h"

#define TARGET_NOBODY ((uid_t)-1)

struct target_wish {
	const char *path;
	mode_t mode;
	uid_t uid; /* TARGET_NOBODY: whoever runs this */
	gid_t gid;
	bool in_place;  /* write into the existing file, which keeps its inode:
			 * for files that are mount points */
	bool keep_mode; /* with in_place: its mode too */
	bool make_folders; /* those on the way that are missing */
};

struct target {
	struct target_wish wish;
	int dirfd;
	char *folder, *name;
	const char *problem; /* what was wrong, for people; NULL: see errno */
	char *refusal;       /* the same about a folder */
};

/* Open the folder of @wish's path, which is borrowed. As root, every folder on
 * the way must belong to root or to the new owner and be writable by nobody
 * else. 0 or a negative errno. */
int target_open(struct target *target, const struct target_wish *wish);
void target_deinit(struct target *target);

enum { TARGET_UNCHANGED = 0, TARGET_WRITTEN = 1 };

/* TARGET_WRITTEN, TARGET_UNCHANGED when the file already holds @bytes with the
 * mode and owner wished for, or a negative errno: the old file stands. */
int target_write(struct target *target, struct str bytes);

/* Is the target in the folder of the file @path? */
bool target_is_beside(const struct target *target, const char *path);

/* Is the target the file @path, by any name? Also when it does not exist. */
bool target_is(const struct target *target, const char *path);

#endif
