#ifndef SERVE_REQUEST_H
#define SERVE_REQUEST_H

/*
 * A request: one call being answered, and all that a method may touch for it.
 *
 * There is one a server, for it answers one call at a time: most of it is the
 * same for all. A method writes its reply to `out`; one that goes on leaves a
 * watcher (Watch) or a pending reply, which the connection then takes. Methods
 * know nothing of sockets.
 */

#include "serve/call.h"
#include "serve/out.h"
#include "serve/quota.h"
#include "serve/service.h"

struct arena;
struct consumer;
struct offload;
struct peer;
struct pending;
struct watcher;
struct watchers;

struct request {
	/* The server's. */
	const struct service *service;
	struct quota *quota;
	struct offload *offload;
	struct watchers *watchers;
	struct out *out;
	struct call_memo *memo;
	struct arena *scratch; /* empty before and after the answer */

	/* The connection's. */
	struct peer *peer;
	struct consumer *consumer;
	uint64_t now; /* milliseconds of the loop's clock */

	/* Filled in before the method is called. */
	struct out_mark before;  /* its answer, in `out` */
	const struct call *call; /* the memo's */
	struct view view;        /* of the workspace that the call names */
	unsigned int rights;

	/* The method's, one of them at most: the call goes on. */
	struct watcher *watcher;
	struct pending *pending;
};

/* The user is to pay @amount of @kind. If his quota refuses that, the reply
 * says so. */
bool request_charge(struct request *request, struct charge *charge,
		    enum quota_kind kind, uint32_t amount);

/* Count a call of @rate, which is called @name in the settings or for people.
 * If the user has had too many, the reply says so. */
bool request_count(struct request *request, enum quota_rate rate,
		   const char *name);

/* May the peer have what it asks for by `reveal`? If not, the reply says so. */
bool request_may_reveal(struct request *request, bool *reveal);

#endif
