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

/* Of the workspace named @workspace, or of all together when NULL; {NULL, 0}
 * when there is no such. @answer: the answer of GetStatus. */
struct str status_state(const struct value *answer, const char *workspace);

struct status_wish {
	bool (*is_enough)(struct str state);
	int timeout_ms; /* negative: for ever */
	bool patient;   /* also wait for a daemon to come up */
};

/* Until the state of the client's workspace is enough: EXIT_DONE. Else the
 * last failure, which channel_complain knows, or -ETIMEDOUT in channel->result
 * at the time limit. *answer (may be NULL): the last one, if any. */
int status_follow(struct channel *channel, const struct client *client,
		  const struct status_wish *wish, struct doc **answer);

#endif
