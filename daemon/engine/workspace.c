#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/access.h"
#include "engine/layers.h"
#include "engine/rotation.h"
#include "engine/workspace_parts.h"
#include "fetch/cache_file.h"
#include "read/doc.h"
#include "settings/settings.h"
#include "site/site.h"

const char *workspace_state_name(enum workspace_state state)
{
	static const char *const names[] = {
		[WORKSPACE_STARTING] = "starting",
		[WORKSPACE_READY] = "ready",
		[WORKSPACE_DEGRADED] = "degraded",
		[WORKSPACE_OFFLINE] = "offline",
	};

	return names[state];
}

const char *workspace_state_shown(const struct workspace *workspace)
{
	return workspace->refused ? "refused"
				  : workspace_state_name(workspace->state);
}

static bool any_layer_broken(const struct workspace *workspace)
{
	struct layer *layer;

	for (stack_each(&workspace->stack, layer))
		if (layer->state == LAYER_BROKEN)
			return true;
	return false;
}

/* The server no longer offers vaults though it has given some: they stay, but
 * somebody should look. */
static bool gate_closed(const struct workspace *workspace)
{
	return workspace->had_vaults && workspace->upstream &&
	       upstream_outcome(workspace->upstream) == VAULT_UNSUPPORTED;
}

static bool is_site_troubled(const struct site *site)
{
	return site_has_asked(site) && !site_is_well(site);
}

static bool is_unproved(const struct upstream *candidate)
{
	return candidate && upstream_is_answered(candidate);
}

/* A workspace without vaults depends on no server. */
static const struct upstream *source_of_vaults(
	const struct workspace *workspace)
{
	const struct upstream *upstream = workspace->upstream;

	return upstream && !upstream->poll.no_vaults ? upstream : NULL;
}

static enum workspace_state state_of(const struct workspace *workspace)
{
	const struct upstream *upstream = source_of_vaults(workspace);
	bool answered = upstream && upstream_is_answered(upstream);

	if (workspace->host->offline)
		return WORKSPACE_OFFLINE;
	if (upstream && !answered && !workspace->last_good.kept)
		return WORKSPACE_STARTING;
	if (site_is_starting(workspace->host->site))
		return WORKSPACE_STARTING;
	if (answered && upstream_outcome(upstream) == VAULT_UNREACHABLE)
		return WORKSPACE_OFFLINE;
	if ((answered && !upstream_is_well(upstream)) ||
	    workspace->last_good.refused || workspace->login_error ||
	    is_unproved(workspace->candidate) || gate_closed(workspace) ||
	    any_layer_broken(workspace) ||
	    is_site_troubled(workspace->host->site))
		return WORKSPACE_DEGRADED;
	return WORKSPACE_READY;
}

static bool key_runs_out(const struct workspace *workspace)
{
	return workspace->upstream &&
	       key_expiry_runs_out(&workspace->upstream->key_expiry,
				   time(NULL));
}

/* Warn once for each key: who is concerned has time. True when it is news. */
static bool note_key_life(struct workspace *workspace)
{
	bool runs_out = key_runs_out(workspace);

	if (runs_out == workspace->runs_out)
		return false;
	workspace->runs_out = runs_out;
	if (runs_out)
		log_warning("key-runs-out",
			    LOG_TEXT("workspace", workspace->name),
			    LOG_INT("seconds_left",
				    workspace->upstream->key_expiry.expires -
					    time(NULL)));
	return true;
}

void workspace_set_state(struct workspace *workspace)
{
	bool refused = workspace->last_good.refused;
	enum workspace_state state = state_of(workspace);

	if (note_key_life(workspace) && workspace->since)
		workspace->host->on_state(workspace->host->data, workspace);
	if (state == workspace->state && refused == workspace->refused &&
	    workspace->since)
		return;
	workspace->state = state;
	workspace->refused = refused;
	workspace->since = time(NULL);
	log_info("workspace-state", LOG_TEXT("workspace", workspace->name),
		 LOG_TEXT("state", workspace_state_shown(workspace)));
	workspace->host->on_state(workspace->host->data, workspace);
}

const char *workspace_problem(const struct workspace *workspace)
{
	const struct upstream *upstream = workspace->upstream;

	if (workspace->login_error)
		return workspace->login_error;
	if (upstream && upstream_error(upstream))
		return upstream_error(upstream);
	if (workspace_candidate_problem(workspace))
		return workspace_candidate_problem(workspace);
	if (gate_closed(workspace))
		return "the server no longer offers vaults; those it gave "
		       "before stay in force";
	return NULL;
}

