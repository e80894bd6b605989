#ifndef FETCH_CACHE_ENTRY_H
#define FETCH_CACHE_ENTRY_H

/*
 * Cache entry: what a start without the server needs of one workspace, and how
 * it lies in a file.
 *
 *	clearconf-cache 1 CHECKSUM LENGTH
 *	{"workspace":...,"vaults":{...},"fetched_at":{...}}
 *
 * The checksum (64-bit FNV-1a) and the length are of all that follows the first
 * line. There is one way to write that line, so any other byte in it is damage.
 * The times come last: a file that differs only in them is made of the same
 * content. Pure: bytes in, entry out. What an entry points to is its arena's
 * when it was read, else what it holds or the caller's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "fetch/vault.h"

struct diag;

/* A longer file is no cache. */
#define CACHE_BYTES_MAX ((size_t)256 << 20)

/* A revision of a feed's vaults: a hash of them as digits, or "". */
#define REVISION_SIZE 33

/* Of a feed, which revision is in force, and which other one is waited with,
 * see engine/arrival.h. */
struct cache_arrival {
	char in_force[REVISION_SIZE], next[REVISION_SIZE];
	int64_t seen_at; /* seconds since 1970 when @next was first seen */
	bool skipped;    /* it is never to be taken */
};

/* The vaults of one feed, in the order of the server. */
struct cache_vaults {
	int64_t fetched_at; /* seconds since 1970 of the last good answer;
			       0: there has been none, and so no vaults */
	const struct vault *vaults;
	size_t count;
	struct cache_arrival arrival;
};

struct cache_entry {
	/* All texts are UTF-8. */
	const char *workspace;
	const char *api_server, *company_id, *access_key; /* "": has none */
	const char *user_id, *user_name, *company_name;   /* NULL: not known */
	int64_t refused_at; /* seconds since 1970 when the server began to
			       refuse the credentials; 0: it does not */
	struct cache_vaults feeds[VAULT_FEEDS];
	struct arena arena;
	void *held; /* what the vaults point to, else; NULL: nothing */
	void (*release)(void *held);
};

void cache_entry_deinit(struct cache_entry *entry);

/* The time of the oldest answer in it; 0: there is none. */
int64_t cache_entry_fetched_at(const struct cache_entry *entry);

/* Are they equal but for the times of their answers? */
void cache_entry_describe(const struct cache_entry *entry, struct buf *content);

/* A whole file of @content and the times, but for its first line, which is left
 * blank: cache_entry_seal reads every byte, and may do so in another thread. */
void cache_entry_compose(struct buf *bytes, struct str content,
			 const int64_t fetched_at[VAULT_FEEDS]);
void cache_entry_seal(struct buf *bytes);

/* The entry in the file @name that holds @bytes; the caller's, unless false,
 * with @diag set: there is none. */
bool cache_entry_read(struct cache_entry *entry, const char *name,
		      struct str bytes, struct diag *diag);

#endif
