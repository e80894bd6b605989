#include "serve/offload.h"

#include <assert.h>
#include <stddef.h>

#include "serve/out.h"
#include "serve/pending.h"
#include "serve/request.h"
#include "serve/service.h"

static void begin(struct offload *offload, struct job *job);

void offload_init(struct offload *offload, uv_loop_t *loop)
{
	*offload = (struct offload){.loop = loop};
	list_init(&offload->waiting);
}

static void close_when_idle(struct offload *offload)
{
	if (offload->closing && !offload->at_work)
		offload->on_closed(offload);
}

void offload_close(struct offload *offload)
{
	assert(list_is_empty(&offload->waiting));
	offload->closing = true;
	close_when_idle(offload);
}

/* --- one job -------------------------------------------------------------- */

static void job_free(struct job *job)
{
	list_remove(&job->link);
	charge_release(&job->charge);
	shared_unref(job->reply);
	job->kind->free(job);
}

/* Nobody waits any more. The work cannot be stopped. */
static void on_cancel(struct pending *pending)
{
	struct job *job = pending->work;

	if (job->offload->at_work != job) {
		job_free(job);
		return;
	}
	job->charge = pending->charge;
	pending->charge = (struct charge){0};
	job->pending = NULL;
}

static void on_work(uv_work_t *work)
{
	struct job *job = CONTAINER_OF(work, struct job, work);
	struct out out = {0};

	job->kind->run(job, &out);
	job->reply = out_cut(&out, (struct out_mark){0});
	out_deinit(&out);
}

/* --- turns ---------------------------------------------------------------- */

static uint64_t last_turn(const struct job *job)
{
	return charge_last_turn(&job->pending->charge);
}

/* The first of the user whose last turn is longest ago; NULL: nobody waits. */
static struct job *next(const struct offload *offload)
{
	struct job *job, *best = NULL;
	struct list *i;

	for (list_each (&offload->waiting, i)) {
		job = CONTAINER_OF(i, struct job, link);
		if (!best || last_turn(job) < last_turn(best))
			best = job;
	}
	return best;
}

static void end_turn(struct offload *offload)
{
	offload->at_work = NULL;
	offload->due = !list_is_empty(&offload->waiting);
	if (offload->due)
		offload->on_due(offload);
	else
		close_when_idle(offload);
}

static void on_done(uv_work_t *work, int status)
{
	struct job *job = CONTAINER_OF(work, struct job, work);
	struct offload *offload = job->offload;

	(void)status;
	if (job->pending)
		pending_reply(job->pending, TAKE(job->reply));
	job_free(job);
	end_turn(offload);
}

static void begin(struct offload *offload, struct job *job)
{
	struct pending *pending = job->pending;
	const struct service *service = pending->service;
	struct view view;

	list_remove(&job->link);
	charge_set_turn(&pending->charge, ++offload->serial);
	if (!service->view(service->data, pending->workspace, &view)) {
		job_free(job);
		pending_fail_not_ready(pending,
				       "the workspace is gone meanwhile");
		end_turn(offload);
		return;
	}
	offload->at_work = job;
	job->kind->pin(job, &view);
	(void)uv_queue_work(offload->loop, &job->work, on_work, on_done);
}

void offload_go_on(struct offload *offload)
{
	struct job *job = next(offload);

	if (!offload->due)
		return;
	offload->due = false;
	if (job)
		begin(offload, job);
}

void offload_add(struct request *request, struct job *job, size_t bytes)
{
	struct offload *offload = request->offload;
	struct pending *pending =
		pending_new(request, QUOTA_BYTES, (uint32_t)bytes);

	list_init(&job->link);
	if (!pending) {
		job_free(job);
		return;
	}
	pending->masked = job->masked;
	pending->of_all = job->of_all;
	job->pending = pending;
	job->offload = offload;
	pending->work = job;
	pending->cancel = on_cancel;
	list_add(&offload->waiting, &job->link);
	if (!offload->at_work && !offload->due)
		begin(offload, job);
	pending_wait(request, pending);
}