const char *workspace_vaults_lack_now(const struct workspace *workspace,
				      bool *expected)
{
	const struct upstream *upstream = source_of_vaults(workspace);
	const char *problem;

	*expected = upstream || workspace->login_error;
	if (workspace->last_good.kept ||
	    (upstream && upstream_is_well(upstream)))
		return NULL;
	problem = workspace_problem(workspace);
	if (*expected)
		return problem ? problem : "the server has not answered yet";
	return workspace->unasked
		       ? workspace->unasked
		       : "clearconfd's environment switches vaults off";
}

/* What is held is not what the server says now. */
const char *workspace_vaults_lack(const struct workspace *workspace,
				  bool *expected)
{
	const struct hold_record *held = workspace->hold.record;

	if (!held)
		return workspace_vaults_lack_now(workspace, expected);
	*expected = held->facts.vaults_expected;
	return held->facts.vaults_lack;
}

/* --print waits for a real answer. */
static bool wants_an_answer(const struct workspace *workspace)
{
	return workspace->host->read_only &&
	       (!site_has_asked(workspace->host->site) ||
		(workspace->upstream &&
		 !upstream_is_answered(workspace->upstream)));
}

bool workspace_is_settled(const struct workspace *workspace)
{
	return workspace->state != WORKSPACE_STARTING &&
	       !wants_an_answer(workspace);
}

int64_t workspace_stale(const struct workspace *workspace)
{
	int64_t age;

	/* Each Get asks: no look at the clock for nothing. */
	if (!workspace->last_good.kept)
		return -1;
	age = last_good_age(&workspace->last_good, clock_boot_ms());
	return age > 2 * workspace->host->settings->interval ? age / 1000 : -1;
}

/* --- how long vaults serve --- */

void workspace_save(struct workspace *workspace)
{
	_cleanup_(cache_entry_deinit) struct cache_entry entry = {0};

	if (!workspace->upstream)
		return;
	workspace_describe_owner(workspace, &entry);
	for (size_t i = 0; i < VAULT_FEEDS; i++)
		arrival_keep(&workspace->arrivals[i], &entry.feeds[i]);
	last_good_save(&workspace->last_good, &entry, &workspace->stack);
}

static void save_when_due(struct workspace *workspace)
{
	if (last_good_is_due(&workspace->last_good))
		workspace_save(workspace);
}

/* Drop the vaults; true when there were any. */
static bool forget(struct workspace *workspace)
{
	workspace_forget_arrivals(workspace);
	last_good_drop(&workspace->last_good);
	last_good_forget(&workspace->last_good);
	workspace_forget_history(workspace);
	workspace->estranged = true;
	return workspace_unset_vaults(workspace);
}

static struct last_good_limits limits_of(const struct workspace *workspace)
{
	return last_good_limits(workspace->host->settings,
				workspace->host->offline);
}

/* Of two times that may be -1, never. */
static int64_t sooner(int64_t a, int64_t b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a < b ? a : b;
}

int64_t workspace_lapses_in(const struct workspace *workspace)
{
	struct last_good_limits limits = limits_of(workspace);
	int64_t vaults =
		last_good_left(&workspace->last_good, &limits, clock_boot_ms());
	int64_t hold = hold_left(&workspace->hold, clock_boot_ms());

	return sooner(sooner(vaults, workspace_key_ends_in(workspace)),
		      sooner(workspace_arrives_in(workspace), hold));
}

static enum last_good_lapse has_lapsed(struct workspace *workspace)
{
	static const char *const reasons[] = {
		[LAST_GOOD_STALE] = "no good answer for [poll] stale_limit",
		[LAST_GOOD_REVOKED] = "the server has refused the credentials "
				      "for [poll] revoked_grace",
	};
	struct last_good_limits limits = limits_of(workspace);
	enum last_good_lapse lapse = last_good_lapse(&workspace->last_good,
						     &limits, clock_boot_ms());

	if (lapse == LAST_GOOD_ON)
		return lapse;
	workspace_forget_arrivals(workspace);
	log_warning("vaults-dropped", LOG_TEXT("workspace", workspace->name),
		    LOG_TEXT("reason", reasons[lapse]));
	workspace_forget_history(workspace);
	return lapse;
}

void workspace_lapse(struct workspace *workspace)
{
	enum last_good_lapse lapse = has_lapsed(workspace);

	workspace_prove_ended_key(workspace);
	if (workspace_take_due(workspace)) {
		workspace_set_state(workspace);
		save_when_due(workspace);
	}
	workspace_lapse_hold(workspace);
	if (lapse == LAST_GOOD_ON)
		return;
	workspace_publish(workspace, workspace_unset_vaults(workspace),
			  last_good_cause(lapse));
	workspace_set_state(workspace);
}

