#ifndef FETCH_VAULT_H
#define FETCH_VAULT_H

/*
 * Vault poller: asks the server for a workspace's vaults, again and again, and
 * hands what came to a callback. It keeps no vault itself. A poll asks for all
 * types of vault, by the questions that fetch/vault_question names, one after
 * the other; each type has one answer. A question that fails ends the poll, for
 * the types that were still to come too.
 *
 *   WAITING --timer, poll_now--> ASKING --answer--> WAITING
 *      |                           |
 *      +----- vault_poller_close --+--> CLOSING, freed by the timer's end
 *
 * It starts by asking, or at its phase when there is something to be served
 * meanwhile. Once an interval of its own (fetch/proof) a question begins with a
 * login by the key pair, which proves that the key is still good. What a
 * question means depends on the server: one that has no vaults (by its token's
 * claims: older than API 2.15, or of the basic feature set) is only logged in
 * to again, at that pace, which also shows whether it still has none. One that
 * has refused is logged in to first: what a user may do is in the token, and an
 * old one would be refused for as long as it lives.
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "fetch/vault_list.h"

struct session;
struct vault_poller;

enum vault_outcome {
	VAULT_FETCHED,     /* the list, maybe empty */
	VAULT_UNSUPPORTED, /* this server has no vaults: 404, or too old, or of
			      the basic feature set */
	VAULT_REFUSED,     /* the server takes the credentials back */
	VAULT_UNREACHABLE, /* no answer */
	VAULT_FAILED,      /* an answer that is no list of vaults */
};

/* What a program may want to know of an answer that was not good. */
struct vault_fault {
	const char *endpoint; /* static */
	long status;          /* HTTP; 0: no answer */
	int code, subcode;    /* of the envelope; 0: none */
};

struct vault_answer {
	enum vault_feed feed;
	enum vault_outcome outcome;
	const struct vault *vaults; /* in the order of the server */
	size_t count;
	const char *error; /* unless FETCHED or UNSUPPORTED: for people */
	struct vault_fault fault; /* of the same */
};

/* @answer is valid during the call only. The poller may be closed in there. */
typedef void (*vault_answer_fn)(void *data, const struct vault_answer *answer);

struct vault_poll_config {
	unsigned int feeds; /* how many, from the first of vault_feed */
	uint64_t interval_ms, backoff_max_ms;
	uint64_t prove_ms; /* 0: the key is proved on demand alone */
	unsigned int jitter_percent;
	uint32_t phase; /* of this host in each interval: fetch/poll_phase */
	bool no_vaults; /* nobody wants them: every server is one without */

	/* There is an answer of an earlier day: the first question is not asked
	 * at once but at the phase, at most a minute from now, so that a fleet
	 * that starts at the same moment does not ask at the same moment. */
	bool may_wait;
};

/* Would a poller by the one ask as one by the other? Whether there is something
 * to be asked for, and when it begins, is another question. */
bool vault_poll_config_equal(const struct vault_poll_config *a,
			     const struct vault_poll_config *b);

/* Borrows @session, which must outlive it. Starts to ask at once, unless it may
 * wait. */
struct vault_poller *vault_poller_new(uv_loop_t *loop, struct session *session,
				      const struct vault_poll_config *config,
				      vault_answer_fn on_answer, void *data);
void vault_poller_close(struct vault_poller *poller);

/* Ask now instead of waiting. While a question is under way its answer may be
 * of before whatever is the reason to ask: then another follows it. */
void vault_poller_poll_now(struct vault_poller *poller);

/* Like vault_poller_poll_now, beginning with a proof of the key pair. */
void vault_poller_prove_now(struct vault_poller *poller);

/* Seconds since 1970 of the last proof; 0: none yet. */
int64_t vault_poller_proved_at(const struct vault_poller *poller);

/* Is a question under way, or about to be? */
bool vault_poller_is_asking(const struct vault_poller *poller);

/* Seconds since 1970 of the next question; 0 while one is under way. */
int64_t vault_poller_next(const struct vault_poller *poller);

#endif
