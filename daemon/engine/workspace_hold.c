/* The hold part of workspace_parts.h. */

#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/mask.h"
#include "engine/workspace_parts.h"
#include "fetch/cache_file.h"
#include "settings/settings.h"

/* --- whose it is ---------------------------------------------------------- */

/* Borrowed from the workspace. */
static struct hold_owner owner_of(const struct workspace *workspace)
{
	const struct principal_names *names = workspace_names(workspace);
	const struct login *login =
		workspace->upstream ? &workspace->upstream->login : NULL;

	if (!login)
		return (struct hold_owner){0};
	return (struct hold_owner){
		.api_server = login->api_server,
		.access_key = login->access_key,
		.company_id = names->company_id,
		.user_id = names->user_id,
	};
}

/* By the login alone, before the server has said whose it is. */
static struct hold_owner owner_by(const struct login *login,
				  struct arena *arena)
{
	struct cache_query whose;

	if (!workspace_name_owner(&whose, arena, login))
		return (struct hold_owner){0};
	return (struct hold_owner){
		.api_server = whose.api_server,
		.access_key = *whose.access_key ? whose.access_key : NULL,
		.company_id = whose.company_id,
		.user_id = whose.user_id,
	};
}

static void end_for_another(struct workspace *workspace)
{
	log_warning(
		"hold-ended", LOG_TEXT("workspace", workspace->name),
		LOG_TEXT("reason", "it holds what another login was given"));
	hold_drop(&workspace->hold);
}

void workspace_admit_to_hold(struct workspace *workspace,
			     const struct login *login)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	const struct hold_owner owner = owner_by(login, &arena);
	const struct hold_record *record = workspace->hold.record;

	if (record && !hold_owner_fits(&record->owner, &owner))
		end_for_another(workspace);
}

void workspace_prove_hold(struct workspace *workspace)
{
	const struct hold_record *record = workspace->hold.record;
	const struct hold_owner owner = owner_of(workspace);

	if (!record || !workspace->upstream)
		return;
	if (!hold_owner_fits(&record->owner, &owner))
		end_for_another(workspace);
	else if (!str_same(record->owner.access_key, owner.access_key))
		hold_rename(&workspace->hold, &owner);
}

/* --- what comes meanwhile ------------------------------------------------- */

static void log_losses(const struct workspace *workspace)
{
	const struct hold_losses *losses = &workspace->hold.losses;

	if (losses->count || losses->vault_count)
		log_warning("held-and-revoked",
			    LOG_TEXT("workspace", workspace->name),
			    LOG_INT("secrets", (int64_t)losses->count),
			    LOG_INT("vaults", (int64_t)losses->vault_count));
}

void workspace_keep(struct workspace *workspace, struct snapshot *snapshot,
		    enum snapshot_cause cause)
{
	if (!hold_keep(&workspace->hold, snapshot, cause,
		       workspace->host->secrets))
		return;
	log_info("kept-back", LOG_TEXT("workspace", workspace->name),
		 LOG_TEXT("cause", snapshot_cause_name(cause)),
		 LOG_TEXT("differs", workspace->hold.differs ? "yes" : "no"));
	log_losses(workspace);
	workspace->host->on_hold(workspace->host->data, workspace);
}

/* --- beginning and end ---------------------------------------------------- */

static const struct snapshot *first_of(const struct snapshot *snapshot)
{
	return snapshot->earlier ? snapshot->earlier : snapshot;
}

static bool is_held(const struct hold *hold, const struct snapshot *snapshot)
{
	return hold->record &&
	       first_of(hold->record->snapshot) == first_of(snapshot);
}

/* What was served until now is what would be served, if nothing newer has come
 * while the hold was written. */