static void close_last_good(struct workspace *workspace)
{
	workspace_save(workspace);
	last_good_close(&workspace->last_good);
}

static bool restore(struct workspace *workspace, const struct login *login)
{
	_cleanup_(cache_entry_deinit) struct cache_entry entry = {0};
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct cache_query whose;

	if (!workspace_name_owner(&whose, &arena, login) ||
	    !last_good_restore(&workspace->last_good, &whose, &entry) ||
	    has_lapsed(workspace) != LAST_GOOD_ON)
		return false;
	workspace->restored_for = workspace_owner_text(login);
	workspace_keep_names(workspace, &entry);
	return workspace_take_entry(workspace, &entry);
}

static void note_refusal(struct workspace *workspace)
{
	if (!last_good_refused(&workspace->last_good, clock_boot_ms()))
		return;
	log_warning("credentials-refused",
		    LOG_TEXT("workspace", workspace->name));
	save_when_due(workspace);
}

static void note_success(struct workspace *workspace)
{
	last_good_answered(&workspace->last_good, clock_boot_ms());
	save_when_due(workspace);
}

/* What an answer, well or not, means for how long the vaults serve. */
static void note_answer(struct workspace *workspace,
			const struct vault_answer *answer)
{
	bool fetched = answer->outcome == VAULT_FETCHED;
	bool well = upstream_is_well(workspace->upstream);

	if (answer->outcome == VAULT_REFUSED)
		note_refusal(workspace);
	else if (well && fetched)
		note_success(workspace);
	else if (well)
		last_good_forgive(&workspace->last_good);
	else if (fetched)
		last_good_begin(&workspace->last_good, clock_boot_ms());
}

/* Never serve one company's or user's vaults to another. Those that come
 * instead are published with what goes. */
static bool forget_others(struct workspace *workspace)
{
	log_warning("vaults-of-another-login",
		    LOG_TEXT("workspace", workspace->name));
	return forget(workspace);
}

/* Of the upstream in force. @moved: what is served was given to somebody else.
 */
static void take_answer(struct workspace *workspace,
			const struct vault_answer *answer, bool moved)
{
	bool changed = false;

	if (workspace_has_moved(workspace) || moved)
		changed = forget_others(workspace);
	workspace_name_history(workspace, &workspace->upstream->login);
	if (answer->outcome == VAULT_FETCHED &&
	    workspace_admits(workspace, answer))
		changed = workspace_set_vaults(workspace, answer) || changed;
	workspace_publish(workspace, changed, CAUSE_VAULT);
	workspace_prove_hold(workspace);
	note_answer(workspace, answer);
}

static bool is_proof(const struct vault_answer *answer)
{
	return answer->outcome == VAULT_FETCHED ||
	       answer->outcome == VAULT_UNSUPPORTED;
}

static void on_answer(void *data, struct upstream *upstream,
		      const struct vault_answer *answer)
{
	struct workspace *workspace = data;
	bool moved = false;

	if (is_proof(answer))
		workspace->host->fetched++;
	else
		workspace->host->failed++;
	if (upstream == workspace->candidate && is_proof(answer))
		moved = workspace_promote(workspace);
	if (upstream == workspace->upstream)
		take_answer(workspace, answer, moved);
	workspace_set_state(workspace);
	workspace->host->on_answer(workspace->host->data, workspace);
}

static bool restore_at_first(struct workspace *workspace,
			     const struct login *login)
{
	if (workspace->snapshot || workspace_vaults_are_off(workspace))
		return false;
	return restore(workspace, login);
}

/* Before the first question nobody has proved that another login may be served
 * what was restored. */
static bool is_restored_for_another(const struct workspace *workspace,
				    const struct login *login)
{
	_cleanup_(mem_freep) char *owner = workspace_owner_text(login);

	return !workspace->upstream && workspace->last_good.kept &&
	       !str_same(workspace->restored_for, owner);
}

/* A login that goes takes with it what came by it. */
static void refresh_login(struct workspace *workspace, struct login *login)
{
	bool changed = is_restored_for_another(workspace, login) &&
		       forget_others(workspace);

	if (!workspace->upstream)
		workspace_admit_to_hold(workspace, login);
	if (workspace_refresh_login(workspace, login, on_answer))
		changed = forget(workspace) || changed;
	if (changed)
		workspace_publish(workspace, true, CAUSE_VAULT);
}

/* As long as a new login is not proved, what is served is the old one's. */
static void name_history(struct workspace *workspace, const struct login *login)
{
	if (!workspace->upstream)
		workspace_name_history(workspace, login);
}

static void refresh_declared(struct workspace *workspace, bool changed,
			     enum snapshot_cause cause)
{
	_cleanup_(login_deinit) struct login login = {0};
	bool fine = workspace_read_declared(workspace, &login);

