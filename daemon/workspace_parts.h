#ifndef DAEMON_WORKSPACE_PARTS_H
#define DAEMON_WORKSPACE_PARTS_H

/*
 * The inside of workspace: what its files share.
 *
 *   workspace.c         state, snapshots, beginning and end
 *   workspace_vaults.c  what the server gives, and how long it is kept
 *   workspace_login.c   who asks the server, and who proves himself first
 */

#include "workspace.h"

/* State as it follows from everything else; who cares is told of a change. */
void workspace_set_state(struct workspace *workspace);

/* Read what is unread, and publish when that, or @changed, makes a difference.
 */
void workspace_publish(struct workspace *workspace, bool changed,
		       enum snapshot_cause cause);

/* --- vaults --- */

/* An answer, well or not, of the upstream in force. */
void workspace_take_answer(struct workspace *workspace, enum upstream_feed feed,
			   const struct vault_answer *answer);

/* They were another login's, or there is no login any more. */
void workspace_forget_login(struct workspace *workspace);

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
