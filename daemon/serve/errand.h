#ifndef SERVE_ERRAND_H
#define SERVE_ERRAND_H

/*
 * Errands: calls that the daemon has to go somewhere for, to the ClearML
 * server or its own files, before there is an answer.
 *
 * What is asked lies in the errand, so that the service needs nothing of the
 * call. The service finishes it once, while it is begun or later, and whoever
 * waits is told. The connection owns it; to free one that is not finished is
 * to call it off.
 *
 * Those that are the daemon's own work take turns (turns.h) before they begin,
 * and cannot be called off once they have.
 *
 *   NEW --begin--> UNDER WAY --errand_succeed, errand_fail_*--> FINISHED
 *                      |                                            |
 *                      +-- errand_free: service->call_off           |
 *                      |                                            |
 *                      +------------------> freed <-----------------+
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/str.h"
#include "config/projection.h"
#include "serve/quota.h"

struct access;
struct env;
struct out;
struct peer;
struct request;
struct service;
struct shared;
struct study;
struct turns;

enum errand_kind {
	ERRAND_GET,     /* with an environment: takes turns */
	ERRAND_STORAGE, /* the same */
	ERRAND_STUDY,   /* the server's own: takes turns */
	ERRAND_RELOAD,
	ERRAND_USE_WORKSPACE,
	ERRAND_PROVE,
	ERRAND_TOKEN,
	ERRAND_PROFILE,
	ERRAND_WORKERS,
	ERRAND_LIST_CREDENTIALS,
	ERRAND_CREATE_CREDENTIALS,
	ERRAND_EDIT_CREDENTIALS,
	ERRAND_ROTATE_CREDENTIALS,
	ERRAND_REVOKE_CREDENTIALS,
};

/* At work for one user at a time. */
#define ERRANDS_PER_USER 8

struct errand {
	enum errand_kind kind;
	char *workspace;  /* that it is about; exists when it is begun */
	char *text;       /* the access key, the worker; NULL: none */
	char *label;      /* NULL: none */
	int64_t lifetime; /* seconds; -1: not given */
	int64_t grace;    /* the same */
	bool force;
	bool silent; /* one-way: it is done, and nothing said */
	bool masked; /* the answer is for one without the right `secrets` */
	/* Who waits: the connection's, which outlives its errands but for those
	 * that take turns. */
	const struct peer *peer;
	/* GET and STORAGE, whose text is the path or the URI: */
	struct env *env; /* the caller's; nobody else has it */
	enum projection projection;
	struct buf fields; /* that the reply begins with */
	/* STUDY, until it is finished: */
	struct study *study;

	const struct service *service;
	void *job;            /* the service's; NULL: nothing is under way */
	struct shared *reply; /* NULL: not finished */

	struct list link; /* the owner's */
	void *owner;      /* who waits; NULL: nobody yet */
	void (*on_finished)(struct errand *errand);
	struct turns *turns; /* that it takes; NULL: none, or it had it */
	bool abandoned;      /* while at work: it frees itself */
	struct charge charge;
};

/* What the ClearML server said, or that it said nothing (status 0). */
struct errand_fault {
	const char *endpoint, *message;
	long status;
	int code, subcode; /* 0: none */
};

/* --- for the service: each ends the errand, which may be gone after --- */

/* @reply: all of it; taken over. */
void errand_finish(struct errand *errand, struct shared *reply);

/* @object: the parameters of the reply, a JSON object. */
void errand_succeed(struct errand *errand, struct str object);
void errand_fail_parameter(struct errand *errand, const char *name);
void errand_fail_not_ready(struct errand *errand, const char *reason);
void errand_fail_server(struct errand *errand,
			const struct errand_fault *fault);

/* --- for the connection --- */

static inline bool errand_is_finished(const struct errand *errand)
{
	return errand->reply != NULL;
}

/* Whom to call, from within errand_succeed or errand_fail_*. */
void errand_set_owner(struct errand *errand, void *owner,
		      void (*on_finished)(struct errand *errand));

/* The reply of a finished one, if any, into @out, if @peer still has the rights
 * for it. */
void errand_answer(struct errand *errand, const struct peer *peer,
		   struct out *out);
void errand_free(struct errand *errand); /* NULL is allowed */

/* GET or STORAGE with the environment @env (taken over) of @size bytes; @fields
 * begin the reply, and are taken over too. */
struct env_call {
	enum errand_kind kind;
	struct str text;
	struct env *env;
	size_t size;
	bool masked;
	enum projection projection;
	struct buf fields;
};

void errand_for_caller(struct request *request, const struct env_call *call);

/* Do @study (taken over), whose question has @size bytes. */
void errand_study(struct request *request, struct study *study, size_t size,
		  bool masked);

/* Methods of io.clearconf. */
void errand_reload(struct request *request);
void errand_use_workspace(struct request *request);
void errand_prove_credentials(struct request *request);
void errand_get_token(struct request *request);
void errand_get_profile(struct request *request);
void errand_get_workers(struct request *request);
void errand_list_credentials(struct request *request);
void errand_create_credentials(struct request *request);
void errand_edit_credentials(struct request *request);
void errand_rotate_credentials(struct request *request);
void errand_revoke_credentials(struct request *request);

#endif
