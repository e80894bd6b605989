#ifndef FETCH_SWEEP_H
#define FETCH_SWEEP_H

/*
 * Sweeping: what may go of the files, or folders, that workspaces leave in the
 * state folder: NAME.SUFFIX each, and NAME.SUFFIX.bad when it was set aside.
 *
 * Those of workspaces that are declared, and those that are young, stay. All of
 * this blocks on the disk.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Which files may be removed. */
struct cache_sweep {
	const char *state_dir;
	const char *const *workspaces; /* those that are declared */
	size_t count;
	int64_t max_age; /* seconds; 0: no file is too old */
	/* Another kind of files to which the same goes; NULL: none. */
	size_t (*others)(const struct cache_sweep *sweep);
};

/* One kind of them. */
struct sweep_kind {
	const char *suffix;
	/* Their name without it; the caller's. */
	char *(*name_of)(const char *workspace);
};

/* May @name, in the folder @dir, go? So may the temporary files of writers that
 * died, after an hour. */
bool sweep_takes(const struct cache_sweep *sweep, const struct sweep_kind *kind,
		 int dir, const char *name);

/* Remove such files from the folder @dir, a descriptor that is closed after;
 * negative: there is none. How many went. */
size_t sweep_files(const struct cache_sweep *sweep,
		   const struct sweep_kind *kind, int dir);

#endif
