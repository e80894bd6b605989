#include "front/task.h"

#include "base/arena.h"
#include "base/mem.h"
#include "config/secret.h"
#include "engine/engine.h"
#include "fetch/session.h"
#include "front/front.h"
#include "value/json.h"
#include "value/value.h"

static const struct task_kind kinds[] = {
	[ERRAND_RELOAD] = {NULL, task_begin_reload, task_look_reload,
			   task_end_reload, 2},
	[ERRAND_USE_WORKSPACE] = {NULL, task_begin_switch, task_look_switch,
				  NULL, 2},
	[ERRAND_PROVE] = {NULL, task_begin_prove, task_look_prove, NULL, 2},
	[ERRAND_TOKEN] = {task_token, NULL, NULL, NULL, 1},
	[ERRAND_PROFILE] = {task_profile, NULL, NULL, NULL, 1},
	[ERRAND_WORKERS] = {task_workers, NULL, NULL, NULL, 1},
	[ERRAND_LIST_CREDENTIALS] = {task_credentials, NULL, NULL, NULL, 1},
	[ERRAND_CREATE_CREDENTIALS] = {task_create, task_begin_create, NULL,
				       NULL, 1},
	[ERRAND_EDIT_CREDENTIALS] = {task_edit, NULL, NULL, NULL, 1},
	[ERRAND_ROTATE_CREDENTIALS] = {NULL, task_begin_rotate,
				       task_look_rotate, task_late_rotate, 6},
	[ERRAND_REVOKE_CREDENTIALS] = {task_revoke, task_begin_revoke, NULL,
				       NULL, 1},
};

static void task_put(struct task *task);

/* --- the end -------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
	mem_free(handle->data);
}

static void task_free(struct task *task)
{
	list_remove(&task->link);
	session_cancel(TAKE(task->call));
	buf_deinit(&task->fields);
	uv_close((uv_handle_t *)&task->deadline, on_closed);
}

/* The task's errand, which is to be finished; nothing is left of the task. */
static struct errand *task_end(struct task *task)
{
	struct errand *errand = TAKE(task->errand);

	errand->job = NULL;
	task_free(task);
	return errand;
}

void task_succeed(struct task *task)
{
	_cleanup_(buf_deinit) struct buf object = task->fields;

	buf_putc(&object, '}');
	task->fields = BUF_INIT;
	errand_succeed(task_end(task), buf_str(&object));
}

void task_fail_not_ready(struct task *task, const char *reason)
{
	errand_fail_not_ready(task_end(task), reason);
}

void task_fail_parameter(struct task *task, const char *name)
{
	errand_fail_parameter(task_end(task), name);
}

void task_fail_server(struct task *task, const struct errand_fault *fault)
{
	errand_fail_server(task_end(task), fault);
}

void task_call_off(struct errand *errand)
{
	task_free(errand->job);
	errand->job = NULL;
}

/* Without an answer nobody knows whether what was to change has changed. It is
 * never asked for twice: that is for a person to decide. */
static const char *what_is_open(const struct task *task)
{
	return task->question && task->question->body
		       ? "; it may have been done all the same: look at the "
			 "list of credentials"
		       : "";
}

static void task_give_up(struct task *task)
{
	const struct question *question = task->question;
	_cleanup_(mem_freep) char *message = mem_printf(
		"no answer in time: see [poll] timeout%s", what_is_open(task));
	const struct errand_fault fault = {
		.endpoint = question ? question->method : "users.get_vaults",
		.message = message,
	};

	task_fail_server(task, &fault);
}

static void on_deadline(uv_timer_t *timer)
{
	struct task *task = timer->data;

	if (task->kind->late)
		task->kind->late(task);
	else
		task_give_up(task);
}

/* --- questions ------------------------------------------------------------ */

void task_add(struct task *task, const char *key, const struct value *value)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct value *holder = value_new(&arena, VALUE_OBJECT);

	*value_object_slot(holder, &arena, str_from(key)) =
		value_copy(&arena, value);
	if (task->errand->masked)
		holder = secrets_mask(task->engine->host.secrets, &arena,
				      holder);
	json_key(&task->fields, key);
	json_write(&task->fields, holder->object.members[0].value);
}

static void task_go_on(struct task *task)
{
	if (task->question->method)
		task_put(task);
	else
		task_succeed(task);
}

