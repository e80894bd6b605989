#include "serve/notice_job.h"

#include "base/mem.h"
#include "config/secrets.h"
#include "config/snapshot.h"
#include "serve/filter.h"
#include "serve/notice.h"
#include "serve/offload.h"
#include "serve/service.h"
#include "serve/watcher.h"

struct notice_job {
	struct job job;
	struct watcher *watcher; /* until it is pinned */

	/* Pinned, if step.base is set: */
	struct view view;
	struct notice_step step;
	struct secrets *secrets;
};

static struct notice_job *notice_job_of(struct job *job)
{
	return CONTAINER_OF(job, struct notice_job, job);
}

static void notice_pin(struct job *job, const struct view *view)
{
	struct notice_job *own = notice_job_of(job);
	struct notice_step *step = &own->step;

	own->view = *view;
	if (!watcher_prepare(own->watcher, &own->view, step))
		return;
	snapshot_freeze(snapshot_ref(own->view.snapshot));
	snapshot_freeze(snapshot_ref(step->base));
	(void)filter_ref(step->filter);
	own->secrets = secrets_pin(view->secrets);
	own->view.secrets = own->secrets;
}

static void notice_run(struct job *job, struct out *out)
{
	const struct notice_step *step = &notice_job_of(job)->step;

	if (step->base)
		(void)notice_write(out, step);
}

static void notice_free(struct job *job)
{
	struct notice_job *own = notice_job_of(job);

	if (own->step.base) {
		snapshot_unref(own->step.base);
		snapshot_unref(own->view.snapshot);
		filter_unref(own->step.filter);
	}
	secrets_free(own->secrets);
	mem_free(own);
}

static const struct job_kind notice_kind = {notice_pin, notice_run,
					    notice_free};

struct job *notice_job_new(struct watcher *watcher)
{
	struct notice_job *own = mem_alloc(sizeof(*own));

	own->job.kind = &notice_kind;
	own->watcher = watcher;
	return &own->job;
}
