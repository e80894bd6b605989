#include "engine/key_life.h"

#include <string.h>
#include <time.h>

#include "engine/credential.h"
#include "fetch/session.h"

#define LEFT_PARTS 5 /* it runs out in the last of so many parts */

void key_life_init(struct key_life *life, struct session *session,
		   const char *access_key)
{
	*life = (struct key_life){.session = session, .access_key = access_key};
}

void key_life_deinit(struct key_life *life)
{
	session_cancel(life->call);
	life->call = NULL;
}

/* A server that knows no expiry, or forbids to ask, leaves what was known. */
static void take(struct key_life *life, const struct value *credential)
{
	int64_t created = credential_time(credential, "created");
	int64_t expires = credential_time(credential, "expire");

	if (expires <= 0) {
		life->expires = 0;
		return;
	}
	life->expires = expires;
	if (created > 0)
		life->begins = created;
	else if (!life->begins)
		life->begins = time(NULL);
}

static void on_credentials(void *data, const struct api_reply *reply)
{
	struct key_life *life = data;
	const struct value *credential =
		credential_find(reply->data, "access_key", life->access_key);

	life->call = NULL;
	if (credential)
		take(life, credential);
}

static bool may_expire(const struct session *session)
{
	const struct api_claims *claims = session_claims(session);

	return claims && strcmp(claims->feature_set, "basic") != 0;
}

void key_life_learn(struct key_life *life, int64_t proved_at)
{
	if (!life->access_key || life->call || proved_at <= life->proved_at ||
	    !may_expire(life->session))
		return;
	life->proved_at = proved_at;
	life->call = session_send(life->session, "auth.get_credentials", NULL,
				  on_credentials, life);
}

int64_t key_life_ends_in(const struct key_life *life, int64_t now)
{
	if (!life->expires || life->ended == life->expires)
		return -1;
	/* That second is over for the server, too, which may count parts. */
	return life->expires >= now ? life->expires + 1 - now : 0;
}

bool key_life_take_end(struct key_life *life, int64_t now)
{
	if (key_life_ends_in(life, now) != 0)
		return false;
	life->ended = life->expires;
	return true;
}

bool key_life_runs_out(const struct key_life *life, int64_t now)
{
	int64_t whole = life->expires - life->begins;

	return life->expires && life->expires - now <= whole / LEFT_PARTS;
}
