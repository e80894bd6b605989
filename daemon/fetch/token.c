#include "fetch/token.h"

#include <time.h>

#include "base/mem.h"
#include "fetch/backoff.h"

/* The least time, in seconds, from a login to the next that only the clock
 * asks for, and from a failed renewal to the next try. */
#define PAUSE 10
#define RETRY 60

/* Goes on while the machine sleeps, and nobody can set it. */
static int64_t boot_seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec;
}

/* A token that lives no longer than @ahead would be renewed with every call:
 * so half of its life is always used. The jitter takes up to a tenth off. */
int64_t token_renew_after(int64_t left, int64_t lifetime, int64_t ahead,
			  uint32_t random)
{
	int64_t after;

	if (left <= 0)
		return -1;
	if (ahead > lifetime / 2)
		ahead = lifetime / 2;
	after = left > ahead ? left - ahead : 0;
	return after - (int64_t)((uint64_t)(after / 10) * random >> 32);
}

/* How long a token that was issued at @issued (0: not said) has been alive. */
static int64_t age_since(int64_t issued)
{
	int64_t now = time(NULL);

	return issued && now > issued ? now - issued : 0;
}

static void plan_renewal(struct token *token, int64_t age, int64_t ahead)
{
	const struct api_claims *claims = &token->claims;
	int64_t begin = claims->issued_at ? claims->issued_at : time(NULL);
	int64_t lifetime = claims->expires_at - begin;
	int64_t after = token_renew_after(lifetime - age, lifetime, ahead,
					  backoff_random());

	if (!claims->expires_at || after < 0)
		token->renew_at = -1;
	else
		token->renew_at = boot_seconds() + after;
}

static void replace(struct token *token, struct str text)
{
	unsigned int serial = token->serial;

	token_deinit(token);
	token->text = mem_strndup(text.ptr, text.len);
	token->serial = serial + 1;
	(void)api_parse_claims(&token->claims, &token->arena, token->text);
}

void token_set(struct token *token, struct str text, int64_t ahead)
{
	int64_t soonest = boot_seconds() + PAUSE;

	replace(token, text);
	plan_renewal(token, 0, ahead);
	if (token->renew_at >= 0 && token->renew_at < soonest)
		token->renew_at = soonest;
}

/* One that seems over is renewed first: if it is our clock that is wrong, that
 * has cost a login. */
void token_set_foreign(struct token *token, struct str text, int64_t ahead)
{
	replace(token, text);
	plan_renewal(token, age_since(token->claims.issued_at), ahead);
	if (token->claims.expires_at && token->renew_at < 0)
		token->renew_at = boot_seconds();
}

void token_deinit(struct token *token)
{
	mem_free(token->text);
	arena_free(&token->arena);
	*token = (struct token){0};
}

void token_reject(struct token *token, unsigned int serial)
{
	if (serial == token->serial)
		token->rejected = true;
}

bool token_wants_renewal(const struct token *token)
{
	return token->renew_at >= 0 && boot_seconds() >= token->renew_at;
}

void token_postpone(struct token *token)
{
	token->renew_at = boot_seconds() + RETRY;
}