	changed = workspace_set_declared(workspace, fine ? &login : NULL) ||
		  changed;
	changed = restore_at_first(workspace, &login) || changed;
	if (fine)
		name_history(workspace, &login);
	workspace_restore_hold(workspace, &login);
	workspace_publish(workspace, changed, cause);
	if (fine)
		refresh_login(workspace, &login);
}

static void refresh_implicit(struct workspace *workspace, bool changed,
			     enum snapshot_cause cause)
{
	_cleanup_(login_deinit) struct login login = {0};

	changed = workspace_read(workspace) || changed;
	workspace_login_of_tree(workspace, &login);
	changed = restore_at_first(workspace, &login) || changed;
	name_history(workspace, &login);
	workspace_restore_hold(workspace, &login);
	workspace_publish(workspace, changed, cause);
	refresh_login(workspace, &login);
}

static void refresh(struct workspace *workspace, bool changed,
		    enum snapshot_cause cause)
{
	if (workspace->declared)
		refresh_declared(workspace, changed, cause);
	else
		refresh_implicit(workspace, changed, cause);
	workspace_set_state(workspace);
}

void workspace_reload(struct workspace *workspace, enum snapshot_cause cause)
{
	bool changed = layers_set_local(&workspace->stack, workspace->host);

	/* Who asks for it by name may know of what no stamp tells, and the
	 * settings may be others. */
	if (cause == CAUSE_RELOAD)
		stack_touch(&workspace->stack);
	refresh(workspace, changed, cause);
}

void workspace_take_site(struct workspace *workspace, enum snapshot_cause cause)
{
	refresh(workspace,
		layers_set_documents(&workspace->stack, workspace->host->site),
		cause);
}

void workspace_start(struct workspace *workspace)
{
	workspace_reload(workspace, CAUSE_START);
	rotation_resume(workspace);
}

static bool has_rights_of_its_own(const struct workspace_settings *declared)
{
	return declared &&
	       (declared->read || declared->secrets || declared->admin);
}

/* Where a [workspace X] says nothing of a right, [access] holds. */
static void set_access(struct workspace *workspace)
{
	const struct workspace_settings *own = workspace->declared;
	const struct settings *all = workspace->host->settings;

	access_free(workspace->access);
	workspace->access = NULL;
	if (has_rights_of_its_own(own))
		workspace->access =
			access_new(own->read ? own->read : all->read,
				   own->secrets ? own->secrets : all->secrets,
				   own->admin ? own->admin : all->admin,
				   all->root == ROOT_HOST);
}

void workspace_set_settings(struct workspace *workspace,
			    const struct workspace_settings *declared)
{
	workspace->declared = declared;
	set_access(workspace);
}

static void on_saved(void *data)
{
	struct workspace *workspace = data;

	workspace->host->on_saved(workspace->host->data, workspace);
}

static void open_last_good(struct workspace *workspace)
{
	const struct workspace_host *host = workspace->host;
	const struct last_good_place place = {
		.loop = host->upstream.loop,
		.state_dir = host->state_dir,
		.name = workspace->name,
		.read_only = host->read_only,
		.kinds = {LAYER_VAULT, LAYER_MONITORING},
		.on_saved = on_saved,
		.data = workspace,
	};

	last_good_init(&workspace->last_good, &place);
}

struct workspace *workspace_new(struct workspace_host *host,
				const struct workspace_settings *declared)
{
	struct workspace *workspace = mem_alloc(sizeof(*workspace));

	workspace->host = host;
	workspace_set_settings(workspace, declared);
	workspace->name = mem_strdup(declared ? declared->name : "default");
	stack_init(&workspace->stack);
	history_init(&workspace->history,
		     (size_t)host->settings->limits.history,
		     (size_t)host->settings->limits.history_bytes);
	open_last_good(workspace);
	workspace_open_history(workspace);
	workspace_open_hold(workspace);
	return workspace;
}

void workspace_close(struct workspace *workspace)
{
	if (!workspace)
		return;
	close_last_good(workspace);
	workspace_close_history(workspace);
	rotation_close(TAKE(workspace->rotation));
	workspace_close_upstreams(workspace);
	hold_close(&workspace->hold);
	workspace_close_layers(workspace);
	for (size_t i = 0; i < VAULT_FEEDS; i++)
		arrival_deinit(&workspace->arrivals[i]);
	access_free(workspace->access);
	mem_free(workspace->login_error);
	mem_free(workspace->login_warning);
	mem_free(workspace->restored_for);
	principal_names_deinit(&workspace->kept);
	mem_free(workspace->name);
	mem_free(workspace);
}
