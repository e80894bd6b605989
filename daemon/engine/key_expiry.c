#include "engine/key_expiry.h"

#include <string.h>
#include <time.h>

#include "engine/credential.h"
#include "fetch/session.h"

#define LEFT_PARTS 5 /* it runs out in the last of so many parts */

void key_expiry_init(struct key_expiry *expiry, struct session *session,
		     const char *access_key)
{
	*expiry = (struct key_expiry){.session = session,
				      .access_key = access_key};
}

void key_expiry_deinit(struct key_expiry *expiry)
{
	session_cancel(expiry->call);
	expiry->call = NULL;
}

/* A server that knows no expiry, or forbids to ask, leaves what was known. */
static void take(struct key_expiry *expiry, const struct value *credential)
{
	int64_t created = credential_time(credential, "created");
	int64_t expires = credential_time(credential, "expire");

	if (expires <= 0) {
		expiry->expires = 0;
		return;
	}
	expiry->expires = expires;
	if (created > 0)
		expiry->begins = created;
	else if (!expiry->begins)
		expiry->begins = time(NULL);
}

static void on_credentials(void *data, const struct api_reply *reply)
{
	struct key_expiry *expiry = data;
	const struct value *credential =
		credential_find(reply->data, "access_key", expiry->access_key);

	expiry->call = NULL;
	if (credential)
		take(expiry, credential);
}

static bool may_expire(const struct session *session)
{
	const struct api_claims *claims = session_claims(session);

	return claims && strcmp(claims->feature_set, "basic") != 0;
}

void key_expiry_learn(struct key_expiry *expiry, int64_t proved_at)
{
	if (!expiry->access_key || expiry->call ||
	    proved_at <= expiry->proved_at || !may_expire(expiry->session))
		return;
	expiry->proved_at = proved_at;
	expiry->call = session_send(expiry->session, "auth.get_credentials",
				    NULL, on_credentials, expiry);
}

int64_t key_expiry_ends_in(const struct key_expiry *expiry, int64_t now)
{
	if (!expiry->expires || expiry->ended == expiry->expires)
		return -1;
	/* That second is over for the server, too, which may count parts. */
	return expiry->expires >= now ? expiry->expires + 1 - now : 0;
}

bool key_expiry_take_end(struct key_expiry *expiry, int64_t now)
{
	if (key_expiry_ends_in(expiry, now) != 0)
		return false;
	expiry->ended = expiry->expires;
	return true;
}

bool key_expiry_runs_out(const struct key_expiry *expiry, int64_t now)
{
	int64_t whole = expiry->expires - expiry->begins;

	return expiry->expires && expiry->expires - now <= whole / LEFT_PARTS;
}
