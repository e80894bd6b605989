#ifndef STATE_HOLD_FILE_H
#define STATE_HOLD_FILE_H

/*
 * Hold files: STATE/NAME.hold, what a workspace holds, with all its documents,
 * so that nothing else is needed to serve it again. 0600.
 *
 * A file that is not exactly what this user's clearconf wrote there is not
 * believed: it is renamed to NAME.hold.bad, for people to look at. All of this
 * blocks on the disk; hold.h writes off the loop.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/str.h"

struct buf;
struct cache_sweep;
struct diag;
struct snapshot;

/* Whose vaults are in it; NULL: none, or not known. */
struct hold_owner {
	const char *api_server, *access_key, *company_id, *user_id;
};

/* What was so when it began, and is to be told as long as it holds. */
struct hold_facts {
	const char *vaults_lack; /* why there are no vaults; NULL: they are */
	bool vaults_expected;
	const char *lost; /* layers that never were good: a line each */
};

struct hold_record {
	struct snapshot *snapshot; /* a reference */
	uint64_t generation;       /* the one whose values they are */
	int64_t since, until; /* seconds since 1970; until 0: without end */
	uid_t uid;            /* of who asked for it */
	const char *reason;
	struct hold_owner owner;
	struct hold_facts facts;
	struct arena arena; /* of the texts */
};

struct hold_record *hold_record_free(struct hold_record *record); /* NULL */

/* Take copies of what they point to. */
void hold_record_set_owner(struct hold_record *record,
			   const struct hold_owner *owner);
void hold_record_set_facts(struct hold_record *record,
			   const struct hold_facts *facts);

/* May what one was given be served where the other is logged in? What either
 * does not know is no reason against it. */
bool hold_owner_fits(const struct hold_owner *owner,
		     const struct hold_owner *other);

/* The file of @workspace; the caller's. */
char *hold_file_path(const char *state_dir, const char *workspace);

/* The bytes of a file. The snapshot is settled: any thread may do it. */
void hold_file_compose(struct buf *bytes, const char *workspace,
		       const struct hold_record *record);

/* Remove what @sweep says may go of these files. How many went. */
size_t hold_file_sweep(const struct cache_sweep *sweep);

/* Whose it must be, and when it is read. */
struct hold_query {
	const char *state_dir, *workspace;
	const struct hold_owner *owner;
	int64_t now;    /* seconds since 1970 */
	bool agent;     /* in mode `agent` */
	bool read_only; /* leave a wrong file where it is */
};

/* NULL: there is none; with @diag set: there is a file, what is wrong with it,
 * and what became of it. */
struct hold_record *hold_file_read(const struct hold_query *query,
				   struct diag *diag);

#endif
