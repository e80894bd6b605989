#ifndef SERVE_SERVICE_H
#define SERVE_SERVICE_H

/*
 * What the server asks of the daemon: the one face of everything behind it.
 *
 * front.c fills the table; tests fill it with fixtures. Questions are answered
 * at once from what is there; only a pending reply may wait, for the network or
 * for files.
 */

#include <stdbool.h>
#include <stdint.h>

#include "config/projection.h"

struct access;
struct buf;
struct caller_rule;
struct diag;
struct env;
struct history;
struct peer;
struct pending;
struct resolver;
struct secrets;
struct snapshot;

/* One workspace as it is now; all borrowed until control returns to the loop.
 */
struct view {
	const char *workspace;
	struct snapshot *snapshot; /* never NULL */
	const struct history *history;
	struct snapshot *candidate; /* that would be served, if nothing were
				     * held; NULL: there is none */
	uint64_t held; /* the generation that is held; 0: none is */
	const struct access *access;
	/* The daemon's own variables, and what masks on demand. */
	const struct env *env;
	const struct secrets *secrets;
	const char *state; /* static: starting, ready, degraded, offline */
	const char *shown; /* the same, or refused, as status has it */
	int64_t stale;     /* seconds, when older than two polls; else -1 */
	/* Of the active one: the generation with which it became so. What was
	 * told before was of another workspace. 0: it was asked for by name,
	 * or has been the active one since the start. */
	uint64_t active_since;
	const struct caller_rule *own; /* why it is the peer's; NULL: it is the
					* active one, or was asked for */
};

/* Two bits a workspace; of those behind the 32nd nobody is shown anything by
 * clearance. */
#define SERVICE_MAY_READ   1U
#define SERVICE_MAY_REVEAL 2U
#define SERVICE_BITS       2U
#define SERVICE_CLEARANCES 32U

/* What a program says of the configuration that it was given. */
struct service_verdict {
	const char *workspace;
	bool left; /* it has ended with failure; else: it does not want
		    * the newest */
	uint64_t generation; /* that it ran on; 0: not told */
	const char *reason;  /* not masked */
};

struct service {
	void *data;

	/* @workspace NULL: the active one. False: there is no such. */
	bool (*view)(void *data, const char *workspace, struct view *view);

	/* The same of @peer's own workspace, or the active one: what it gets
	 * who names none. */
	void (*own_view)(void *data, struct peer *peer, struct view *view);

	/* What @projection, but served, shows of the snapshot of @workspace,
	 * which exists; borrowed as the view is. NULL: programs must not be
	 * given it, as *@broken (borrowed, too) has nothing good before it. */
	struct snapshot *(*project)(void *data, const char *workspace,
				    enum projection projection,
				    const struct diag **broken);

	/* Why @workspace, which exists, has no vaults (not masked); NULL: they
	 * are in. *@expected: somebody is to give them. */
	const char *(*vaults_lack)(void *data, const char *workspace,
				   bool *expected);

	/* What @peer may see of the workspaces: SERVICE_MAY_* bits for the
	 * first, the second and so on, from the lowest up. */
	uint64_t (*clearance)(void *data, const struct peer *peer);

	/* Write the Status object of io.clearconf as JSON, for a peer with
	 * @clearance: what may not be read is left out. @own: see view. */
	void (*status)(void *data, uint64_t clearance,
		       const struct caller_rule *own, struct buf *json);

	/* The same of ListWorkspaces' answer, an object's members. */
	void (*workspaces)(void *data, uint64_t clearance,
			   const struct caller_rule *own, struct buf *json);

	/* What makes the configuration of @workspace, which exists, for an
	 * environment of a caller's, from the layers below @below: of what is
	 * served, or of what would be if nothing were held (@candidate). */
	struct resolver *(*resolver)(void *data, const char *workspace,
				     bool candidate, enum layer_kind below);

	/* Add the member `arriving` about the vaults that wait in @workspace,
	 * which exists, and give what makes its configuration with them once
	 * resolver_read has read them; NULL: none wait, or *why_not says why
	 * that cannot be told. */
	struct resolver *(*arriving)(void *data, const char *workspace,
				     struct buf *fields, const char **why_not);

	/* Work on @pending, whose method and call say what is asked: reply to
	 * it, at once or later. */
	void (*begin)(void *data, struct pending *pending);

	/* Programs have told what they do with the configuration, or have gone;
	 * NULL: never mind. */
	void (*consumers)(void *data);

	/* One that may have its secrets says that it is bad; NULL: the same. */
	void (*complain)(void *data, const struct service_verdict *verdict);

	/* The socket file is gone, so that nobody can connect any more; NULL:
	 * never mind. */
	void (*unreachable)(void *data);
};

#endif
