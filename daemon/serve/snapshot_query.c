#include "serve/snapshot_query.h"

#include "base/arena.h"
#include "base/mem.h"
#include "config/history.h"
#include "config/secrets.h"
#include "config/snapshot.h"
#include "serve/offload.h"
#include "serve/request.h"

struct query_job {
	struct job job;
	struct snapshot_query query; /* its texts belong to the job */
	char *path, *members;

	/* Pinned: */
	struct arena arena;
	struct secrets *secrets;
};

static void find_newest(struct snapshot_query *query, const struct view *view)
{
	struct snapshot *snapshot = view->snapshot;

	while (snapshot && query->count <= query->generations) {
		query->snapshots[query->count++] = snapshot;
		snapshot = history_get(view->history, query->count);
	}
}

size_t snapshot_query_gather(struct snapshot_query *query,
			     const struct view *view, struct arena *arena)
{
	size_t most = 2 + view->history->count, bytes = 0;

	query->snapshots =
		arena_alloc(arena, most * sizeof(query->snapshots[0]));
	query->count = 0;
	if (query->find)
		query->find(query, view);
	else
		find_newest(query, view);
	for (size_t i = 0; i < query->count; i++)
		bytes += snapshot_size(query->snapshots[i]);
	return bytes;
}

static struct query_job *query_job_of(struct job *job)
{
	return CONTAINER_OF(job, struct query_job, job);
}

/* Snapshots count references without a lock, so only the loop takes and drops
 * them. */
static void query_pin(struct job *job, const struct view *view)
{
	struct query_job *own = query_job_of(job);
	struct snapshot_query *query = &own->query;

	(void)snapshot_query_gather(query, view, &own->arena);
	for (size_t i = 0; i < query->count; i++)
		snapshot_freeze(snapshot_ref(query->snapshots[i]));
	if (job->masked)
		own->secrets = secrets_pin(view->secrets);
	query->secrets = own->secrets;
}

static void query_run(struct job *job, struct out *out)
{
	const struct snapshot_query *query = &query_job_of(job)->query;

	query->write(out, query);
}

static void query_free(struct job *job)
{
	struct query_job *own = query_job_of(job);

	for (size_t i = 0; i < own->query.count; i++)
		snapshot_unref(own->query.snapshots[i]);
	arena_free(&own->arena);
	secrets_free(own->secrets);
	mem_free(own->path);
	mem_free(own->members);
	mem_free(own);
}

static const struct job_kind query_kind = {query_pin, query_run, query_free};

static struct job *query_job_new(const struct snapshot_query *query)
{
	struct query_job *own = mem_alloc(sizeof(*own));
	struct str path = query->path, members = query->members;

	own->job.kind = &query_kind;
	own->job.masked = query->secrets != NULL;
	own->path = mem_strndup(path.ptr, path.len);
	own->members = mem_strndup(members.ptr, members.len);
	own->query = (struct snapshot_query){
		.path = {own->path, path.len},
		.members = {own->members, members.len},
		.generations = query->generations,
		.old = query->old,
		.new = query->new,
		.find = query->find,
		.write = query->write,
	};
	return &own->job;
}

void snapshot_query_answer(struct request *request,
			   const struct snapshot_query *query, bool is_long)
{
	if (is_long)
		offload_add(request, query_job_new(query), query->path.len);
	else
		query->write(request->out, query);
}
