/* The methods of server_call.h that wait for polls: Reload, UseWorkspace,
 * ProveCredentials, RotateCredentials; and those that wait for the disk:
 * TakeArrivals, SkipArrivals. */

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config/callers.h"
#include "config/mask.h"
#include "engine/engine.h"
#include "engine/rotation.h"
#include "front/arrivals.h"
#include "front/front.h"
#include "front/hold_json.h"
#include "front/server_call.h"
#include "serve/peer.h"
#include "serve/service.h"
#include "site/site.h"
#include "value/json.h"

static void add_generation(struct server_call *call)
{
	json_add_int(&call->fields, "generation",
		     (long long)call->engine->active->snapshot->generation);
}

/* --- Reload --------------------------------------------------------------- */

static bool begin_reload(struct server_call *call)
{
	engine_reload(call->engine);
	return true;
}

static bool is_any_asking(const struct engine *engine)
{
	for (size_t i = 0; i < engine->workspace_count; i++)
		if (workspace_is_asking(engine->workspaces[i]))
			return true;
	return site_is_asking(engine->site);
}

/* The answer's list `failed`, and to whom it is told. */
struct failures {
	struct buf *json;
	const struct engine *engine;
	uint64_t clearance;    /* of the peer that asked; see serve/service.h */
	const char *workspace; /* the workspace that is looked at; NULL: the
				* whole host */
	size_t index;          /* that workspace's index; for the host, the
				* active one's */
};

static bool may_read(const struct failures *failures)
{
	return failures->index < SERVICE_CLEARANCES &&
	       failures->clearance >> SERVICE_BITS * failures->index &
		       SERVICE_MAY_READ;
}

static void add_failure(const struct failures *failures, const char *what,
			const char *reason)
{
	struct buf *json = failures->json;
	_cleanup_(mem_freep) char *shown = mask_text(
		failures->engine->host.secrets,
		may_read(failures) ? reason : "you have no right to read why");

	if (json->len)
		buf_putc(json, ',');
	buf_putc(json, '{');
	json_add_string(json, "what", what);
	json_add_optional_string(json, "workspace", failures->workspace);
	json_add_string(json, "reason", shown);
	buf_putc(json, '}');
}

static void add_diag(const struct failures *failures, const char *what,
		     const struct diag *diag)
{
	_cleanup_(mem_freep) char *text = diag_line(diag);

	add_failure(failures, what, text);
}

static bool is_own(const struct layer *layer)
{
	return layer_is_of(layer, LAYER_OF_SETTINGS) ||
	       layer_is_of(layer, LAYER_OF_VAULT);
}

static void add_broken(const struct failures *failures,
		       const struct stack *stack, bool own)
{
	struct layer *layer;

	for (stack_each(stack, layer))
		if (layer->state == LAYER_BROKEN && is_own(layer) == own)
			add_diag(failures, "layer", &layer->problem);
}

/* Why a workspace is not served; a login that is not in force yet is named by
 * its key. */
static char *why_unserved(const struct workspace *workspace)
{
	const char *problem = workspace_problem(workspace);
	const char *source = workspace->candidate
				     ? workspace->candidate->login.key_source
				     : NULL;

	if (workspace_is_asking(workspace))
		return mem_strdup("no answer in time: see [poll] timeout");
	if (!problem)
		return mem_strdup("there is no answer");
	if (problem != workspace_candidate_problem(workspace))
		return mem_strdup(problem);
	return mem_printf("the new login%s%s%s is not used yet: %s",
			  source ? ", with the key of " : "",
			  source ? source : "", source ? "," : "", problem);
}

static void add_unserved(const struct failures *failures,
			 const struct workspace *workspace)
{
	_cleanup_(mem_freep) char *reason = why_unserved(workspace);

	if (workspace->login_error)
		add_failure(failures, "settings", workspace->login_error);
	else if (workspace_is_asking(workspace) ||
		 !workspace_can_serve(workspace))
		add_failure(failures, "server", reason);
}

/* Settings, etcd and files are the same for all workspaces. */
static void add_of_host(struct failures *failures)
{
	const struct engine *engine = failures->engine;
	const char *problem = site_problem(engine->site);

	while (engine->workspaces[failures->index] != engine->active)
		failures->index++;
	if (diag_failed(&engine->settings_problem))
		add_diag(failures, "settings", &engine->settings_problem);
	if (problem || site_is_asking(engine->site))
		add_failure(failures, "site",
			    problem ? problem : "etcd has not answered yet");
	add_broken(failures, &engine->active->stack, false);
}

static void add_of_workspace(struct failures *failures, size_t index)
{
	const struct workspace *workspace = failures->engine->workspaces[index];

	failures->workspace = workspace->name;
	failures->index = index;
	add_unserved(failures, workspace);
	add_broken(failures, &workspace->stack, true);
}

