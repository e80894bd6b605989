#ifndef SERVE_PENDING_H
#define SERVE_PENDING_H

/*
 * Pending replies: calls that are answered later.
 *
 * A pending reply knows who waits, what that costs him and, in the end, the
 * reply. Somebody works on it: the service, which asks the ClearML server or
 * waits for its own files, or another thread (offload.h). The work gives the
 * reply once, before it has returned or later, and whoever waits is told.
 *
 * The connection owns the pending reply. To free one that has no reply yet is
 * to cancel the work.
 *
 *   PENDING --pending_reply, _succeed, _fail_*--> REPLIED --written--> freed
 *      |
 *      +-- pending_free: pending->cancel --> freed
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/str.h"
#include "serve/call.h"
#include "serve/quota.h"

struct out;
struct peer;
struct request;
struct service;
struct shared;

/* Calls that the service works on for one user at a time. */
#define PENDING_PER_USER 8

/* A minute, of those that every reader may make: with three requests each they
 * are what a server is asked in a minute (fetch/bucket.h). */
#define SERVER_CALLS_PER_USER 20

struct pending {
	/* What was asked, of the service. */
	const char *method; /* without the interface; NULL: nothing */
	struct call call;   /* its parameters are what the method takes */

	/* Who waits. */
	struct peer *peer; /* the connection's, which outlives this */
	char *workspace;   /* that it is about; it existed at the call */
	bool masked; /* the answer is for one without the right `secrets` */
	bool of_all; /* it tells nothing of that workspace alone */
	bool silent; /* one-way: it is done, and nothing said */
	const struct service *service;
	struct charge charge;
	struct shared *reply; /* NULL: there is none yet */
	struct list link;     /* the owner's */
	void *owner;
	void (*on_reply)(struct pending *pending); /* NULL: nobody waits yet */

	/* Who works on it, until there is a reply. */
	void *work;
	void (*cancel)(struct pending *pending);
};

/* What the ClearML server said, or that it said nothing (status 0). */
struct pending_fault {
	const char *endpoint, *message;
	long status;
	int code, subcode; /* 0: none */
};

/* --- for who works on it: each ends the work, and @pending may be gone after
 */

/* @reply: all of it; taken over. */
void pending_reply(struct pending *pending, struct shared *reply);

/* @object: the parameters of the reply, a JSON object. */
void pending_succeed(struct pending *pending, struct str object);
void pending_fail_parameter(struct pending *pending, const char *name);
void pending_fail_not_ready(struct pending *pending, const char *reason);
void pending_fail_generation(struct pending *pending, uint64_t generation,
			     uint64_t oldest);
void pending_fail_server(struct pending *pending,
			 const struct pending_fault *fault);

/* --- for methods --- */

/* About the workspace of @request, whose user is charged @amount of @kind. NULL
 * when his quota refuses, which the reply then says. */
struct pending *pending_new(struct request *request, enum quota_kind kind,
			    uint32_t amount);

/* The work has begun: the answer is written now or, if there is no reply yet,
 * when it comes. */
void pending_wait(struct request *request, struct pending *pending);

/* Methods of io.clearconf that are the service's; which of its calls that is,
 * the name in the method's row says. */
void pending_call_service(struct request *request);
void pending_ask_server(struct request *request);
void pending_reload(struct request *request);
void pending_use_workspace(struct request *request);

/* --- for the connection --- */

static inline bool pending_has_reply(const struct pending *pending)
{
	return pending->reply != NULL;
}

/* Whom to tell, from within pending_reply and its like. */
void pending_set_owner(struct pending *pending, void *owner,
		       void (*on_reply)(struct pending *pending));

/* The reply into @out, if any is to be given and @peer still has the rights for
 * it. */
void pending_write(struct pending *pending, const struct peer *peer,
		   struct out *out);
void pending_free(struct pending *pending); /* NULL is allowed */

#endif
