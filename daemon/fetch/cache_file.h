#ifndef FETCH_CACHE_FILE_H
#define FETCH_CACHE_FILE_H

/*
 * Cache files: STATE/cache, one file a workspace, 0600 in a folder 0700.
 *
 * A file that is not exactly what this user's clearconf wrote there is not
 * believed: it is renamed to NAME.bad, for people to look at, and reported. All
 * of this blocks on the disk; cache.h writes and sweeps off the loop.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "fetch/cache_entry.h"
#include "fetch/sweep.h"

struct diag;

enum {
	CACHE_E_ABSENT = 1, /* no such file */
	CACHE_E_FOREIGN,    /* made for another server, company or key */
	CACHE_E_DAMAGED,    /* not to be believed, or not to be read */
};

/* Which entry is wanted, and whose it must be. */
struct cache_query {
	const char *state_dir, *workspace;
	const char *api_server, *company_id, *user_id; /* NULL: any */
	const char *access_key;                        /* the same */
	bool read_only; /* leave a wrong file where it is */
};

/* 0 and an entry of the caller's (cache_entry_deinit), or CACHE_E_*; @diag says
 * what is wrong with a FOREIGN or DAMAGED file, and what became of it. */
int cache_file_read(struct cache_entry *entry, const struct cache_query *query,
		    struct diag *diag);

/* The name of a workspace's file; the caller's. Two workspaces never have the
 * same, nor names that differ in case alone. */
char *cache_file_name(const char *workspace);

/* The same without what says that it is a cache's. */
char *cache_plain_name(const char *workspace);

/* Replace, or remove with what was set aside. 0 or a negative errno. */
int cache_file_write(const char *state_dir, const char *file, struct str bytes);
int cache_file_remove(const char *state_dir, const char *file);

/* Remove what may go of these files, and of the folders of histories. How many
 * went. */
size_t cache_file_sweep(const struct cache_sweep *sweep);

#endif
