#ifndef STATE_HISTORY_DISK_PARTS_H
#define STATE_HISTORY_DISK_PARTS_H

/*
 * The inside of history_disk.h: the tables of what is on the disk, which its
 * two halves share.
 *
 *   history_disk.c        generations that come and go
 *   history_disk_read.c   those that are there at the start
 */

#include "base/diag.h"
#include "base/seal.h"
#include "base/sha256.h"
#include "config/history.h"
#include "fetch/history_folder.h"
#include "state/history_disk.h"
#include "state/kept_docs.h"

struct doc;

#define HISTORY_DIGITS 20 /* of a generation, so that names sort as they do */

extern const struct seal history_owner_seal, history_record_seal,
	history_document_seal;

/* A document in memory, and its number among those on the disk. */
struct known_doc {
	struct doc *doc; /* a reference */
	uint32_t number;
};

struct known_docs {
	struct known_doc *items;
	size_t count;
};

/* A generation that is on the disk. */
struct record {
	uint64_t generation;
	uint32_t *docs; /* numbers */
	size_t count;
};

struct history_disk {
	struct history_folder folder;
	struct history_place place;
	char *owner;            /* that the folder says; NULL: none */
	bool unseen;            /* nobody knows whose the folder is */
	struct record *records; /* the newest first while they are read, then
				 * last */
	size_t count;
	struct kept_docs docs;
	struct known_docs known; /* those of the generation written last */

	/* While they are read: */
	uint64_t *unread; /* the newest last */
	size_t unread_count;
	bool full;                 /* the rest is beyond the limits */
	struct history_entry last; /* read, and not told yet */
	uint64_t before_last;      /* what it took the place of; 0 */
	size_t bytes_left;

	/* While one of them is packed or unpacked: */
	struct record *current;
	struct known_docs knowing;
	size_t written;    /* documents that may be in no more than memory */
	int error;         /* writing failed; 0: it has not */
	struct diag *diag; /* the caller's; NULL: none */
	bool stays;        /* a file cannot be opened, and is not to blame */
};

/* The names of their files; the caller's. */
char *history_record_name(uint64_t generation);
char *history_document_name(const unsigned char *name);

/* What @bytes of a document are called. */
void history_digest(struct str bytes, unsigned char *name);

void record_add_doc(struct record *record, uint32_t number);

/* Put @record, which is empty after, behind the others. */
void history_add_record(struct history_disk *disk, struct record *record);

/* The last of them is on the disk no more. */
void history_drop_last_record(struct history_disk *disk);

void history_forget_all(struct history_disk *disk);

/* The folder, which is open, is @owner's after: what nobody has seen and is
 * another's is set aside. 0 or a negative errno. */
int history_claim(struct history_disk *disk, const char *owner);

/* Write @entry, whose documents @record then names; the folder is open. */
int history_write_entry(struct history_disk *disk, struct record *record,
			const struct history_entry *entry, uint64_t previous);

int history_remove_record(struct history_disk *disk, uint64_t generation);
int history_remove_unused_docs(struct history_disk *disk);

#endif