static void add_failures(struct server_call *call)
{
	struct engine *engine = call->engine;
	_cleanup_(buf_deinit) struct buf list = BUF_INIT;
	struct failures failures = {
		.json = &list,
		.engine = engine,
		.clearance = call->front->service.clearance(
			call->front, call->pending->peer),
	};

	add_of_host(&failures);
	for (size_t i = 0; i < engine->workspace_count; i++)
		add_of_workspace(&failures, i);
	if (!list.len)
		return;
	json_key(&call->fields, "failed");
	buf_putc(&call->fields, '[');
	buf_add_str(&call->fields, buf_str(&list));
	buf_putc(&call->fields, ']');
}

/* Who has just edited a vault, and sees no change, is not to look for a fault.
 */
static void add_arriving(struct server_call *call)
{
	const struct engine *engine = call->engine;
	struct failures of = {.clearance = call->front->service.clearance(
				      call->front, call->pending->peer)};
	_cleanup_(buf_deinit) struct buf names = BUF_INIT;

	for (; of.index < engine->workspace_count; of.index++) {
		const struct workspace *one = engine->workspaces[of.index];

		if (!may_read(&of) || !arrivals_exist(one, NULL))
			continue;
		if (names.len)
			buf_putc(&names, ',');
		json_write_string(&names, str_from(one->name));
	}
	if (!names.len)
		return;
	json_key(&call->fields, "arriving");
	buf_putc(&call->fields, '[');
	buf_add_str(&call->fields, buf_str(&names));
	buf_putc(&call->fields, ']');
}

/* A reload succeeds with what could be read, whatever could not. */
static void end_reload(struct server_call *call)
{
	const struct engine *engine = call->engine;

	add_generation(call);
	json_add_bool(&call->fields, "changed",
		      engine->active->snapshot->generation != call->generation);
	add_failures(call);
	add_arriving(call);
	server_call_succeed(call);
}

static void look_reload(struct server_call *call)
{
	if (!is_any_asking(call->engine))
		end_reload(call);
}

/* --- UseWorkspace --------------------------------------------------------- */

/* Only a workspace that can log in and fetch may become the active one. */
static bool begin_switch(struct server_call *call)
{
	if (call->workspace != call->engine->active)
		workspace_prove_now(call->workspace);
	return true;
}

/* Fail the call with what the server last said. */
static void fail_by_answer(struct server_call *call,
			   const struct workspace *workspace)
{
	const char *problem = workspace_problem(workspace);
	const struct vault_fault *fault =
		workspace->upstream ? upstream_fault(workspace->upstream)
				    : NULL;

	if (!fault)
		pending_fail_not_ready(server_call_end(call),
				       problem ? problem
					       : "there is no answer");
	else
		pending_fail_server(server_call_end(call),
				    &(struct pending_fault){
					    .endpoint = fault->endpoint,
					    .message = problem,
					    .status = fault->status,
					    .code = fault->code,
					    .subcode = fault->subcode,
				    });
}

/* The caller is not moved by what it does. */
static void add_own(struct server_call *call, const struct workspace *active)
{
	const struct caller_rule *own =
		peer_own(call->pending->peer, call->engine->callers);

	if (own && strcmp(own->workspace, active->name) != 0)
		caller_rule_write(own, &call->fields);
}

static void switch_to(struct server_call *call, struct workspace *workspace)
{
	engine_use_workspace(call->engine, workspace);
	add_generation(call);
	add_own(call, workspace);
	server_call_succeed(call);
}

static void look_switch(struct server_call *call)
{
	struct workspace *workspace = server_call_workspace(call);
	bool active;

	if (!workspace)
		return;
	active = workspace == call->engine->active;
	if (!active && workspace_is_asking(workspace))
		return;
	if (active || workspace_can_serve(workspace))
		switch_to(call, workspace);
	else
		fail_by_answer(call, workspace);
}

/* --- ProveCredentials ----------------------------------------------------- */

#define PROOF_FRESH_MS 5000

/* A key that was proved for somebody a moment ago is not proved again, so that
 * a peer that may only read cannot make the server refuse our polls. */
static void want_proof(struct workspace *workspace)
{
	struct upstream *upstream = workspace->upstream;
	int64_t now = clock_boot_ms();

	if (upstream->wanted_proof && workspace_can_serve(workspace) &&
	    now - upstream->wanted_proof < PROOF_FRESH_MS)
		return;
	upstream->wanted_proof = now;
	workspace_prove_now(workspace);
}