static void begin(struct workspace *workspace)
{
	struct hold *hold = &workspace->hold;
	_cleanup_(snapshot_unrefp) struct snapshot *newest =
		hold->candidate ? snapshot_ref(hold->candidate)
				: snapshot_ref(workspace->snapshot);
	_cleanup_(mem_freep) char *reason =
		mask_text(workspace->host->secrets, hold->record->reason);

	log_info("held", LOG_TEXT("workspace", workspace->name),
		 LOG_INT("generation", (int64_t)hold->record->generation),
		 LOG_INT("uid", hold->record->uid), LOG_TEXT("reason", reason));
	(void)hold_keep(hold, newest,
			hold->candidate ? hold->cause : CAUSE_RELEASE,
			workspace->host->secrets);
	log_losses(workspace);
	if (!is_held(hold, workspace->snapshot)) {
		_cleanup_(snapshot_unrefp) struct snapshot *again =
			snapshot_again(hold->record->snapshot);

		workspace_learn_snapshot(workspace, again);
		workspace_serve(workspace, again, CAUSE_HOLD);
	}
}

/* A candidate that was served before is served again. */
static void end(struct workspace *workspace, enum snapshot_cause cause)
{
	_cleanup_(snapshot_unrefp) struct snapshot *newest =
		hold_take(&workspace->hold);
	_cleanup_(snapshot_unrefp) struct snapshot *again = NULL;

	if (!newest || newest == workspace->snapshot)
		return;
	if (newest->generation)
		again = snapshot_again(newest);
	workspace_serve(workspace, again ? again : newest, cause);
}

static void on_event(void *data, enum hold_event event)
{
	struct workspace *workspace = data;

	if (event == HOLD_BEGUN) {
		begin(workspace);
	} else if (event == HOLD_ENDED) {
		log_info("released", LOG_TEXT("workspace", workspace->name));
		end(workspace, CAUSE_RELEASE);
	} else if (!hold_is_on(&workspace->hold)) {
		end(workspace, workspace->hold.cause);
	}
	workspace->host->on_hold(workspace->host->data, workspace);
}

static char *line_of(const struct layer *layer)
{
	return mem_printf("%s %s\n", layer_traits[layer->kind].name,
			  layer->source);
}

/* What is no part of it as it never was good is asked for again for each
 * caller. */
static void list_lost(const struct workspace *workspace,
		      const struct snapshot *snapshot, struct buf *lost)
{
	struct layer *layer;

	for (stack_each(&workspace->stack, layer)) {
		_cleanup_(mem_freep) char *line = line_of(layer);

		if (layer_is_lost(layer) &&
		    !stack_docs_has(&snapshot->docs, layer->kind,
				    layer->source))
			buf_puts(lost, line);
	}
}

static bool has_vaults(const struct snapshot *snapshot)
{
	const struct stack_docs *docs = &snapshot->docs;

	for (size_t i = 0; i < docs->count; i++)
		if (docs->items[i].source &&
		    layer_traits[docs->items[i].kind].provenance ==
			    LAYER_OF_VAULT)
			return true;
	return false;
}

/* What is served, or held, may go on; what another login was given must not
 * come back by the history. */
const char *workspace_why_not_again(const struct workspace *workspace,
				    const struct snapshot *snapshot)
{
	if (snapshot == workspace->snapshot ||
	    (!workspace->estranged &&
	     snapshot->generation >= workspace->ours_since) ||
	    is_held(&workspace->hold, snapshot))
		return NULL;
	return "what was served then may be what another login was given";
}

/* It must be true as long as it holds. */
static void describe_lack(const struct workspace *workspace,
			  struct hold_wish *wish, struct buf *text)
{
	struct hold_facts *facts = &wish->facts;
	const char *lack =
		workspace_vaults_lack_now(workspace, &facts->vaults_expected);

	if (!lack || has_vaults(wish->snapshot))
		return;
	buf_printf(text,
		   "what is held was served without them (%s): 'clearconf "
		   "release' ends that",
		   lack);
	facts->vaults_lack = buf_str(text).ptr;
}

static void fill_in(const struct workspace *workspace, struct hold_wish *wish,
		    struct buf *lost)
{
	struct hold_facts *facts = &wish->facts;

