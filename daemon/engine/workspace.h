#ifndef DAEMON_WORKSPACE_H
#define DAEMON_WORKSPACE_H

/*
 * Workspace: one API server and key pair, and everything that follows from
 * them: stack of layers, current snapshot, history, state.
 *
 * It owns all of that; what it shares with its siblings is in its host. A
 * change of the login of the implicit workspace is proved by an answer before
 * it replaces the upstream that works: until then it is the candidate.
 *
 *   STARTING --answer--> READY <--bad answer / good answer--> DEGRADED
 *       |                  ^                                     ^
 *       +---no answer--> OFFLINE <-------no answer---------------+
 *
 * READY also without a server, when the layers are all in order; DEGRADED also
 * while a layer is broken.
 */

#include <stdbool.h>
#include <stdint.h>

#include "config/history.h"
#include "config/snapshot.h"
#include "config/stack.h"
#include "engine/arrival.h"
#include "engine/hold.h"
#include "engine/upstream.h"
#include "state/last_good.h"

struct access;
struct change_log;
struct env;
struct history_store;
struct locks;
struct places;
struct rotation;
struct secrets;
struct site;
struct workspace;

enum workspace_state {
	WORKSPACE_STARTING,
	WORKSPACE_READY,
	WORKSPACE_DEGRADED,
	WORKSPACE_OFFLINE
};

/* What the workspaces of a daemon share. */
struct workspace_host {
	struct upstream_config upstream;
	const struct settings *settings;
	const struct places *places;
	struct env *env, *vault_env;
	struct secrets *secrets;
	struct locks *locks;
	const struct site *site;  /* what etcd has for the host; NULL: none */
	const char *machine;      /* its id; NULL: not asked for */
	const char *state_dir;    /* of the cache; NULL: there is none */
	bool read_only;           /* and it is not written */
	bool offline;             /* never touch the network */
	uint64_t fetched, failed; /* answers for a feed of vaults */

	void *data;
	uint64_t (*next_generation)(void *data);
	void (*on_snapshot)(void *data, struct workspace *workspace);
	void (*on_state)(void *data, struct workspace *workspace);
	/* The server has answered, well or not; all of it has been taken. */
	void (*on_answer)(void *data, struct workspace *workspace);
	/* What was last to be written of its vaults is on disk, or failed. */
	void (*on_saved)(void *data, struct workspace *workspace);
	/* Its rotation has got further, or has failed. */
	void (*on_rotation)(void *data, struct workspace *workspace);
	/* A hold has begun, has ended, or has not come about; or what it tells
	 * has changed. */
	void (*on_hold)(void *data, struct workspace *workspace);
	/* Does any workspace log in with @key, from elsewhere than @source
	 * (NULL: from anywhere)? */
	bool (*uses_key)(void *data, const char *key, const char *source);
	/* Its upstream is about to be closed. */
	void (*on_logout)(void *data, struct workspace *workspace);
};

struct workspace {
	char *name;
	struct workspace_host *host;
	const struct workspace_settings *declared; /* NULL: the implicit one */
	struct access *access; /* of its own; NULL: the daemon's */
	struct stack stack;
	struct snapshot *snapshot;               /* never NULL once started */
	struct snapshot *projected[PROJECTIONS]; /* of it; NULL: not made yet */
	uint64_t editions;                       /* of snapshots so far */
	struct history history;
	struct history_store *store; /* of it, on disk; NULL: none */
	char *store_owner;           /* whose that is; NULL: not known yet */
	struct change_log *changes;  /* what the log is told of it; NULL */
	struct hold hold;            /* what is served is not what it makes */
	/* The first generation that holds nothing that another login was given;
	 * the next one will be, as its vaults are gone. */
	uint64_t ours_since;
	bool estranged;

	struct upstream *upstream;  /* NULL: no server to ask */
	struct upstream *candidate; /* a new login, not yet proved */
	char *login_error;          /* why there can be no login; NULL */
	const char *unasked;        /* why no server is asked; NULL */
	char *login_warning;        /* what is wrong with it all the same */

	struct rotation *rotation; /* NULL: none is under way */

	struct last_good last_good;           /* of its vaults */
	struct arrival arrivals[VAULT_FEEDS]; /* of others, that wait */
	struct principal_names kept; /* whose the restored vaults are */
	char *restored_for; /* the login they were; NULL: none was restored */

	int64_t since; /* seconds since 1970 of state and refused */
	enum workspace_state state;
	bool refused;    /* the server refuses the credentials */
	bool runs_out;   /* a fifth of the key's life is left */
	bool had_vaults; /* the server has once given vaults */
};