static bool begin_prove(struct server_call *call)
{
	_cleanup_(mem_freep) char *reason =
		server_call_why_not(call->workspace);

	if (reason) {
		pending_fail_not_ready(server_call_end(call), reason);
		return false;
	}
	want_proof(call->workspace);
	return true;
}

static void look_prove(struct server_call *call)
{
	struct workspace *workspace =
		engine_workspace(call->engine, call->pending->workspace);

	if (!workspace || !workspace->upstream) {
		pending_fail_not_ready(server_call_end(call),
				       "the workspace has no login any "
				       "more");
		return;
	}
	if (workspace_is_asking(workspace))
		return;
	if (!workspace_can_serve(workspace)) {
		fail_by_answer(call, workspace);
		return;
	}
	json_add_optional_int(&call->fields, "proved_at",
			      upstream_proved_at(workspace->upstream));
	server_call_succeed(call);
}

/* --- RotateCredentials ---------------------------------------------------- */

static bool begin_rotate(struct server_call *call)
{
	const struct rotation_wish wish = {
		.grace = call_int(call->asked, "grace", -1),
		.lifetime = call_int(call->asked, "lifetime", -1),
	};
	_cleanup_(mem_freep) char *reason =
		server_call_why_not(call->workspace);

	if (!reason)
		reason = rotation_begin(call->workspace, &wish);
	if (reason)
		pending_fail_not_ready(server_call_end(call), reason);
	return !reason;
}

/* The old pair is revoked when the grace is over, even if nobody waits for
 * that. */
static void look_rotate(struct server_call *call)
{
	struct workspace *workspace =
		engine_workspace(call->engine, call->pending->workspace);
	const struct rotation *rotation =
		workspace ? workspace->rotation : NULL;

	if (!rotation) {
		pending_fail_not_ready(server_call_end(call),
				       "the rotation has ended");
	} else if (rotation_problem(rotation)) {
		pending_fail_not_ready(server_call_end(call),
				       rotation_problem(rotation));
	} else if (rotation_is_through(rotation)) {
		rotation_write_result(rotation, &call->fields);
		server_call_succeed(call);
	}
}

static void late_rotate(struct server_call *call)
{
	pending_fail_not_ready(server_call_end(call),
			       "no answer in time: the rotation goes on by "
			       "itself, or gives up and leaves the old key "
			       "pair in force");
}

/* --- TakeArrivals, SkipArrivals ------------------------------------------- */

static bool decide(struct server_call *call,
		   void (*decision)(struct workspace *workspace,
				    const char *revision))
{
	const char *revision = call_string(call->asked, "revision").ptr;
	const char *why_not =
		workspace_arrivals_lack(call->workspace, revision);

	if (why_not) {
		pending_fail_not_ready(server_call_end(call), why_not);
		return false;
	}
	arrivals_write(call->workspace, revision, &call->fields);
	decision(call->workspace, revision);
	return true;
}

static bool begin_take(struct server_call *call)
{
	return decide(call, workspace_take_arrivals);
}

static bool begin_skip(struct server_call *call)
{
	return decide(call, workspace_skip_arrivals);
}

/* What was decided holds already; whoever decided is told whether it will after
 * a restart. */
static void end_arrivals(struct server_call *call,
			 const struct workspace *workspace)
{
	json_add_int(&call->fields, "generation",
		     (long long)workspace->snapshot->generation);
	json_add_bool(&call->fields, "kept",
		      last_good_is_saved(&workspace->last_good));
	hold_json_add(&call->fields, &workspace->hold,
		      call->engine->host.secrets);
	server_call_succeed(call);
}

static void look_arrivals(struct server_call *call)
{
	const struct workspace *workspace = server_call_workspace(call);

	if (workspace && !last_good_is_saving(&workspace->last_good))
		end_arrivals(call, workspace);
}

static void late_arrivals(struct server_call *call)
{
	const struct workspace *workspace = server_call_workspace(call);

	if (workspace)
		end_arrivals(call, workspace);
}

/* --- the table ------------------------------------------------------------ */

const struct server_method server_waits[] = {
	{"Reload", .begin = begin_reload, .look = look_reload,
	 .late = end_reload, .timeouts = 2},
	{"UseWorkspace", .begin = begin_switch, .look = look_switch,
	 .timeouts = 2},
	{"ProveCredentials", .begin = begin_prove, .look = look_prove,
	 .timeouts = 2},
	{"RotateCredentials", .begin = begin_rotate, .look = look_rotate,
	 .late = late_rotate, .timeouts = 6},
	{"TakeArrivals", .begin = begin_take, .look = look_arrivals,
	 .late = late_arrivals},
	{"SkipArrivals", .begin = begin_skip, .look = look_arrivals,
	 .late = late_arrivals},
	{0},
};
