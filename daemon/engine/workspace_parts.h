#ifndef ENGINE_WORKSPACE_PARTS_H
#define ENGINE_WORKSPACE_PARTS_H

/*
 * The inside of workspace: what its parts do for workspace.c, which brings them
 * together. They call nobody back but the host.
 *
 *   workspace.c         state, answers, how long vaults serve
 *   workspace_layers.c  the stack, and the snapshots that are made of it
 *   workspace_arrival.c vaults that wait for their time
 *   workspace_history.c what it served, over restarts
 *   workspace_hold.c    what is served while it is held
 *   workspace_login.c   who asks the server, and whose the vaults are
 */

#include "engine/workspace.h"

struct arena;
struct cache_entry;
struct cache_query;

/* --- layers --- */

/* The layer `workspace`, from the login in force, else from @login (NULL: as it
 * was): as long as a new one is not proved the old one is what is served. True
 * when there is something to read; so below. */
bool workspace_set_declared(struct workspace *workspace,
			    const struct login *login);

/* What the server gave: of its feed all there are, or of both feeds none. */
bool workspace_set_vaults(struct workspace *workspace,
			  const struct vault_answer *answer);
bool workspace_unset_vaults(struct workspace *workspace);

/* Set the vaults that the server gave to an earlier process. */
bool workspace_take_entry(struct workspace *workspace,
			  const struct cache_entry *entry);

/* Read what is unread; true when that has changed anything. */
bool workspace_read(struct workspace *workspace);

/* Read what is unread, and publish when that, or @changed, makes a difference.
 */
void workspace_publish(struct workspace *workspace, bool changed,
		       enum snapshot_cause cause);

/* Serve @snapshot: a new generation, unless it has the values of what is
 * served. */
void workspace_serve(struct workspace *workspace, struct snapshot *snapshot,
		     enum snapshot_cause cause);

/* Learn the secrets of @snapshot, which something may show. */
void workspace_learn_snapshot(const struct workspace *workspace,
			      const struct snapshot *snapshot);

void workspace_close_layers(struct workspace *workspace);

/* --- arrival --- */

/* Is the answer, of a feed, to be served now, or does it wait? */
bool workspace_admits(struct workspace *workspace,
		      const struct vault_answer *answer);

/* Milliseconds until vaults that wait are due; -1: none are. True when some
 * were, and have been published. */
int64_t workspace_arrives_in(const struct workspace *workspace);
bool workspace_take_due(struct workspace *workspace);

/* What is served goes, and what waits for it. */
void workspace_forget_arrivals(struct workspace *workspace);

/* Write down whatever there is. */
void workspace_save(struct workspace *workspace);

/* --- history --- */

void workspace_open_history(struct workspace *workspace);
void workspace_close_history(struct workspace *workspace);

/* It is of @login, whose vaults are served. To be said before the first
 * snapshot is published. */
void workspace_name_history(struct workspace *workspace,
			    const struct login *login);

/* The newest generation is to be on disk, and the log is told what is not as in
 * @before (NULL: it is the first). */
void workspace_keep_history(struct workspace *workspace,
			    struct snapshot *before);

/* What earlier processes have served was another's, or is not to be shown any
 * more; the same of what is on disk. */
void workspace_forget_history(struct workspace *workspace);

/* --- hold --- */

void workspace_open_hold(struct workspace *workspace);

/* Before the first snapshot: serve what an earlier process has held for
 * @login. */
void workspace_restore_hold(struct workspace *workspace,
			    const struct login *login);

/* While it is held: @snapshot is what would be served. */
void workspace_keep(struct workspace *workspace, struct snapshot *snapshot,
		    enum snapshot_cause cause);

/* The server has said who the login is: a hold of what another one was given
 * ends. */
void workspace_prove_hold(struct workspace *workspace);

/* @login is about to be used at once, unproved: a hold of what another one was
 * given ends. */
void workspace_admit_to_hold(struct workspace *workspace,
			     const struct login *login);

/* A hold whose time is over ends. */
void workspace_lapse_hold(struct workspace *workspace);

/* As workspace_vaults_lack would have it if nothing were held. */
const char *workspace_vaults_lack_now(const struct workspace *workspace,
				      bool *expected);

/* --- login --- */

/* Do variables switch vaults off, as for ClearML itself? */
bool workspace_vaults_are_off(const struct workspace *workspace);

/* The login as the settings declare it: false when its secret cannot be read
 * for the moment, so that what it was stands; or as the local layers say. */
bool workspace_read_declared(struct workspace *workspace, struct login *login);
void workspace_login_of_tree(struct workspace *workspace, struct login *login);

/* Ask with @login, if it is another one: as the upstream, or as its candidate
 * if there is one. True when nobody can be asked any more. */
bool workspace_refresh_login(struct workspace *workspace, struct login *login,
			     upstream_answer_fn on_answer);

/* The candidate has proved itself: it takes over. True when the vaults of
 * before were given to somebody else. */
bool workspace_promote(struct workspace *workspace);

void workspace_close_upstreams(struct workspace *workspace);

/* Milliseconds until its key ends; -1: nobody knows. When it has: a token
 * outlives its key, so the server is asked whether it still takes that. */
int64_t workspace_key_ends_in(const struct workspace *workspace);
void workspace_prove_ended_key(struct workspace *workspace);

/* Whose vaults these are, for the file; and whose in the file may serve @login:
 * false when no server gives it any. @arena is for what @query points to. */
void workspace_describe_owner(const struct workspace *workspace,
			      struct cache_entry *entry);
bool workspace_name_owner(struct cache_query *query, struct arena *arena,
			  const struct login *login);
/* One text for all logins whose vaults may be the same; the caller's. */
char *workspace_owner_text(const struct login *login);

void workspace_keep_names(struct workspace *workspace,
			  const struct cache_entry *entry);

/* True, once, when the vaults that were restored are somebody else's than the
 * server now says. */
bool workspace_has_moved(struct workspace *workspace);

#endif
