#ifndef FETCH_TOKEN_H
#define FETCH_TOKEN_H

/*
 * Token: what a session shows with each call, and when it wants a new one.
 *
 * Lives count by the boot clock from the moment the server gave the token, so
 * that a clock that is wrong or set does not matter. Only a token that somebody
 * else brought is as old as its claims and our clock make it. Without an expiry
 * it lives for ever; one that is given expired is used until it is refused, or
 * every call would begin with a login.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"
#include "fetch/api.h"

struct token {
	char *text;          /* NULL: there has been none */
	bool rejected;       /* the server has refused it */
	unsigned int serial; /* how many there have been */
	int64_t renew_at;    /* seconds of the boot clock; -1: never */
	struct arena arena;  /* of claims */
	struct api_claims claims;
};

/* @ahead: seconds from renewal to the end of the token's life. */
void token_set(struct token *token, struct str text, int64_t ahead);
void token_set_foreign(struct token *token, struct str text, int64_t ahead);
void token_deinit(struct token *token);

/* The server has refused the token numbered @serial. */
void token_reject(struct token *token, unsigned int serial);

static inline bool token_is_usable(const struct token *token)
{
	return token->text && !token->rejected;
}

bool token_wants_renewal(const struct token *token);

/* A renewal has failed: the next try is later. */
void token_postpone(struct token *token);

/* Seconds that a token, valid for @left seconds of a life of @lifetime, is used
 * before it is renewed @ahead of its end; -1: never, only a refusal ends it.
 * @random: any 32 bits. Pure arithmetic. */
int64_t token_renew_after(int64_t left, int64_t lifetime, int64_t ahead,
			  uint32_t random);

#endif