static void task_fail(struct task *task, const struct api_reply *reply)
{
	_cleanup_(mem_freep) char *message =
		secrets_mask_text(task->engine->host.secrets, reply->message);
	const struct errand_fault fault = {
		.endpoint = task->question->method,
		.message = message,
		.status = reply->status,
		.code = reply->code,
		.subcode = reply->subcode,
	};

	/* Whoever else relies on the key is to hear of it too. */
	if (api_is_key_unknown(reply))
		workspace_prove_now(task->workspace);
	task_fail_server(task, &fault);
}

static void task_fail_odd(struct task *task, const struct api_reply *reply)
{
	const struct errand_fault fault = {
		.endpoint = task->question->method,
		.message = "the server's answer does not hold what was asked "
			   "for: is it older, or newer, than clearconf knows?",
		.status = reply->status,
		.code = reply->code,
		.subcode = reply->subcode,
	};

	task_fail_server(task, &fault);
}

static void task_take(struct task *task, const struct api_reply *reply)
{
	const struct question *question = task->question;
	bool missing = question->optional && reply->outcome == API_ERROR;

	task->call = NULL;
	if (reply->outcome != API_OK && !missing) {
		task_fail(task, reply);
		return;
	}
	if (!question->take(task, reply->data)) {
		task_fail_odd(task, reply);
		return;
	}
	task->question++;
	task_go_on(task);
}

static void on_answer(void *data, const struct api_reply *reply)
{
	task_take(data, reply);
}

static void task_mint(struct task *task)
{
	struct session *session = task->workspace->upstream->session;

	task->call = session_mint(session, task->question->mint(task),
				  on_answer, task);
}

static void task_ask(struct task *task)
{
	const struct question *question = task->question;
	_cleanup_(mem_freep) char *query =
		question->query ? question->query(task) : NULL;
	_cleanup_(mem_freep) char *body =
		question->body ? question->body(task) : NULL;
	_cleanup_(mem_freep) char *endpoint =
		mem_printf("%s%s%s", question->method, query ? "?" : "",
			   query ? query : "");

	task->call = session_send(task->workspace->upstream->session, endpoint,
				  body, on_answer, task);
}

static void task_put(struct task *task)
{
	if (task->question->mint)
		task_mint(task);
	else
		task_ask(task);
}

/* NULL, or why its server cannot be asked: the caller's. */
char *task_why_not_ask(const struct workspace *workspace)
{
	const char *problem = workspace_problem(workspace);

	if (workspace->upstream)
		return NULL;
	if (problem)
		return mem_strdup(problem);
	return mem_printf("no server is asked for the workspace '%s': %s",
			  workspace->name, workspace->unasked);
}

static void task_begin_asking(struct task *task)
{
	_cleanup_(mem_freep) char *reason = task_why_not_ask(task->workspace);

	if (reason)
		task_fail_not_ready(task, reason);
	else if (!task->kind->begin || task->kind->begin(task))
		task_put(task);
}

/* --- the beginning -------------------------------------------------------- */

static struct task *task_new(struct front *front, struct errand *errand)
{
	struct engine *engine = front->engine;
	struct task *task = mem_alloc(sizeof(*task));

	task->front = front;
	task->engine = engine;
	task->workspace = engine_workspace(engine, errand->workspace);
	task->errand = errand;
	task->kind = &kinds[errand->kind];
	task->question = task->kind->questions;
	task->generation = engine->active->snapshot->generation;
	buf_putc(&task->fields, '{');
	(void)uv_timer_init(&engine->loop, &task->deadline);
	task->deadline.data = task;
	list_add(&front->tasks, &task->link);
	errand->job = task;
	return task;
}

void task_begin(struct front *front, struct errand *errand)
{
	struct task *task = task_new(front, errand);
	uint64_t timeout = (uint64_t)front->engine->settings->timeout;

	(void)uv_timer_start(&task->deadline, on_deadline,
			     task->kind->timeouts * timeout, 0);
	if (task->kind->questions)
		task_begin_asking(task);
	else
		(void)task->kind->begin(task);
}

void tasks_look(struct front *front)
{
	struct list *i, *next;
	struct task *task;

	for (i = front->tasks.next; i != &front->tasks; i = next) {
		next = i->next;
		task = CONTAINER_OF(i, struct task, link);
		if (task->kind->look)
			task->kind->look(task);
	}
}

void tasks_log_out(struct front *front, const struct workspace *workspace)
{
	struct list *i, *next;
	struct task *task;

	for (i = front->tasks.next; i != &front->tasks; i = next) {
		next = i->next;
		task = CONTAINER_OF(i, struct task, link);
		if (!workspace ||
		    (task->workspace == workspace && task->kind->questions))
			task_fail_not_ready(task, "the login has been replaced "
						  "meanwhile: ask again");
	}
}
