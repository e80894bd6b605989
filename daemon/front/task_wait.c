/* The kinds of task.h that wait for polls: Reload, UseWorkspace,
 * ProveCredentials, RotateCredentials. */

#include "base/clock.h"
#include "base/mem.h"
#include "config/secret.h"
#include "engine/engine.h"
#include "engine/rotation.h"
#include "engine/site.h"
#include "front/front.h"
#include "front/task.h"
#include "serve/service.h"
#include "value/json.h"

static void add_generation(struct task *task)
{
	json_add_int(&task->fields, "generation",
		     (long long)task->engine->active->snapshot->generation);
}

/* --- Reload --------------------------------------------------------------- */

bool task_begin_reload(struct task *task)
{
	engine_reload(task->engine);
	task_look_reload(task);
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
	uint64_t clearance;    /* of who has asked; see serve/service.h */
	const char *workspace; /* that is looked at; NULL: the whole host */
	size_t index;          /* of the same; of the host: of the active one */
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
	_cleanup_(mem_freep) char *shown = secrets_mask_text(
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
	_cleanup_(mem_freep) char *text =
		diag->pos.line ? mem_printf("%s:%u:%u: %s", diag->source,
					    diag->pos.line, diag->pos.column,
					    diag->text)
			       : mem_printf("%s: %s", diag->source, diag->text);

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

/* What is wrong with a login that is not in force names its key. */
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

static void add_failures(struct task *task)
{
	struct engine *engine = task->engine;
	_cleanup_(buf_deinit) struct buf list = BUF_INIT;
	struct failures failures = {
		.json = &list,
		.engine = engine,
		.clearance = task->front->service.clearance(task->front,
							    task->errand->peer),
	};

	add_of_host(&failures);
	for (size_t i = 0; i < engine->workspace_count; i++)
		add_of_workspace(&failures, i);
	if (!list.len)
		return;
	json_key(&task->fields, "failed");
	buf_putc(&task->fields, '[');
	buf_add_str(&task->fields, buf_str(&list));
	buf_putc(&task->fields, ']');
}

/* What could be read has been, whatever could not be. */
void task_end_reload(struct task *task)
{
	const struct engine *engine = task->engine;

	add_generation(task);
	json_add_bool(&task->fields, "changed",
		      engine->active->snapshot->generation != task->generation);
	add_failures(task);
	task_succeed(task);
}

void task_look_reload(struct task *task)
{
	if (!is_any_asking(task->engine))
		task_end_reload(task);
}

/* --- UseWorkspace --------------------------------------------------------- */

/* Only who can log in and fetch may become active. */
bool task_begin_switch(struct task *task)
{
	if (task->workspace != task->engine->active)
		workspace_prove_now(task->workspace);
	task_look_switch(task);
	return true;
}

/* With what the server last said. */
static void fail_by_answer(struct task *task, const struct workspace *workspace)
{
	const char *problem = workspace_problem(workspace);
	const struct vault_fault *fault =
		workspace->upstream ? upstream_fault(workspace->upstream)
				    : NULL;

	if (!fault)
		task_fail_not_ready(task,
				    problem ? problem : "there is no answer");
	else
		task_fail_server(task, &(struct errand_fault){
					       .endpoint = fault->endpoint,
					       .message = problem,
					       .status = fault->status,
					       .code = fault->code,
					       .subcode = fault->subcode,
				       });
}

static void switch_to(struct task *task, struct workspace *workspace)
{
	engine_use_workspace(task->engine, workspace);
	add_generation(task);
	task_succeed(task);
}

void task_look_switch(struct task *task)
{
	/* A reload may have taken it away meanwhile. */
	struct workspace *workspace =
		engine_workspace(task->engine, task->errand->workspace);
	bool active = workspace == task->engine->active;

	if (!workspace)
		task_fail_not_ready(task,
				    "the workspace is no longer declared");
	else if (!active && workspace_is_asking(workspace))
		return;
	else if (active || workspace_can_serve(workspace))
		switch_to(task, workspace);
	else
		fail_by_answer(task, workspace);
}

/* --- ProveCredentials ----------------------------------------------------- */

#define PROOF_FRESH_MS 5000

/* Who may only read must not take from polls what the server gets of calls: a
 * key that was proved for somebody a moment ago is not proved again. */
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

bool task_begin_prove(struct task *task)
{
	_cleanup_(mem_freep) char *reason = task_why_not_ask(task->workspace);

	if (reason) {
		task_fail_not_ready(task, reason);
		return false;
	}
	want_proof(task->workspace);
	task_look_prove(task);
	return true;
}

void task_look_prove(struct task *task)
{
	struct workspace *workspace =
		engine_workspace(task->engine, task->errand->workspace);

	if (!workspace || !workspace->upstream) {
		task_fail_not_ready(task, "the workspace has no login any "
					  "more");
		return;
	}
	if (workspace_is_asking(workspace))
		return;
	if (!workspace_can_serve(workspace)) {
		fail_by_answer(task, workspace);
		return;
	}
	json_add_optional_int(&task->fields, "proved_at",
			      upstream_proved_at(workspace->upstream));
	task_succeed(task);
}

/* --- RotateCredentials ---------------------------------------------------- */

bool task_begin_rotate(struct task *task)
{
	const struct errand *errand = task->errand;
	const struct rotation_wish wish = {
		.grace = errand->grace,
		.lifetime = errand->lifetime,
	};
	_cleanup_(mem_freep) char *reason = task_why_not_ask(task->workspace);

	if (!reason)
		reason = rotation_begin(task->workspace, &wish);
	if (reason)
		task_fail_not_ready(task, reason);
	else
		task_look_rotate(task);
	return !reason;
}

/* The old pair is revoked when the grace is over, whoever waits or not. */
void task_look_rotate(struct task *task)
{
	struct workspace *workspace =
		engine_workspace(task->engine, task->errand->workspace);
	const struct rotation *rotation =
		workspace ? workspace->rotation : NULL;

	if (!rotation) {
		task_fail_not_ready(task, "the rotation has ended");
	} else if (rotation_problem(rotation)) {
		task_fail_not_ready(task, rotation_problem(rotation));
	} else if (rotation_is_through(rotation)) {
		rotation_write_result(rotation, &task->fields);
		task_succeed(task);
	}
}

void task_late_rotate(struct task *task)
{
	task_fail_not_ready(task, "no answer in time: the rotation goes on by "
				  "itself, or gives up and leaves the old key "
				  "pair in force");
}
