#ifndef DAEMON_UPSTREAM_H
#define DAEMON_UPSTREAM_H

/*
 * Upstream: a login at one ClearML server, its session and its vault poller,
 * and how the last questions went.
 *
 * It hands each answer to its owner and remembers what `status` shows. It owns
 * session and poller; closing it ends both.
 *
 *   ASKING --answer--> ANSWERED (outcome: how the last one went)
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "fetch/vault.h"
#include "login.h"

struct http;
struct settings;
struct upstream;

struct upstream_config {
	uv_loop_t *loop;
	struct http *http;
	const struct settings *settings;
};

typedef void (*upstream_answer_fn)(void *data, struct upstream *upstream,
				   const struct vault_answer *answer);

struct upstream {
	struct login login;
	struct session *session;
	struct vault_poller *poller;
	struct vault_poll_config poll;
	uint64_t timeout_ms;
	size_t response_limit;
	upstream_answer_fn on_answer;
	void *data;

	bool answered;              /* there has been an answer, good or bad */
	enum vault_outcome outcome; /* of the last */
	int64_t last_success;       /* seconds since 1970; 0: never */
	char *last_error;           /* NULL: the last one went well */
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

/* Did the last answer say what the vaults are? */
bool upstream_is_well(const struct upstream *upstream);

void upstream_poll_now(struct upstream *upstream);

#endif
