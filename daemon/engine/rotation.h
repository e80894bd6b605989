#ifndef DAEMON_ROTATION_H
#define DAEMON_ROTATION_H

/*
 * Rotation: a workspace's key pair in its credentials_file gives way to a new
 * one. At every moment the file holds one whole pair that the server takes:
 *
 *   LISTING    what the server says of the old pair: label and life
 *   NOTING     to the journal: a pair is going to be made
 *   CREATING   the new pair, under a label that says that it is not in use
 *   PROVING    it, by a login of its own
 *   INTENDING  to the journal: which pair is going to be in the file
 *   WRITING    the file, at one go
 *   MOVING     the workspace logs in by it, as by any change of the file
 *   LABELLING  the new pair as the old one was
 *   GRACE      to the journal: when the old pair goes
 *   WAITING    until then: who still uses the old pair has time to move
 *   REVOKING   the old pair
 *   FORGETTING the journal
 *
 * What fails before WRITING has written ends the rotation, and the new pair:
 *
 *   CLEANING   look for it, by its key or its label, also when the server did
 *              not answer and nobody knows whether it was made
 *   DISCARDING it, if there is one, then FORGETTING
 *
 * What fails later is tried again until it is done. After a crash the journal
 * is taken up (RESUMING) once the server has answered: if the new pair is in
 * force, with MOVING; if the old one is, with CLEANING, because the secret of
 * the new one is lost; if neither is, somebody else has chosen and nothing is
 * revoked.
 *
 * The workspace owns its rotation. Calls go by the workspace's session, which
 * may be replaced: rotation_log_out.
 */

#include <stdbool.h>
#include <stdint.h>

struct buf;
struct rotation;
struct workspace;

/* How long the old pair stays good by default. */
#define ROTATION_GRACE_S INT64_C(3600)

struct rotation_wish {
	int64_t grace;    /* seconds until the old pair is revoked; -1: as it
			   * is, at first ROTATION_GRACE_S */
	int64_t lifetime; /* of the new pair; -1: as the old one's */
};

/* Begin, or give the one that is WAITING another grace. NULL, or why not: the
 * caller's. What comes of it is told by host->on_rotation. */
char *rotation_begin(struct workspace *workspace,
		     const struct rotation_wish *wish);

/* Go on with the rotation that an earlier process has left, if there is one. */
void rotation_resume(struct workspace *workspace);

void rotation_close(struct rotation *rotation); /* NULL is allowed */

/* The workspace's server has answered. NULL is allowed, here and below. */
void rotation_look(struct rotation *rotation);

/* The workspace's session is about to be closed. */
void rotation_log_out(struct rotation *rotation);

/* Is the new pair in force, so that the rest is a matter of time? */
bool rotation_is_through(const struct rotation *rotation);

/* What went wrong, for people; NULL: nothing. */
const char *rotation_problem(const struct rotation *rotation);

/* For an answer: members of an object, with the keys as they are. */
void rotation_write_result(const struct rotation *rotation, struct buf *json);

/* The Rotation object of io.clearconf. @masked: not the keys. */
void rotation_write_status(const struct rotation *rotation, bool masked,
			   struct buf *json);

#endif
