/* The vaults half of workspace.h. */

#include "base/clock.h"
#include "base/log.h"
#include "layers.h"
#include "settings.h"
#include "workspace_parts.h"

static void take_vaults(struct workspace *workspace, enum layer_kind kind,
			const struct vault_answer *answer)
{
	bool changed = layers_set_vaults(&workspace->stack, kind, answer);

	/* With the vaults of a new login comes what the settings declare. */
	if (workspace->declared)
		changed = workspace_set_declared(workspace, NULL) || changed;
	workspace->had_vaults = workspace->had_vaults || answer->count;
	workspace_publish(workspace, changed, CAUSE_VAULT);
}

static void forget_vaults(struct workspace *workspace,
			  enum snapshot_cause cause)
{
	const struct vault_answer none = {.outcome = VAULT_FETCHED};
	struct stack *stack = &workspace->stack;
	bool config = layers_set_vaults(stack, LAYER_VAULT, &none);
	bool changed = layers_set_vaults(stack, LAYER_MONITORING, &none);

	if (workspace->declared)
		changed = workspace_set_declared(workspace, NULL) || changed;
	workspace->had_vaults = false;
	workspace_publish(workspace, config || changed, cause);
}

void workspace_forget_login(struct workspace *workspace)
{
	workspace->keep = (struct keep){0};
	forget_vaults(workspace, CAUSE_VAULT);
}

static struct keep_limits keep_limits(const struct workspace *workspace)
{
	const struct workspace_host *host = workspace->host;

	return (struct keep_limits){
		.stale_ms = host->offline ? 0 : host->settings->stale_limit,
		.grace_ms = host->settings->revoked_grace,
	};
}

int64_t workspace_lapses_in(const struct workspace *workspace)
{
	struct keep_limits limits = keep_limits(workspace);

	return keep_left(&workspace->keep, &limits, clock_boot_ms());
}

void workspace_lapse(struct workspace *workspace)
{
	static const struct {
		enum snapshot_cause cause;
		const char *reason;
	} lapses[] = {
		[KEEP_STALE] = {CAUSE_STALE_LIMIT,
				"no good answer for [poll] stale_limit"},
		[KEEP_REVOKED] = {CAUSE_REVOKED,
				  "the server has refused the credentials for "
				  "[poll] revoked_grace"},
	};
	struct keep_limits limits = keep_limits(workspace);
	enum keep_lapse lapse =
		keep_lapse(&workspace->keep, &limits, clock_boot_ms());

	if (lapse == KEEP_ON)
		return;
	log_warning("vaults-dropped", LOG_TEXT("workspace", workspace->name),
		    LOG_TEXT("reason", lapses[lapse].reason));
	forget_vaults(workspace, lapses[lapse].cause);
	workspace_set_state(workspace);
}

/* What an answer, well or not, means for how long the vaults serve. */
static void note_answer(struct workspace *workspace,
			const struct vault_answer *answer)
{
	struct keep *keep = &workspace->keep;

	if (answer->outcome == VAULT_REFUSED)
		keep_refused(keep, clock_boot_ms());
	else if (!upstream_is_well(workspace->upstream))
		return;
	else if (answer->outcome == VAULT_FETCHED)
		keep_answered(keep, clock_boot_ms());
	else
		keep->refused = false;
}

void workspace_take_answer(struct workspace *workspace, enum upstream_feed feed,
			   const struct vault_answer *answer)
{
	static const enum layer_kind kinds[FEEDS] = {
		[FEED_CONFIG] = LAYER_VAULT,
		[FEED_MONITORING] = LAYER_MONITORING,
	};

	note_answer(workspace, answer);
	if (answer->outcome == VAULT_FETCHED)
		take_vaults(workspace, kinds[feed], answer);
}
