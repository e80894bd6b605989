/* The vaults half of workspace.h. */

#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "engine/layers.h"
#include "engine/workspace_parts.h"
#include "settings/settings.h"

/* With the vaults of a login comes and goes what the settings declare. */
static bool set_vaults(struct workspace *workspace, enum layer_kind kind,
		       const struct vault_answer *answer)
{
	bool changed = layers_set_vaults(&workspace->stack, kind, answer);

	workspace->last_good.unsaved = workspace->last_good.unsaved ||
				       changed ||
				       stack_has_unread(&workspace->stack);
	if (workspace->declared)
		changed = workspace_set_declared(workspace, NULL) || changed;
	return changed;
}

static bool unset_vaults(struct workspace *workspace)
{
	const struct vault_answer none = {.outcome = VAULT_FETCHED};
	bool config = set_vaults(workspace, LAYER_VAULT, &none);

	workspace->had_vaults = false;
	return set_vaults(workspace, LAYER_MONITORING, &none) || config;
}

/* True when there was anything. */
static bool forget(struct workspace *workspace)
{
	last_good_drop(&workspace->last_good);
	last_good_forget(&workspace->last_good);
	return unset_vaults(workspace);
}

void workspace_forget_login(struct workspace *workspace)
{
	workspace_publish(workspace, forget(workspace), CAUSE_VAULT);
}

static struct last_good_limits limits_of(const struct workspace *workspace)
{
	return last_good_limits(workspace->host->settings,
				workspace->host->offline);
}

static int64_t key_ends_in(const struct workspace *workspace)
{
	const struct upstream *upstream = workspace->upstream;
	int64_t seconds = -1;

	if (upstream)
		seconds = key_life_ends_in(&upstream->key_life, time(NULL));
	return seconds < 0 ? -1 : seconds * 1000;
}

int64_t workspace_lapses_in(const struct workspace *workspace)
{
	struct last_good_limits limits = limits_of(workspace);
	int64_t vaults =
		last_good_left(&workspace->last_good, &limits, clock_boot_ms());
	int64_t key = key_ends_in(workspace);

	if (vaults < 0 || key < 0)
		return vaults < 0 ? key : vaults;
	return key < vaults ? key : vaults;
}

/* A token outlives its key: whether the server still takes that is asked when
 * it is said to end. */
static void prove_ended_key(struct workspace *workspace)
{
	struct upstream *upstream = workspace->upstream;

	if (upstream && key_life_take_end(&upstream->key_life, time(NULL)))
		workspace_prove_now(workspace);
}

enum last_good_lapse workspace_has_lapsed(struct workspace *workspace)
{
	static const char *const reasons[] = {
		[LAST_GOOD_STALE] = "no good answer for [poll] stale_limit",
		[LAST_GOOD_REVOKED] = "the server has refused the credentials "
				      "for [poll] revoked_grace",
	};
	struct last_good_limits limits = limits_of(workspace);
	enum last_good_lapse lapse = last_good_lapse(&workspace->last_good,
						     &limits, clock_boot_ms());

	if (lapse != LAST_GOOD_ON)
		log_warning("vaults-dropped",
			    LOG_TEXT("workspace", workspace->name),
			    LOG_TEXT("reason", reasons[lapse]));
	return lapse;
}

void workspace_lapse(struct workspace *workspace)
{
	enum last_good_lapse lapse = workspace_has_lapsed(workspace);

	prove_ended_key(workspace);
	if (lapse == LAST_GOOD_ON)
		return;
	workspace_publish(workspace, unset_vaults(workspace),
			  last_good_cause(lapse));
	workspace_set_state(workspace);
}

static void note_refusal(struct workspace *workspace)
{
	if (!last_good_refused(&workspace->last_good, last_good_now()))
		return;
	log_warning("credentials-refused",
		    LOG_TEXT("workspace", workspace->name));
	workspace_save(workspace);
}

static void note_success(struct workspace *workspace)
{
	last_good_answered(&workspace->last_good, last_good_now());
	workspace_save(workspace);
}

/* What an answer, well or not, means for how long the vaults serve. */
static void note_answer(struct workspace *workspace,
			const struct vault_answer *answer)
{
	if (answer->outcome == VAULT_REFUSED)
		note_refusal(workspace);
	else if (!upstream_is_well(workspace->upstream))
		return;
	else if (answer->outcome == VAULT_FETCHED)
		note_success(workspace);
	else
		last_good_forgive(&workspace->last_good);
}

/* Never serve one company's or user's vaults to another. Those that come
 * instead are published with what goes. */
static bool forget_others(struct workspace *workspace)
{
	log_warning("vaults-of-another-login",
		    LOG_TEXT("workspace", workspace->name));
	return forget(workspace);
}

void workspace_take_answer(struct workspace *workspace,
			   const struct vault_answer *answer, bool moved)
{
	static const enum layer_kind kinds[VAULT_FEEDS] = {
		[VAULT_CONFIG] = LAYER_VAULT,
		[VAULT_MONITORING] = LAYER_MONITORING,
	};
	bool changed = false;

	if (workspace_has_moved(workspace) || moved)
		changed = forget_others(workspace);
	if (answer->outcome == VAULT_FETCHED) {
		changed = set_vaults(workspace, kinds[answer->feed], answer) ||
			  changed;
		workspace->had_vaults = workspace->had_vaults || answer->count;
	}
	workspace_publish(workspace, changed, CAUSE_VAULT);
	note_answer(workspace, answer);
}