const char *workspace_state_name(enum workspace_state state);

/* The name of its state as it is shown: "refused" while the server refuses the
 * credentials. */
const char *workspace_state_shown(const struct workspace *workspace);

/* @declared NULL: the implicit workspace `default`. */
struct workspace *workspace_new(struct workspace_host *host,
				const struct workspace_settings *declared);
void workspace_close(struct workspace *workspace);

/* Read the local layers and make the first snapshot, then log in. */
void workspace_start(struct workspace *workspace);

/* New settings, in which the workspace is still declared (or implicit). */
void workspace_set_settings(struct workspace *workspace,
			    const struct workspace_settings *declared);

/* Local files may have changed, or the settings: read what differs. */
void workspace_reload(struct workspace *workspace, enum snapshot_cause cause);

/* The documents of the site may be others. */
void workspace_take_site(struct workspace *workspace,
			 enum snapshot_cause cause);

/* Set the state as it follows from everything else, and tell of a change. */
void workspace_set_state(struct workspace *workspace);

/* Ask the server now, and begin with a proof of the key. */
void workspace_prove_now(struct workspace *workspace);

/* Is a question to the server under way, or about to be? */
bool workspace_is_asking(const struct workspace *workspace);

/* Did the last answers say what the vaults are, or is nobody to be asked? */
bool workspace_can_serve(const struct workspace *workspace);

/* What it serves, unchanged, as a new generation: it has become the active one.
 */
void workspace_renew(struct workspace *workspace);

/* Why @snapshot, of its history, may not be held, for people; NULL: it may. */
const char *workspace_why_not_again(const struct workspace *workspace,
				    const struct snapshot *snapshot);

/* Hold what @wish says, whose owner and facts are filled in: hold_why_not and
 * workspace_why_not_again are NULL. */
void workspace_hold(struct workspace *workspace, const struct hold_wish *wish);

/* The layers that what is served comes from, for somebody's environment;
 * @candidate: those that would be served. */
void workspace_copy_stack(const struct workspace *workspace, bool candidate,
			  enum layer_kind below, struct stack *copy);

/* The first that is lost to what is served; NULL: none. */
const struct layer *workspace_find_lost(const struct workspace *workspace);

/* Are the vaults in, or has the first attempt to get them failed? */
bool workspace_is_settled(const struct workspace *workspace);

/* Why there are no vaults, neither of the server nor of the cache, for people;
 * NULL: they are in, be they none. *@expected: there is a login that should
 * bring them. */
const char *workspace_vaults_lack(const struct workspace *workspace,
				  bool *expected);

/* What is wrong with login or server, for people; NULL: nothing. */
const char *workspace_problem(const struct workspace *workspace);

/* The same of a new login, which does not replace the one in force before it is
 * proved. */
const char *workspace_candidate_problem(const struct workspace *workspace);

/* Vaults that wait are taken when their time has come; those that are too old,
 * or were given to credentials that have been refused for too long, are
 * dropped; a key whose life has ended is proved. */
void workspace_lapse(struct workspace *workspace);

/* Milliseconds until that may be; -1: never, as things stand. */
int64_t workspace_lapses_in(const struct workspace *workspace);

/* Of the vaults that wait, or were skipped, those of this revision (NULL: all)
 * are taken, now; or are not, until the server has others. On disk once
 * host->on_saved says so. */
void workspace_take_arrivals(struct workspace *workspace, const char *revision);
void workspace_skip_arrivals(struct workspace *workspace, const char *revision);

/* Why it cannot be told whether there are any; NULL: it can. */
const char *workspace_arrivals_lack(const struct workspace *workspace,
				    const char *revision);

/* What somebody has said who called it bad; NULL: nobody keeps it from being
 * taken. */
const char *workspace_arrival_said(const struct workspace *workspace,
				   const struct arrival *arrival);

/* Seconds since 1970 when it will be taken; 0: never, as things stand. */
int64_t workspace_arrival_until(const struct workspace *workspace,
				const struct arrival *arrival);

/* The names of user and company, as the server says, else as it said to an
 * earlier process. */
const struct principal_names *workspace_names(
	const struct workspace *workspace);

/* Age in seconds of the vaults that are served, when older than two polls;
 * else -1. */
int64_t workspace_stale(const struct workspace *workspace);

/* Learn the secrets of what it serves, has served as far as the history knows,
 * and logs in with. */
void workspace_learn_secrets(const struct workspace *workspace);

/* What @projection shows of its snapshot; borrowed until the next one. */
struct snapshot *workspace_project(struct workspace *workspace,
				   enum projection projection);

#endif
