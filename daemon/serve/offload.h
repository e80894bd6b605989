#ifndef SERVE_OFFLOAD_H
#define SERVE_OFFLOAD_H

/*
 * Offload: answers that would keep the loop busy for long are made by another
 * thread.
 *
 * One job is at work at a time. The next one is of the user whose last turn is
 * longest ago, so that a user who asks much waits for himself. A job that waits
 * holds nothing but its words: in its turn it pins what it is to look at, which
 * does not change, and runs while the loop goes on with the calls of others.
 *
 * A job whose turn fails at once leaves the next one to the loop: else
 * thousands that fail would call each other.
 *
 *   IDLE --offload_add--> AT WORK --done, others wait--> DUE
 *     ^                    |   ^                         |  |
 *     +--- nobody waits ---+   +---- offload_go_on ------+  |
 *     +------------------- the others have gone ------------+
 *
 * A job that nobody waits for any more, while it is at work, keeps its turn and
 * its charge until it is done: to hang up is no way to have two.
 */

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/list.h"
#include "serve/quota.h"

struct job;
struct out;
struct pending;
struct request;
struct shared;
struct view;

struct job_kind {
	/* Its turn: pin what it needs of the workspace, which is as @view. */
	void (*pin)(struct job *job, const struct view *view);

	/* In another thread: write the reply. It must touch nothing but the job
	 * and what is pinned, and take no references. */
	void (*run)(struct job *job, struct out *out);

	void (*free)(struct job *job); /* with what it has pinned */
};

/* The beginning of what is allocated for one. */
struct job {
	const struct job_kind *kind;
	bool masked; /* the answer is for one without the right `secrets` */
	bool of_all; /* it tells nothing of the call's workspace alone */
	struct pending *pending; /* NULL: nobody waits any more */
	struct offload *offload;
	struct list link;     /* in offload->waiting */
	struct charge charge; /* of who does not wait any more */
	struct shared *reply; /* when it has run */
	uv_work_t work;
};

struct offload {
	uv_loop_t *loop;
	struct list waiting; /* struct job, in the order they came */
	struct job *at_work; /* NULL: none */
	bool due;            /* the next one may begin */
	bool closing;
	uint64_t serial;

	/* offload_go_on is to be called from the loop. */
	void (*on_due)(struct offload *offload);
	/* The last thing that is done with it. */
	void (*on_closed)(struct offload *offload);
};

void offload_init(struct offload *offload, uv_loop_t *loop);

/* Nobody waits any more; on_closed is called when nothing is at work, which may
 * be at once. */
void offload_close(struct offload *offload);

/* @job, which is taken over, makes the answer of @request when it is its turn,
 * which may be at once. Its user is charged @bytes. */
void offload_add(struct request *request, struct job *job, size_t bytes);

/* The next one, if it is due. */
void offload_go_on(struct offload *offload);

#endif
