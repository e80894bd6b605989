#ifndef DAEMON_KEY_EXPIRY_H
#define DAEMON_KEY_EXPIRY_H

/*
 * Key expiry: when the key pair that a session logs in with is going to expire,
 * as far as its server says so: Enterprise does, open source knows no expiry.
 *
 *   IDLE --the key has been proved--> auth.get_credentials --answer--> IDLE
 *
 * A key is running out when a fifth of its life is left. Where the server does
 * not say when it was made, its life begins when it was first seen here.
 */

#include <stdbool.h>
#include <stdint.h>

struct session;
struct session_call;

struct key_expiry {
	struct session *session; /* borrowed */
	const char *access_key;  /* borrowed; NULL: there is none */
	struct session_call *call;
	int64_t proved_at;       /* of which proof it was asked */
	int64_t begins, expires; /* seconds since 1970; 0: not said */
	int64_t ended;           /* the end that has been acted upon */
};

void key_expiry_init(struct key_expiry *expiry, struct session *session,
		     const char *access_key);
void key_expiry_deinit(
	struct key_expiry *expiry); /* before the session's end */

/* The key was last proved at @proved_at: ask the server for its end, if that is
 * news. */
void key_expiry_learn(struct key_expiry *expiry, int64_t proved_at);

/* Seconds until the key ends; -1: nobody knows, or it has been acted upon. */
int64_t key_expiry_ends_in(const struct key_expiry *expiry, int64_t now);

/* True once, when it has ended. */
bool key_expiry_take_end(struct key_expiry *expiry, int64_t now);

/* Is less than a fifth left at @now (seconds since 1970)? */
bool key_expiry_runs_out(const struct key_expiry *expiry, int64_t now);

#endif
