#ifndef DAEMON_ROTATION_PARTS_H
#define DAEMON_ROTATION_PARTS_H

/*
 * The inside of rotation: what its files share.
 *
 *   rotation.c         states, failures, beginning and end
 *   rotation_create.c  LISTING to WRITING: a new pair, in the file
 *   rotation_retire.c  MOVING to FORGETTING: the old pair goes; and what is
 *                      left of an attempt that failed
 *
 * A state's act begins what is to be done in it; what comes of that enters the
 * next state, fails, or has the act done again.
 */

#include <uv.h>

#include "engine/rotation.h"
#include "fetch/session.h"
#include "state/pair_file.h"
#include "state/rotation_journal.h"

struct disk_work;

enum rotation_state {
	ROTATION_RESUMING,
	ROTATION_LISTING,
	ROTATION_NOTING,
	ROTATION_CREATING,
	ROTATION_PROVING,
	ROTATION_INTENDING,
	ROTATION_WRITING,
	ROTATION_MOVING,
	ROTATION_LABELLING,
	ROTATION_GRACE,
	ROTATION_WAITING,
	ROTATION_REVOKING,
	ROTATION_FORGETTING,
	ROTATION_CLEANING,
	ROTATION_DISCARDING,
};

struct rotation {
	enum rotation_state state;
	struct workspace *workspace; /* whose it is */
	int64_t lifetime; /* of the new pair, in seconds; -1: as it comes */
	struct rotation_journal journal;
	struct pair pair; /* the new one, until it is in the file */
	int64_t expires;  /* of the new one; -1: not said */
	char *file, *journal_file;
	char *leftover; /* an access key, to be discarded */
	char *problem;

	/* At most one of these is under way. */
	struct session_call *call;
	struct session *trial; /* of the new pair */
	struct disk_work *disk;
	uv_timer_t timer;
};

void rotation_enter(struct rotation *rotation, enum rotation_state state);

/* Do the act of the state again: in @ms, or after a poll interval. */
void rotation_act_in(struct rotation *rotation, int64_t ms);
void rotation_retry(struct rotation *rotation);

/* The old pair stays; what may have been made of a new one goes. @problem is
 * taken over. @pause_ms: until then it may still be made. */
void rotation_fail_in(struct rotation *rotation, char *problem,
		      int64_t pause_ms);
void rotation_fail(struct rotation *rotation, const char *what,
		   const struct api_reply *reply);
void rotation_give_up(struct rotation *rotation);

/* Tell the workspace how the rotation stands. */
void rotation_tell(struct rotation *rotation);

/* The rotation is over: free it. */
void rotation_end(struct rotation *rotation);

/* Ask the server by the session in force. */
void rotation_ask(struct rotation *rotation, const char *endpoint,
		  const char *body, session_done_fn done);

bool rotation_is_in_force(const struct rotation *rotation, const char *key);
bool rotation_is_in_file(const struct rotation *rotation, const char *key);

/* A copy of the text @key of an answer's @object; NULL: it has none. */
char *rotation_text_of(const struct value *object, const char *key);

/* rotation_create.c */
void rotation_act_list(struct rotation *rotation);
void rotation_act_note(struct rotation *rotation);
void rotation_act_create(struct rotation *rotation);
void rotation_act_prove(struct rotation *rotation);
void rotation_act_write(struct rotation *rotation);

/* rotation_retire.c */
void rotation_act_move(struct rotation *rotation);
void rotation_act_label(struct rotation *rotation);
void rotation_act_wait(struct rotation *rotation);
void rotation_act_revoke(struct rotation *rotation);
void rotation_act_forget(struct rotation *rotation);
void rotation_act_clean(struct rotation *rotation);
void rotation_act_discard(struct rotation *rotation);

#endif
