#ifndef SERVE_TRIAL_H
#define SERVE_TRIAL_H

/*
 * Trial: a job (offload.h) that makes the configuration as it would be with
 * other vaults, beside what would be served if nothing were held. What is tried
 * is the resolver's; the kinds of trial are CheckVault (vault_check.c) and
 * GetArrivals (arriving.c).
 */

#include <stdbool.h>

#include "serve/offload.h"

struct buf;
struct env;
struct out;
struct pos;
struct request;
struct resolved;
struct resolver;
struct secrets;
struct service;
struct snapshot;
struct view;

struct trial {
	struct job job; /* first, as offload.h wants it */
	bool reveal;
	const struct service *service;

	/* Pinned. */
	struct snapshot *now;
	struct env *env; /* the daemon's own */
	struct resolver *resolver;
};

/* The resolver is the caller's to make. */
void trial_pin(struct trial *trial, const struct view *view);

/* Make it. False, with the reply written, when it cannot be. */
bool trial_resolve(struct trial *trial, struct resolved *resolved,
		   struct out *out);

/* Write a Problem of io.clearconf, @text masked. */
void trial_write_problem(struct buf *json, const char *text,
			 const struct pos *pos, const struct secrets *mask);

void trial_deinit(struct trial *trial);

/* May the peer of @request have a trial, and with what is told by `reveal`? If
 * not, the reply says so. */
bool trial_is_granted(struct request *request, bool *reveal);

/* Set up @trial, which begins what is allocated, for the answer. */
void trial_init(struct trial *trial, const struct job_kind *kind,
		const struct request *request, bool reveal);

#endif
