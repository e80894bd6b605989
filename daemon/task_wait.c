/* The kinds of task.h that wait for polls: Reload, UseWorkspace. */

#include "base/mem.h"
#include "daemon.h"
#include "site.h"
#include "task.h"
#include "value/json.h"

static void add_generation(struct task *task)
{
	json_add_int(&task->fields, "generation",
		     (long long)task->daemon->active->snapshot->generation);
}

/* --- Reload --------------------------------------------------------------- */

bool task_begin_reload(struct task *task)
{
	daemon_reload(task->daemon);
	task_look_reload(task);
	return true;
}

static bool is_any_asking(const struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->workspace_count; i++)
		if (workspace_is_asking(daemon->workspaces[i]))
			return true;
	return site_is_asking(daemon->site);
}

/* A server that does not answer is no failure of the reload: status tells. */
void task_look_reload(struct task *task)
{
	const struct daemon *daemon = task->daemon;

	if (is_any_asking(daemon))
		return;
	add_generation(task);
	json_add_bool(&task->fields, "changed",
		      daemon->active->snapshot->generation != task->generation);
	task_succeed(task);
}

/* --- UseWorkspace --------------------------------------------------------- */

/* Only who can log in and fetch may become active. */
bool task_begin_switch(struct task *task)
{
	if (task->workspace != task->daemon->active)
		workspace_poll_now(task->workspace);
	task_look_switch(task);
	return true;
}

static void fail_switch(struct task *task, const struct workspace *workspace)
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
	daemon_use_workspace(task->daemon, workspace);
	add_generation(task);
	task_succeed(task);
}

void task_look_switch(struct task *task)
{
	/* A reload may have taken it away meanwhile. */
	struct workspace *workspace =
		daemon_workspace(task->daemon, task->errand->workspace);
	bool active = workspace == task->daemon->active;

	if (!workspace)
		task_fail_not_ready(task,
				    "the workspace is no longer declared");
	else if (!active && workspace_is_asking(workspace))
		return;
	else if (active || workspace_can_serve(workspace))
		switch_to(task, workspace);
	else
		fail_switch(task, workspace);
}
