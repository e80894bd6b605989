#ifndef STATUS_FOLLOW_H
#define STATUS_FOLLOW_H

/*
 * Wait for a state of the daemon, by the call GetStatus, which answers again
 * at each change of state.
 */

#include <stdbool.h>

#include "base/str.h"

struct channel;
struct client;
struct doc;
struct value;

struct status_wish {
	bool (*is_enough)(struct str state);
	bool overall;   /* the daemon's state, not that of one workspace, but
			 * where that is the caller's own */
	bool patient;   /* also wait for a daemon to come up */
	int timeout_ms; /* negative: for ever */
};

/* The state of the workspace named @name, or, when NULL, of the caller's: its
 * own or the active one; {NULL, 0} when there is no such. @status: a Status
 * object. */
struct str status_workspace_state(const struct value *status, const char *name);

/* Until the state is enough: EXIT_DONE. Else the last failure, for
 * channel_complain; its channel->result is -ETIMEDOUT or "no daemon" at the
 * time limit. *answer (may be NULL) is the last one, if there is any. */
int status_follow(struct channel *channel, const struct client *client,
		  const struct status_wish *wish, struct doc **answer);

#endif
