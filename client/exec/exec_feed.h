#ifndef EXEC_FEED_H
#define EXEC_FEED_H

/*
 * The configuration as `exec` gets it from the daemon, resolved with this
 * process's environment, again whenever it changes, and without ever waiting.
 *
 * Watch, on a connection that comes back by itself, says that something has
 * changed; Get on another asks what there is now. No more than one question is
 * out at a time, and not more than a few a second. With live vaults there are
 * two of them, one after the other: for the file, and for what file, variables
 * and vaults come to.
 *
 *	        an answer                   change, or the first
 *	        to Watch                    answer to Watch
 *	AWAY ------------> IDLE ------------------------------> ASKING
 *	 ^                  |  ^--- answer, or the connection ----+
 *	 |                  |       of the question is lost       |
 *	 +-- that of Watch -+-------------------------------------+
 *	     is lost
 *
 * While the daemon is away or its vaults are not in yet there is no answer.
 */

#include <poll.h>
#include <stdbool.h>

#include "call/channel.h"
#include "call/get_call.h"

struct client;

#define EXEC_FEED_FDS 2

struct exec_answers {
	struct get_answer file; /* what the file is to hold */
	struct get_answer
		whole; /* with live vaults: what it comes to; else none */
};

/* What the configuration is, with vaults and all. */
const struct value *exec_answers_whole(const struct exec_answers *answers);

/* Warn of the vaults that are left out of it. */
void exec_answers_warn(const struct exec_answers *answers);

void exec_answers_deinit(struct exec_answers *answers);

struct exec_feed {
	const struct client *client;
	bool live; /* vaults */
	bool require_vaults;
	struct channel watching, asking;
	enum { FEED_AWAY, FEED_IDLE, FEED_ASKING } state;
	struct exec_answers got; /* to the questions of this turn */
	bool changed;            /* since the last question went out */
	bool refused;            /* Watch was, and that has been said */
	long long ask_at;        /* not before; see clock.h */
};

/* That brings exec_answers_whole. */
struct get_question exec_feed_question(const struct exec_feed *feed);

void exec_feed_init(struct exec_feed *feed, const struct client *client,
		    bool live, bool require_vaults);
void exec_feed_deinit(struct exec_feed *feed);

/* The configuration of now; waits for the vaults, at most the client's time
 * limit. An exit status, complained about: EXIT_SERVER when they are not in. */
int exec_feed_first(struct exec_feed *feed, struct exec_answers *answers);

/* Follow what changes from now on. An exit status, complained about. */
int exec_feed_start(struct exec_feed *feed);

/* What to poll, unused ones -1, and until when. */
void exec_feed_poll(const struct exec_feed *feed,
		    struct pollfd fds[EXEC_FEED_FDS]);
long long exec_feed_moment(const struct exec_feed *feed);

/* Go on, after a poll; true with answers of the caller's. */
bool exec_feed_step(struct exec_feed *feed, struct exec_answers *answers);

#endif
