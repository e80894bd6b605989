#ifndef DAEMON_TASK_H
#define DAEMON_TASK_H

/*
 * Tasks: what the front does for an errand of a client, within a deadline.
 *
 * A task either puts the questions of its kind to the server of its workspace,
 * one after the other (task_query.c), or waits until polls have been answered
 * (task_wait.c). It ends by finishing its errand. The front owns its tasks;
 * an errand that is called off takes its task with it.
 *
 *   task_begin --> UNDER WAY --answered, failed, deadline--> errand finished
 *                      |                                        |
 *                      +-- called off ------------------------> freed
 *
 * Each kind is one row of the table in task.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/buf.h"
#include "base/list.h"
#include "serve/errand.h"

struct engine;
struct front;
struct session_call;
struct task;
struct value;
struct workspace;

/* One call of the server. */
struct question {
	const char *method; /* NULL ends the list */
	bool optional;      /* not every server has it */
	/* The query, or the body of a POST, as the caller's; NULL: none. */
	char *(*query)(const struct task *task);
	char *(*body)(const struct task *task);
	int64_t (*mint)(
		const struct task *task); /* a token that lives so long */
	/* Add to task->fields. @data NULL: optional, and there is none. False
	 * when the answer lacks what it is all about. */
	bool (*take)(struct task *task, const struct value *data);
};

struct task_kind {
	const struct question *questions; /* NULL: it waits for polls */
	/* May finish the errand. With questions: false when it has. */
	bool (*begin)(struct task *task);
	void (*look)(struct task *task); /* polls have been answered */
	void (*late)(struct task *task); /* the deadline; NULL: it fails */
	unsigned int timeouts;           /* the deadline, in [poll] timeout */
};

struct task {
	struct list link; /* front->tasks */
	struct front *front;
	struct engine *engine;
	struct workspace *workspace;
	struct errand *errand;
	const struct task_kind *kind;
	uv_timer_t deadline;

	const struct question *question; /* that is asked */
	struct session_call *call;
	struct buf fields;   /* of the answer, so far */
	uint64_t generation; /* of the active workspace at the beginning */
};

/* The face towards serve/service.h. */
void task_begin(struct front *front, struct errand *errand);
void task_call_off(struct errand *errand);

/* Polls have been answered: some tasks may have waited for that. */
void tasks_look(struct front *front);

/* @workspace's login (NULL: everybody's) is going: tasks that use it fail. */
void tasks_log_out(struct front *front, const struct workspace *workspace);

/* --- for the kinds; each but task_add ends the task --- */

/* Add @value as @key to the answer, masked if it has to be. */
void task_add(struct task *task, const char *key, const struct value *value);

/* With task->fields as the reply. */
void task_succeed(struct task *task);
void task_fail_not_ready(struct task *task, const char *reason);
void task_fail_parameter(struct task *task, const char *name);
void task_fail_server(struct task *task, const struct errand_fault *fault);

/* NULL, or why a workspace's server cannot be asked: the caller's. */
char *task_why_not_ask(const struct workspace *workspace);

extern const struct question task_profile[], task_workers[], task_credentials[],
	task_create[], task_edit[], task_revoke[], task_token[];
bool task_begin_create(struct task *task);
bool task_begin_revoke(struct task *task);
bool task_begin_reload(struct task *task);
bool task_begin_switch(struct task *task);
bool task_begin_prove(struct task *task);
bool task_begin_rotate(struct task *task);
void task_look_reload(struct task *task);
void task_end_reload(struct task *task);
void task_look_switch(struct task *task);
void task_look_prove(struct task *task);
void task_look_rotate(struct task *task);
void task_late_rotate(struct task *task);

#endif
