#ifndef DAEMON_UPSTREAM_H
#define DAEMON_UPSTREAM_H

/*
 * Upstream: a login at one ClearML server, its session and its vault pollers,
 * and how the last questions went.
 *
 * There is one feed for each type of vault that the mode knows. An upstream
 * hands each answer to its owner and remembers what `status` shows. It owns
 * session and pollers; closing it ends them.
 *
 *   ASKING --every feed has had an answer--> ANSWERED
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "engine/key_expiry.h"
#include "engine/login.h"
#include "engine/principal.h"
#include "fetch/session.h"
#include "fetch/vault.h"

struct http;
struct pair;
struct secrets;
struct settings;
struct upstream;

struct upstream_config {
	uv_loop_t *loop;
	struct http *http;
	const struct settings *settings;
	struct secrets *secrets; /* that those of logins are added to */
	bool may_wait;  /* vaults are there: the first question has time */
	bool no_vaults; /* nobody wants them, only the login */
};

typedef void (*upstream_answer_fn)(void *data, struct upstream *upstream,
				   const struct vault_answer *answer);

struct feed {
	bool answered;              /* good or bad */
	enum vault_outcome outcome; /* of the last answer */
	char *error;                /* NULL: the last one went well */
	struct vault_fault fault;   /* of the same */
};

struct upstream {
	struct login login;
	char *server; /* login.api_server as it may be shown */
	struct session_config session_config; /* its texts are the login's */
	struct session *session;
	struct principal principal;
	struct key_expiry key_expiry;
	struct secrets *secrets; /* borrowed */
	struct vault_poller *poller;
	struct vault_poll_config poll;
	struct feed feeds[VAULT_FEEDS]; /* the first poll.feeds in use */
	upstream_answer_fn on_answer;
	void *data;
	int64_t last_success; /* seconds since 1970 of the config vaults; 0 */
	int64_t wanted_proof; /* boot clock's ms of the last one that a client
			       * wanted; 0: none did */
};

/* Starts to ask at once; takes over the content of @login. Never calls
 * @on_answer before it returns. */
struct upstream *upstream_new(const struct upstream_config *config,
			      struct login *login, upstream_answer_fn on_answer,
			      void *data);
void upstream_close(struct upstream *upstream); /* NULL is allowed */

/* Would a new upstream with these be any different? */
bool upstream_is_for(const struct upstream *upstream,
		     const struct upstream_config *config,
		     const struct login *login);

/* Learn what it logs in with. */
void upstream_learn_secrets(const struct upstream *upstream,
			    struct secrets *secrets);

/* Has every feed had an answer, good or bad? */
bool upstream_is_answered(const struct upstream *upstream);

/* Did the last answers say what the vaults are? */
bool upstream_is_well(const struct upstream *upstream);

/* The outcome and error of the feed that is worst off. */
enum vault_outcome upstream_outcome(const struct upstream *upstream);
const char *upstream_error(const struct upstream *upstream); /* NULL: none */

/* What goes with the error; NULL: none. */
const struct vault_fault *upstream_fault(const struct upstream *upstream);

/* Is a question under way, or about to be? */
bool upstream_is_asking(const struct upstream *upstream);

/* Seconds since 1970 of the next question; 0 while one is under way. */
int64_t upstream_next_poll(const struct upstream *upstream);

/* A session like its own, but with another key pair. */
struct session *upstream_try(const struct upstream *upstream,
			     const struct upstream_config *config,
			     const struct pair *pair);

/* Ask now, and begin with a proof of the key. */
void upstream_prove_now(struct upstream *upstream);

/* Seconds since 1970 of the last proof of the key; -1: none yet. */
int64_t upstream_proved_at(const struct upstream *upstream);

#endif
