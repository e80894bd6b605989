#ifndef SERVE_NOTICE_JOB_H
#define SERVE_NOTICE_JOB_H

/*
 * The first notice of a watcher that names a generation, when what has changed
 * since then takes long to find: a job (offload.h), which pins the two
 * snapshots.
 */

struct job;
struct watcher;

/* For @watcher, which outlives the pending reply. The reply is empty when there
 * is nothing to tell, or nothing that takes long any more: the watcher knows
 * (watcher_prepare). */
struct job *notice_job_new(struct watcher *watcher);

#endif
