#include "engine/report_job.h"

#include <string.h>
#include <uv.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/mem.h"
#include "config/mask.h"
#include "config/secrets.h"
#include "config/snapshot.h"
#include "engine/engine.h"

struct report_job {
	uv_work_t work;
	report_job_fn done; /* NULL: nobody is told */
	void *data;
	char *key;               /* NULL: none */
	struct secrets *secrets; /* pinned */
	struct report_digest *digests;
	struct snapshot **snapshots; /* of each; NULL: it is known */
	size_t count;
};

void report_digests_free(struct report_digest *digests, size_t count)
{
	for (size_t i = 0; digests && i < count; i++) {
		mem_free(digests[i].workspace);
		mem_free(digests[i].parts);
	}
	mem_free(digests);
}

static void job_free(struct report_job *job)
{
	for (size_t i = 0; i < job->count; i++)
		snapshot_unref(job->snapshots[i]);
	mem_free(job->snapshots);
	report_digests_free(job->digests, job->count);
	secrets_free(job->secrets);
	mem_free(job->key);
	mem_free(job);
}

/* --- in another thread --- */

/* Paths are told as a status tells them: where a key is a secret, not at all.
 */
static char *tell_parts(const struct report_job *job, const struct value *root,
			struct str key)
{
	_cleanup_(buf_deinit) struct buf parts = BUF_INIT, shown = BUF_INIT;

	if (!tree_digest_parts(root, key, &parts) ||
	    mask_into(job->secrets, buf_str(&parts), &shown))
		return NULL;
	return mem_strdup(buf_str(&parts).ptr);
}

static void digest_tree(const struct report_job *job, size_t at)
{
	_cleanup_(arena_free) struct arena arena = ARENA_INIT;
	struct report_digest *digest = &job->digests[at];
	struct str key = job->key ? str_from(job->key) : (struct str){0};
	struct value *root = job->snapshots[at]->root;

	if (!job->key)
		root = mask_tree(job->secrets, &arena, root);
	tree_digest(root, key, digest->hex);
	digest->parts = tell_parts(job, root, key);
}

static void run(uv_work_t *work)
{
	const struct report_job *job = work->data;

	for (size_t i = 0; i < job->count; i++)
		if (job->snapshots[i])
			digest_tree(job, i);
}

/* --- on the loop --- */

static void on_run(uv_work_t *work, int status)
{
	struct report_job *job = work->data;

	(void)status;
	if (job->done)
		job->done(job->data, TAKE(job->digests), job->count);
	job_free(job);
}

static const struct report_digest *known(const struct report_facts *facts,
					 const struct workspace *workspace)
{
	const struct report_digest *digest =
		report_digest_of(facts, workspace->name);

	return digest && digest->edition == workspace->snapshot->edition
		       ? digest
		       : NULL;
}

/* True when there is something to be done. */
static bool add_workspace(struct report_job *job, struct workspace *workspace,
			  const struct report_digest *old)
{
	struct report_digest *digest = &job->digests[job->count];

	*digest = (struct report_digest){
		.workspace = mem_strdup(workspace->name),
		.edition = workspace->snapshot->edition,
	};
	if (old) {
		memcpy(digest->hex, old->hex, sizeof(digest->hex));
		digest->parts = old->parts ? mem_strdup(old->parts) : NULL;
	} else {
		snapshot_freeze(workspace->snapshot);
		job->snapshots[job->count] = snapshot_ref(workspace->snapshot);
	}
	job->count++;
	return !old;
}

struct report_job *report_job_start(const struct engine *engine,
				    const struct report_facts *facts,
				    const char *key)
{
	size_t count = engine->workspace_count;
	struct report_job *job = mem_alloc(sizeof(*job));
	bool due = false;

	job->digests = mem_alloc(count * sizeof(*job->digests));
	job->snapshots = mem_alloc(count * sizeof(struct snapshot *));
	for (size_t i = 0; i < count; i++)
		due = add_workspace(job, engine->workspaces[i],
				    known(facts, engine->workspaces[i])) ||
		      due;
	if (!due) {
		job_free(job);
		return NULL;
	}
	job->key = key ? mem_strdup(key) : NULL;
	job->secrets = secrets_pin(engine->host.secrets);
	job->work.data = job;
	(void)uv_queue_work((uv_loop_t *)&engine->loop, &job->work, run,
			    on_run);
	return job;
}

void report_job_then(struct report_job *job, report_job_fn done, void *data)
{
	job->done = done;
	job->data = data;
}

void report_job_leave(struct report_job *job)
{
	if (job)
		job->done = NULL;
}
