#ifndef FETCH_API_H
#define FETCH_API_H

/*
 * The ClearML envelope: an HTTP answer -> outcome and data (server.md, "The
 * envelope").
 *
 * Free of I/O: what a body means, and what a token claims. A reply owns the
 * document its body was read into; api_reply_deinit ends it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "fetch/http.h"

struct doc;
struct value;

enum api_outcome {
	API_OK,
	API_UNREACHABLE, /* no HTTP answer */
	API_FOREIGN,     /* an answer that is no ClearML envelope */
	API_ERROR,       /* an envelope that reports an error */
};

struct api_reply {
	enum api_outcome outcome;
	long status;         /* HTTP; 0 when unreachable */
	int code, subcode;   /* of the envelope; 0 without one */
	char *message;       /* one line for people, never a secret or a body */
	int64_t retry_after; /* seconds; -1: not asked for */
	const struct value *data; /* an object; NULL unless API_OK */
	struct doc *doc;          /* holds data */
};

/* The reader of the bodies that api_parse takes: it makes documents of them. */
extern const struct http_reader api_reader;

/* Into an uninitialised @reply. @http is of a call that had api_reader. */
void api_parse(struct api_reply *reply, const struct http_reply *http);
void api_reply_deinit(struct api_reply *reply);

/* The server takes the credentials back: they are unknown to it, or what they
 * ask for is forbidden to them. Anything else is a bad day. */
bool api_is_refusal(const struct api_reply *reply);

/* The token is no longer good, and another one may be. */
bool api_is_token_over(const struct api_reply *reply);

/* The token's credentials are not known any more: only people can help, but
 * not before a login has said so too. */
bool api_is_key_unknown(const struct api_reply *reply);

/* What a ClearML token says of itself; it cannot be verified by a client. */
struct api_claims {
	const char *api_version;    /* "2.31"; ClearML's default if absent */
	const char *server_version; /* NULL: not said */
	const char *feature_set;    /* "basic" if absent */
	const char *user_id, *user_name; /* or NULL */
	/* The workspace that the token acts in, which may not be the user's
	 * own: its name is said of the own one only. Or NULL. */
	const char *company_id, *company_name;
	int64_t issued_at, expires_at; /* seconds since 1970; 0: not said */
};

/* What @claims points to lies in @arena or is static. False, and defaults
 * only, when @token is no JWT. */
bool api_parse_claims(struct api_claims *claims, struct arena *arena,
		      const char *token);

/* Seconds since 1970 of a time as the API writes it: with a zone, or without,
 * which is UTC; -1 when it is none, or before that. */
int64_t api_time(struct str text);

/* Compare "2.15" with "2.9" as tuples of integers: <0, 0, >0. */
int api_version_compare(const char *a, const char *b);

#endif