	wish->owner = owner_of(workspace);
	list_lost(workspace, wish->snapshot, lost);
	facts->lost = buf_str(lost).ptr;
}

/* What is held already stays whose it was. */
void workspace_hold(struct workspace *workspace, const struct hold_wish *wish)
{
	_cleanup_(buf_deinit) struct buf lost = BUF_INIT;
	_cleanup_(buf_deinit) struct buf lack = BUF_INIT;
	const struct hold_record *record = workspace->hold.record;
	struct hold_wish own = *wish;

	if (is_held(&workspace->hold, wish->snapshot)) {
		own.owner = record->owner;
		own.facts = record->facts;
	} else {
		fill_in(workspace, &own, &lost);
		describe_lack(workspace, &own, &lack);
	}
	hold_begin(&workspace->hold, &own);
}

void workspace_lapse_hold(struct workspace *workspace)
{
	if (hold_left(&workspace->hold, clock_boot_ms()) != 0)
		return;
	log_warning("hold-ended", LOG_TEXT("workspace", workspace->name),
		    LOG_TEXT("reason", "its time is over"));
	hold_drop(&workspace->hold);
}

void workspace_open_hold(struct workspace *workspace)
{
	const struct workspace_host *host = workspace->host;
	const struct hold_place place = {
		.loop = host->upstream.loop,
		.state_dir = host->state_dir,
		.workspace = workspace->name,
		.read_only = host->read_only,
		.data = workspace,
		.on_event = on_event,
	};

	hold_init(&workspace->hold, &place);
}

/* One whose time ran out while nobody was there is not served once more. */
void workspace_restore_hold(struct workspace *workspace,
			    const struct login *login)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct hold *hold = &workspace->hold;
	struct hold_owner owner = owner_by(login, &arena);

	if (workspace->snapshot ||
	    !hold_restore(hold, &owner,
			  workspace->host->settings->mode == MODE_AGENT))
		return;
	if (hold_left(hold, clock_boot_ms()) == 0) {
		workspace_lapse_hold(workspace);
		return;
	}
	log_info("held-again", LOG_TEXT("workspace", workspace->name),
		 LOG_INT("generation", (int64_t)hold->record->generation));
	hold->record->snapshot->time = time(NULL);
	workspace_learn_snapshot(workspace, hold->record->snapshot);
	workspace_serve(workspace, hold->record->snapshot, CAUSE_START);
}

/* --- what is served for somebody's environment ---------------------------- */

static bool is_listed(const char *lost, const struct layer *layer)
{
	_cleanup_(mem_freep) char *line = line_of(layer);
	const char *found = lost ? strstr(lost, line) : NULL;

	return found && (found == lost || found[-1] == '\n');
}

static const char *lost_of(const struct hold *hold)
{
	return hold->record ? hold->record->facts.lost : hold->next->facts.lost;
}

const struct layer *workspace_find_lost(const struct workspace *workspace)
{
	const struct hold *hold = &workspace->hold;
	struct layer *layer;

	if (!hold_is_on(hold))
		return stack_find_lost(&workspace->stack);
	for (stack_each(&workspace->stack, layer))
		if (layer_is_lost(layer) && is_listed(lost_of(hold), layer))
			return layer;
	return NULL;
}

static void copy_held(const struct workspace *workspace, enum layer_kind below,
		      struct stack *copy)
{
	const char *lost = lost_of(&workspace->hold);
	struct layer *layer;

	stack_from_docs(copy, &workspace->snapshot->docs, below);
	for (stack_each(&workspace->stack, layer))
		if (layer->kind < below && layer_is_lost(layer) &&
		    is_listed(lost, layer))
			stack_put(copy, layer_copy(layer));
}

void workspace_copy_stack(const struct workspace *workspace, bool candidate,
			  enum layer_kind below, struct stack *copy)
{
	if (hold_is_on(&workspace->hold) && !candidate)
		copy_held(workspace, below, copy);
	else
		stack_copy(copy, &workspace->stack, below);
}
