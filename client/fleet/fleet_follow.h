#ifndef FLEET_FLEET_FOLLOW_H
#define FLEET_FLEET_FOLLOW_H

/*
 * The fleet again and again: etcd says what changes, and when it has been quiet
 * for a moment, or something has waited for a second, the whole is judged anew.
 * Once it was there etcd may go and come; what is wrong with it is complained
 * of.
 */

#include <stdbool.h>

struct fleet;
struct store;

struct fleet_follower {
	/* Not from within the loop: it may ask etcd, and wait. */
	void (*take)(struct fleet_follower *follower,
		     const struct fleet *fleet);
	void *data;

	/* By take(), each time. */
	bool over;     /* that was the last time */
	int status;    /* then: what fleet_follow is to return */
	int within_ms; /* again after so long at most; 0: at a change */
};

/* Until it is over, or ended from outside. An exit status. */
int fleet_follow(struct store *store, struct fleet_follower *follower);

#endif
