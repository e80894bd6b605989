#ifndef STATE_ROTATION_JOURNAL_H
#define STATE_ROTATION_JOURNAL_H

/*
 * What a rotation must know after a crash, in the state folder: NAME.rotation.
 * JSON, 0600, and no secret in it.
 */

#include <stdbool.h>
#include <stdint.h>

struct buf;

struct rotation_journal {
	char *old;     /* the access key that is to go */
	char *mark;    /* the label of the new one until it is in use */
	char *label;   /* and the one after that: the old one's; NULL: none */
	char *new;     /* the access key that is to come; NULL: not made yet */
	int64_t grace; /* seconds */
	int64_t revoke_at; /* seconds since 1970; -1: not decided yet */
};

/* The path of the journal, the caller's. */
char *rotation_journal_path(const char *state_dir, const char *workspace);

/* False when there is none, or none that can be read: then there is nothing
 * in @journal. */
bool rotation_journal_read(struct rotation_journal *journal, const char *path);
void rotation_journal_write(const struct rotation_journal *journal,
			    struct buf *json);
void rotation_journal_deinit(struct rotation_journal *journal);

#endif
