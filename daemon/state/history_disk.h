#ifndef STATE_HISTORY_DISK_H
#define STATE_HISTORY_DISK_H

/*
 * History on disk: STATE/history/NAME.history, a folder of one workspace.
 *
 *	owner                     the login whose vaults are in it
 *	GENERATION.generation     when and why, and which documents
 *	SHA256.document           a document, once for all generations
 *
 * Each file is replaced as a whole, 0600 in 0700, documents before who names
 * them, and removed after: whenever the process is killed, each generation is
 * there or is not. What is not exactly what this user's clearconf wrote is not
 * believed: the file is renamed to .bad, for people to look at, and of a folder
 * of somebody else's all of it.
 *
 *   NEW --open--> READING --next ... none left--> WRITING
 *                                                  | ^ write, prune, clear
 *                                                  +-+
 *
 * All of this blocks on the disk, and one thread at a time may do it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct diag;
struct history_disk;
struct history_entry;
struct snapshot;

/* Copied. */
struct history_place {
	const char *state_dir, *workspace;
	size_t limit, bytes_limit; /* of [limits] */
};

struct history_disk *history_disk_new(const struct history_place *place);
void history_disk_free(struct history_disk *disk); /* NULL is allowed */

/* Look for what was kept for @owner ("": there is no login): generations before
 * @below, the first of this process. @diag set: something is not used. False:
 * it is a login's and there is none, so it stays, and this is to be called
 * again. */
bool history_disk_open(struct history_disk *disk, const char *owner,
		       uint64_t below, struct diag *diag);

/* The next older generation, the caller's; several of the same values are one.
 * False: there are no more, and what was beyond the limits is gone. @diag set:
 * one or more could not be used. */
bool history_disk_next(struct history_disk *disk, struct history_entry *entry,
		       struct diag *diag);

/* Keep @snapshot, whose @previous generation is known to have been the one
 * before it (0: it is not), as @owner's. Nothing of it changes but its masked
 * form and its references. 0 or a negative errno: then nothing is lost but
 * that. Nothing is written into another's folder that cannot be moved. */
int history_disk_write(struct history_disk *disk, const char *owner,
		       struct snapshot *snapshot, uint64_t previous);

/* All of it is @owner's, who is given the same. 0 or a negative errno. */
int history_disk_set_owner(struct history_disk *disk, const char *owner);

/* Remove what is older than @oldest. 0 or a negative errno. */
int history_disk_prune(struct history_disk *disk, uint64_t oldest);

/* Remove all of it, also what was set aside. 0 or a negative errno. */
int history_disk_clear(struct history_disk *disk);

#endif
