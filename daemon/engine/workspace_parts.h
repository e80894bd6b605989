#ifndef DAEMON_WORKSPACE_PARTS_H
#define DAEMON_WORKSPACE_PARTS_H

/*
 * The inside of workspace: what its files share.
 *
 *   workspace.c         state, snapshots, beginning and end
 *   workspace_vaults.c  what the server gives, and how long it is kept
 *   workspace_cache.c   what outlives the process
 *   workspace_login.c   who asks the server, and who proves himself first
 */

#include "engine/workspace.h"

/* Read what is unread; true when that has changed anything. */
bool workspace_read(struct workspace *workspace);

/* The same, and publish when that, or @changed, makes a difference.
 */
void workspace_publish(struct workspace *workspace, bool changed,
		       enum snapshot_cause cause);

/* --- vaults --- */

/* An answer, well or not, of the upstream in force. @moved: what is served was
 * given to somebody else. */
void workspace_take_answer(struct workspace *workspace,
			   const struct vault_answer *answer, bool moved);

/* They were another login's, or there is no login any more. */
void workspace_forget_login(struct workspace *workspace);

/* Are they, or their login's refusal, too old? Then they are no longer kept,
 * and so is their file not; the layers are the caller's business. */
enum last_good_lapse workspace_has_lapsed(struct workspace *workspace);

/* --- cache --- */

/* Before the first snapshot: the vaults that an earlier process had, if they
 * came by @login's server and key. True when there is something to read. */
bool workspace_restore(struct workspace *workspace, const struct login *login);

/* True, once, when the vaults that were restored are somebody else's than the
 * server now says. */
bool workspace_has_moved(struct workspace *workspace);

/* All vaults are as the server gave them: keep them, when that is news. */
void workspace_save(struct workspace *workspace);
void workspace_close_cache(struct workspace *workspace);

/* --- login --- */

/* The layer `workspace`, from the login in force, else from @login (NULL: as it
 * was): as long as a new one is not proved the old one is what is served. True
 * when there is something to read. */
bool workspace_set_declared(struct workspace *workspace,
			    const struct login *login);

/* Log in as the settings or the local layers now say. */
void workspace_refresh_declared(struct workspace *workspace, bool changed,
				enum snapshot_cause cause);
void workspace_refresh_implicit(struct workspace *workspace, bool changed,
				enum snapshot_cause cause);

void workspace_close_upstreams(struct workspace *workspace);

#endif
