/* The history part of workspace_parts.h. */

#include "base/mem.h"
#include "config/lock.h"
#include "engine/change_log.h"
#include "engine/workspace_parts.h"
#include "state/history_store.h"

static uint64_t oldest(const struct workspace *workspace)
{
	return history_oldest(&workspace->history)->generation;
}

/* It was made under other locks, but what counts for programs now is what is
 * locked now. */
static uint64_t on_found(void *data, const struct history_entry *entry)
{
	struct workspace *workspace = data;

	entry->snapshot->locks = locks_ref(workspace->host->locks);
	history_restore(&workspace->history, entry, 1);
	return oldest(workspace);
}

void workspace_open_history(struct workspace *workspace)
{
	const struct workspace_host *host = workspace->host;
	const struct history_store_place place = {
		.loop = host->upstream.loop,
		.state_dir = host->state_dir,
		.workspace = workspace->name,
		.limit = workspace->history.limit,
		.bytes_limit = workspace->history.bytes_limit,
		.secrets = host->secrets,
		.on_found = on_found,
		.data = workspace,
	};

	if (host->read_only)
		return;
	workspace->changes =
		change_log_new(place.loop, place.workspace, place.secrets);
	if (host->state_dir)
		workspace->store = history_store_new(&place);
}

void workspace_close_history(struct workspace *workspace)
{
	change_log_close(TAKE(workspace->changes));
	history_store_close(TAKE(workspace->store));
	mem_free(workspace->store_owner);
	workspace->store_owner = NULL;
}

/* Nobody who has not proved it may be shown what another login was given. */
void workspace_name_history(struct workspace *workspace,
			    const struct login *login)
{
	char *owner;

	if (!workspace->store)
		return;
	owner = workspace_owner_text(login);
	if (str_same(owner, workspace->store_owner)) {
		mem_free(owner);
		return;
	}
	if (workspace->store_owner && *workspace->store_owner &&
	    !workspace->upstream)
		workspace_forget_history(workspace);
	mem_free(workspace->store_owner);
	workspace->store_owner = owner;
	history_store_set_owner(workspace->store, owner);
}

void workspace_forget_history(struct workspace *workspace)
{
	history_drop_restored(&workspace->history);
	if (workspace->store)
		history_store_forget(workspace->store);
}

/* A history of one has nothing to come back to. */
void workspace_keep_history(struct workspace *workspace,
			    struct snapshot *before)
{
	if (before && workspace->changes)
		change_log_add(workspace->changes, before, workspace->snapshot);
	if (!workspace->store)
		return;
	if (workspace->history.limit == 1)
		history_store_forget(workspace->store);
	else
		history_store_add(workspace->store, workspace->snapshot,
				  history_previous(&workspace->history),
				  oldest(workspace));
}
