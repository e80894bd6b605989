#ifndef STATE_HISTORY_STORE_H
#define STATE_HISTORY_STORE_H

/*
 * History store: keeps the generations of one workspace on disk, and brings
 * back those of earlier processes.
 *
 *              the next one               done, and more to do
 *                  +-+                            +-+
 *                  | v        all read            | v
 *   NEW --add--> LOADING ----------------------> WORKING
 *    ^              |                            |     ^
 *    | no login yet |                       done |     | add, forget
 *    +--------------+                            v     |
 *                                                 IDLE
 *
 * From each, closed: CLOSING, until all is on disk, then freed.
 *
 * The work is done on libuv's thread pool (history_disk.h), one piece at a
 * time. What comes meanwhile is written next, all of it at one go; of what has
 * left the history before it was written nothing is. A failure is logged once,
 * until it works again; what it was about is tried again with the next
 * generation. Nothing that is served depends on any of it.
 */

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct history_entry;
struct history_store;
struct secrets;
struct snapshot;

/* Borrowed but for the secrets, and for who is told. */
struct history_store_place {
	uv_loop_t *loop;
	const char *state_dir, *workspace;
	size_t limit, bytes_limit; /* of [limits] */
	struct secrets *secrets;   /* that learn those of what is found */

	/* The next older generation of earlier processes, a reference that is
	 * handed over; its secrets are learned. Which one is the oldest that is
	 * to stay. */
	uint64_t (*on_found)(void *data, const struct history_entry *entry);
	void *data;
};

/* Touches no disk yet. */
struct history_store *history_store_new(
	const struct history_store_place *place);

/* Whose vaults are in what is added: one text for all logins that are given the
 * same, empty for no login. Until it is said, nothing is done. */
void history_store_set_owner(struct history_store *store, const char *owner);

/* Keep @snapshot, and none before the generation @oldest; @previous as for
 * history_disk_write. */
void history_store_add(struct history_store *store, struct snapshot *snapshot,
		       uint64_t previous, uint64_t oldest);

/* What was added before is another's now, or nobody's: none of it may stay. */
void history_store_forget(struct history_store *store);

/* Why the disk does not have all of it, for people; NULL: it has, or will soon.
 */
const char *history_store_problem(const struct history_store *store);

/* Frees itself when all is on disk or that has failed; until then the loop
 * lives. NULL is allowed. */
void history_store_close(struct history_store *store);

#endif
