#ifndef FETCH_SESSION_H
#define FETCH_SESSION_H

/*
 * Session: one key pair (or token) logged in to one API server.
 *
 * Calls made before there is a token wait for the one login that is under way;
 * a token is renewed before it expires, and once when a call is answered that
 * it is over (401/30); a call that is answered so twice ends. A renewal ahead
 * of time that fails on a bad day costs nothing: the old token goes on serving
 * and the renewal is tried again later.
 *
 *   LOGGED_OUT --call--> LOGGING_IN --token--> LOGGED_IN
 *       ^                    |                     |
 *       +----- failed -------+      expiry near, or 401 on a call
 *       |  (waiting calls get                      |
 *       |   the login's reply)      LOGGING_IN <---+
 *       +--> any, session_close --> CLOSED, freed when no callback runs
 *
 * It owns its calls and its copy of the credentials, which go nowhere but into
 * the Authorization header of a login.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fetch/api.h"

struct http;
struct session;
struct session_call;

struct session_config {
	const char *api_server; /* may hold a path; no '/' at the end needed */
	const char *access_key, *secret_key; /* NULL: only the token */
	const char *token; /* CLEARML_AUTH_TOKEN; NULL: log in with the keys */
	struct http_tls tls;
	uint64_t timeout_ms; /* for one HTTP exchange */
	size_t response_limit;

	/* ClearML's own settings. 0 and NULL: the session's defaults. */
	int64_t renew_ahead; /* seconds before its end a token is renewed */
	int64_t token_life;  /* seconds of life to ask for at a login */
	const char *method;  /* of what only reads: get, post or put */

	/* Calls that the owner is going to make, by its settings; see
	 * fetch/bucket. */
	unsigned int calls_per_minute;
};

/* @reply is valid during the call only. The call is over: not to be cancelled
 * any more. Anything else may be done in there, session_close included. */
typedef void (*session_done_fn)(void *data, const struct api_reply *reply);

/* Would a session by the one be the same as by the other? */
bool session_config_equal(const struct session_config *a,
			  const struct session_config *b);

/* Copies @config; wipes it when closed. Borrows @http, which must outlive the
 * session. */
struct session *session_new(struct http *http,
			    const struct session_config *config);
void session_close(struct session *session); /* its calls end without done() */

/* @endpoint: "users.get_vaults?enabled=true&..."; @body NULL: it only reads,
 * else POST of that JSON. Never calls @done before it returns. */
struct session_call *session_send(struct session *session, const char *endpoint,
				  const char *body, session_done_fn done,
				  void *data);

/* Log in, or join the login that is under way, whatever token there is. @reply
 * is the login's; its data holds the token and is nobody's business. */
struct session_call *session_login(struct session *session,
				   session_done_fn done, void *data);

/* Have the server make a token of its own that lives @lifetime seconds. It is
 * asked for with what the session's token was made from: the key pair, if it
 * was, so that a key that has been revoked makes none. */
struct session_call *session_mint(struct session *session, int64_t lifetime,
				  session_done_fn done, void *data);

/* Was the token that is in use got by the key pair, and none brought along? */
bool session_is_by_key(const struct session *session);

void session_cancel(struct session_call *call); /* NULL is allowed */

/* What the latest token says; NULL before the first login. Valid until the next
 * time the loop runs. */
const struct api_claims *session_claims(const struct session *session);

#endif
